"""Where is the server, and what does it answer? Calls to the control API, over its Unix socket or over TCP."""

import contextlib
import getpass
import os
import socket
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import httpx2
import msgspec

from changeover.api.lines import EndLine, Line
from changeover.api.problem import ErrorBody, Problem
from changeover.console.failure import ExitCode, Failure
from changeover.ports.serving import CONFIG_NAME, SERVER_FILE_NAME, STATE_NAME, ServerRecord
from changeover.rollout.token_ring import is_token
from changeover.rollout.ways_out import way_lines

STATE_VARIABLE: Final = "CHANGEOVER_STATE"
TIMEOUT_S: Final = 30.0
CONNECT_S: Final = 5.0

_SUCCESS: Final = 200
_REDIRECT: Final = 300
_UNAUTHORIZED: Final = 401
_NO_TOKEN_HERE: Final = "on the server's own machine, as its user, leave out --url and CHANGEOVER_TOKEN: no token is needed there"
_EXIT_BY_CODE: Final = {
    "stale": ExitCode.STALE,
    "unauthorized": ExitCode.NOT_ALLOWED,
    "not_allowed": ExitCode.NOT_ALLOWED,
    "read_only": ExitCode.NOT_ALLOWED,
    "hopeless": ExitCode.UNDECIDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What the user said about the server: a URL with its token, or the file it was started with, or nothing."""

    url: str | None = None
    token: str | None = None
    config: Path | None = None


class ServerRefusal(Failure):
    """The server answered, and not with what was asked for."""

    def __init__(self, status: int, problem: Problem, *, new: int | None = None) -> None:
        code = _EXIT_BY_CODE.get(problem.code, ExitCode.ERROR)
        hint = f"{problem.hint}\n  {_NO_TOKEN_HERE}" if status == _UNAUTHORIZED else problem.hint
        super().__init__(problem.message, hint=hint, details=[*map(str, problem.faults), *way_lines(problem.ways_out)], code=code)
        self.status = status
        self.problem = problem
        self.new = new


class ServerLink:
    """Calls to one server. Every verb returns the body of a success and raises `Failure` for anything else."""

    def __init__(self, client: httpx2.Client, *, name: str) -> None:
        self._client = client
        self._name = name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def get(self, path: str, **params: str | int) -> bytes:
        return self._call("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, object]) -> bytes:
        return self.post_bytes(path, msgspec.json.encode(body), media="application/json")

    def follow(self, path: str, body: Mapping[str, object], *, on_line: Callable[[bytes], None]) -> bytes:
        """Like ``post``, for a call that may answer line by line: ``on_line`` gets each line, the last one is the answer."""
        headers = {"content-type": "application/json", "accept": "application/x-ndjson, application/json"}
        with self._translating(), self._client.stream("POST", path, content=msgspec.json.encode(body), headers=headers) as reply:
            if "ndjson" not in reply.headers.get("content-type", ""):
                reply.read()
                return _body_of(reply.status_code, reply.content)
            for line in reply.iter_lines():
                end = _ended(line.encode())
                if end is not None:
                    return _body_of(end.status, bytes(end.body))
                on_line(line.encode())
        raise Failure(f"{self._name} broke off in the middle of its answer", hint="look at the server's log")

    def lines(self, path: str, **params: str | int) -> Generator[bytes]:
        """The lines of an answer as they come, without empty ones."""
        with self._translating(), self._client.stream("GET", path, params=params) as reply:
            if not _SUCCESS <= reply.status_code < _REDIRECT:
                _body_of(reply.status_code, reply.read())
            rest = b""
            for chunk in reply.iter_bytes():
                *whole, rest = (rest + chunk).split(b"\n")
                yield from filter(None, whole)

    def delete(self, path: str, **params: str | int) -> bytes:
        return self._call("DELETE", path, params=params)

    def post_bytes(self, path: str, body: bytes, *, media: str) -> bytes:
        return self._call("POST", path, body=body, media=media)

    def _call(self, method: str, path: str, *, params: Mapping[str, str | int] | None = None, body: bytes = b"", media: str = "") -> bytes:
        headers = {"content-type": media} if media else {}
        with self._translating():
            reply = self._client.request(method, path, params=params, content=body, headers=headers)
        return _body_of(reply.status_code, reply.content)

    @contextlib.contextmanager
    def _translating(self) -> Generator[None]:
        """Turn what goes wrong on the way into our words."""
        try:
            yield
        except httpx2.TimeoutException as error:
            raise Failure(f"{self._name} did not answer within {TIMEOUT_S:g} s", hint="ask again, or look at the server's log") from error
        except httpx2.ConnectError as error:
            raise _not_running(self._name) from error
        except httpx2.UnsupportedProtocol as error:
            raise _unusable_url(str(error)) from error
        except httpx2.TransportError as error:
            raise Failure(f"{self._name} broke off: {error}", hint="look at the server's log") from error


def open_link(where: Where) -> ServerLink:
    """The link to the server that ``where`` means.

    Raises:
        Failure: there is none to be found.
    """
    if where.url is not None:
        return _tcp_link(where.url, where.token)
    state = state_directory(where.config)
    return _unix_link(read_server_file(state), state, where.token)


def state_directory(config: Path | None) -> Path:
    """Where a server keeps its state: in `STATE_VARIABLE`, else beside its file, else in the working directory.

    ``serve`` and the commands that talk to it ask the same question, so they find each other.
    """
    named = os.environ.get(STATE_VARIABLE)
    if named:
        return Path(named).absolute()
    return (Path.cwd() if config is None else config.absolute().parent) / STATE_NAME


def read_server_file(state: Path) -> ServerRecord:
    try:
        return msgspec.json.decode((state / SERVER_FILE_NAME).read_bytes(), type=ServerRecord)
    except FileNotFoundError:
        raise _not_running(f"the server of {state}") from None
    except PermissionError as error:
        raise _of_another(state) from error
    except (OSError, msgspec.DecodeError) as error:
        raise Failure(f"{state / SERVER_FILE_NAME} cannot be used: {error}", hint="start the server anew: changeover serve") from error


def segment(name: str) -> str:
    """A name as one segment of a path, whatever it holds."""
    return quote(name, safe="")


def actor() -> str:
    """The name of the user of this machine, for the log of events."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _tcp_link(url: str, token: str | None) -> ServerLink:
    try:
        client = httpx2.Client(base_url=url, headers=_headers(token), timeout=_timeout(), trust_env=False)
    except httpx2.InvalidURL as error:
        raise _unusable_url(f"{url}: {error}") from error
    return ServerLink(client, name=f"the server at {url}")


def _unix_link(server: ServerRecord, state: Path, token: str | None) -> ServerLink:
    _expect_listener(server, state)
    named = token if token and is_token(token) else None  # the state directory's own says no more than its socket does
    transport = httpx2.HTTPTransport(uds=server.socket, trust_env=False)
    client = httpx2.Client(transport=transport, base_url="http://localhost", headers=_headers(named), timeout=_timeout(), trust_env=False)
    return ServerLink(client, name=f"the server of {state}")


def _expect_listener(server: ServerRecord, state: Path) -> None:
    """A server that was killed leaves its file behind; only the socket tells."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(CONNECT_S)
            probe.connect(server.socket)
    except PermissionError as error:
        raise _of_another(state) from error
    except OSError as error:
        raise _not_running(f"the server of {state}, process {server.pid},", command=server.command) from error


def _of_another(state: Path) -> Failure:
    """Its owner shut others out; who that is shows only where the directory above may be looked into."""
    try:
        owner = state.owner()
    except (KeyError, OSError):
        owner = "another user"
    hint = "become that user, or use --url URL and a token of yours in CHANGEOVER_TOKEN"
    return Failure(f"the server of {state} is {owner}'s, and {actor()} may not use it", hint=hint, code=ExitCode.NOT_ALLOWED)


def _unusable_url(problem: str) -> Failure:
    return Failure(f"--url cannot be used: {problem}", hint="for example --url http://127.0.0.1:8401", code=ExitCode.USAGE)


def _headers(token: str | None) -> dict[str, str]:
    """Whoever shows a token acts by it, over the socket too."""
    said = {"x-changeover-actor": actor().encode("ascii", "replace").decode()}
    return said | ({"authorization": f"Bearer {token}"} if token else {})


def _timeout() -> httpx2.Timeout:
    return httpx2.Timeout(TIMEOUT_S, connect=CONNECT_S)


def _not_running(name: str, *, command: str = "") -> Failure:
    """``command`` is what started the one that was here."""
    start = f"start it again: {command}" if command else f"start one: changeover serve -c {CONFIG_NAME}"
    hint = f"{start}; or name one: -c FILE, --url URL, {STATE_VARIABLE}=DIR"
    return Failure(f"no server is running here ({name} does not answer)", hint=hint)


def _ended(line: bytes) -> EndLine | None:
    """The last line of an answer that comes line by line; ``None`` for the others."""
    try:
        found = msgspec.json.decode(line, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Failure("found a line that is no answer of ours", hint="check that --url is a changeover control port") from error
    return found if isinstance(found, EndLine) else None


def _body_of(status: int, content: bytes) -> bytes:
    """The body of a success; anything else is raised."""
    if _SUCCESS <= status < _REDIRECT:
        return content
    try:
        body = msgspec.json.decode(content, type=ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Failure(f"found status {status} and no answer of ours", hint="check that --url is a changeover control port") from None
    raise ServerRefusal(status, body.error, new=body.new)
