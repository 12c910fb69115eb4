"""How does an app meet the world? One app on one listening socket, on a uvicorn that leaves signals and logs to us."""

import asyncio
import contextlib
import logging
import socket
import ssl
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette

from changeover.api.closing import closing_of

BACKLOG: Final = 128
SOCKET_MODE: Final = 0o600
GRACE_S: Final = 2
"""How long a request under way may still take when the server stops."""


class ListenError(Exception):
    """The address cannot be listened on; the message says which one, why, and what to do."""


def listen_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes any free one.

    Raises:
        ListenError: the address is taken or not ours.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ListenError(f"cannot listen on {host}:{port}: {error.strerror}; name an address of this machine") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenError(f"cannot listen on {host}:{port}: {error.strerror}; stop what listens there or choose another port") from error
    listener.settimeout(0)
    return listener


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket that only this user may connect to. A dead one left at ``path`` is replaced.

    Raises:
        ListenError: another server listens there, something else lies there, or the path is too long.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(path)
        listener.bind(str(path))
        path.chmod(SOCKET_MODE)  # before listen(): nobody can connect in between
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenError(f"cannot listen on {path}: {error.strerror or error}; choose another state directory") from error
    except ListenError:
        listener.close()
        raise
    listener.settimeout(0)
    return listener


def _clear(path: Path) -> None:
    """Remove the socket of a server that is gone."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"cannot listen on {path}: something that is no socket lies there; move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, contextlib.suppress(ConnectionRefusedError, FileNotFoundError):
        probe.connect(str(path))
        raise ListenError(f"cannot listen on {path}: another server listens there; stop it first")
    path.unlink(missing_ok=True)


class ControlServer:
    """One app on one listening socket. ``start`` returns once it answers; ``stop`` once nothing of it is left."""

    def __init__(self, app: Starlette, listener: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        self._app = app
        self._listener = listener
        self._address = _address(listener)
        self._scheme = "http" if tls is None else "https"
        self._server = _Server(_config(app, tls))
        self._running: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The bound TCP port; 0 for a Unix socket."""
        return 0 if isinstance(self._address, Path) else self._address[1]

    @property
    def url(self) -> str:
        """``http://host:port`` (``https`` with a certificate), with brackets around an IPv6 host; the path for a Unix socket."""
        if isinstance(self._address, Path):
            return str(self._address)
        host, port = self._address
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    async def start(self) -> None:
        _quiet_logs()
        self._running = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        up = asyncio.create_task(self._server.up.wait())
        await asyncio.wait({self._running, up}, return_when=asyncio.FIRST_COMPLETED)
        if not up.done():
            up.cancel()
            await self._running

    async def stop(self) -> None:
        """Answer what waits, take no more, and remove a Unix socket's file."""
        closing_of(self._app).set()
        self._server.should_exit = True
        if self._running is not None:
            await self._running
            self._running = None
        self._listener.close()
        if isinstance(self._address, Path):
            await asyncio.to_thread(self._address.unlink, missing_ok=True)


def _address(listener: socket.socket) -> Path | tuple[str, int]:
    name: object = listener.getsockname()
    if isinstance(name, str):
        return Path(name)
    host, port = socket.getnameinfo(listener.getsockname(), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
    return host, int(port)


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers, and with a bell for its start."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """The program owns its signals."""
        yield


def _config(app: Starlette, tls: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )


class _ToStructlog(logging.Handler):
    """Uvicorn's warnings and errors, in our log."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger("api").log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def _quiet_logs() -> None:
    server_log = logging.getLogger("uvicorn.error")
    server_log.setLevel(logging.WARNING)
    server_log.propagate = False
    if not any(isinstance(handler, _ToStructlog) for handler in server_log.handlers):
        server_log.addHandler(_ToStructlog())
