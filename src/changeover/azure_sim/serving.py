"""How does the stage listen? HTTP and TLS on loopback, in this program's own loop or in a thread beside a test."""

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Generator, Sequence
from typing import Final, NamedTuple

import uvicorn

from changeover.azure_sim.arm.cloud import Cloud

HOST: Final = "127.0.0.1"
_BACKLOG: Final = 2048
_SHUTDOWN_S: Final = 1
_GOODBYE_S: Final = 0.01
"""Until connections that were cut are gone from the loop."""


class Server(uvicorn.Server):
    """Uvicorn that leaves signals to this program, and waits for no client that keeps its connection."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """A client of TLS that says nothing at the end would hold the loop for half a minute."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            transport: asyncio.Transport | None = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(_GOODBYE_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Address(NamedTuple):
    """``tls_url`` is there only where TLS is."""

    url: str
    tls_url: str | None = None


def servers_of(cloud: Cloud, tls: ssl.SSLContext | None) -> list[Server]:
    """One for HTTP, and one for TLS where that is wanted."""
    logging.getLogger("uvicorn.error").addFilter(_not_about_cuts)
    return [Server(_config(cloud, context)) for context in ([None] if tls is None else [None, tls])]


async def serve_all(servers: Sequence[Server], listeners: Sequence[socket.socket]) -> None:
    await asyncio.gather(*(server.serve([listener]) for server, listener in zip(servers, listeners, strict=True)))


@contextlib.contextmanager
def running(cloud: Cloud, *, tls: ssl.SSLContext | None = None) -> Generator[Address]:
    """The cloud on free ports, in a thread of this process, until the block ends."""
    with contextlib.ExitStack() as stack:
        servers = servers_of(cloud, tls)
        listeners = [stack.enter_context(listen(0)) for _ in servers]
        ports = [listener.getsockname()[1] for listener in listeners]

        def serve() -> None:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(serve_all(servers, listeners))

        thread = threading.Thread(target=serve, name="azure-sim", daemon=True)
        thread.start()
        try:
            yield Address(f"http://{HOST}:{ports[0]}", f"https://{HOST}:{ports[1]}" if tls is not None else None)
        finally:
            for server in servers:
                server.should_exit = server.force_exit = True
            thread.join()


def listen(port: int) -> socket.socket:
    """A listening socket on loopback. Raises ``OSError``."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def new_loop() -> asyncio.AbstractEventLoop:
    """The fast loop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _config(cloud: Cloud, context: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        cloud,
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
    config.load()
    config.ssl = context
    return config


def _not_about_cuts(record: logging.LogRecord) -> bool:
    """An answer that ends early is what the stage was told to give; uvicorn calls it a fault of ours."""
    return "without completing response" not in record.getMessage()
