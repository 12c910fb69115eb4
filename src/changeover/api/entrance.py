"""May this caller come in, and do this? Checked before anything of a request's body is read."""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from changeover.api.caller import OWNER, Caller, note_caller
from changeover.api.errors import ApiError, error_answer
from changeover.api.least_role import SCORES, least_role
from changeover.api.problem import Problem
from changeover.ports.clock import Clock
from changeover.rollout.role import Role
from changeover.rollout.token_ring import TokenEntry, TokenStanding, is_token
from changeover.traffic.keys import hash_of

GUARDED: Final = ("/api/", "/dp/")
PLANES_ONLY: Final = "/dp/"
METRICS: Final = "/metrics"

_WRONG: Final = "the token is not the right one: no live token of this server is like it"
_HOW_TO_COME_IN: Final = (
    "send 'Authorization: Bearer TOKEN'; the command line takes it from CHANGEOVER_TOKEN; "
    "an owner makes one: changeover token create NAME --role ROLE"
)

Tokens = Callable[[], Awaitable[Mapping[str, TokenEntry]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How one listener lets people in.

    ``token`` is the state directory's own, ``None`` for a Unix socket: its file's mode lets in this user alone, so that no
    token is asked for. ``plane_token`` opens the data planes' calls, and the metrics, and nothing else. A ``public`` port has
    other names than the loopback's, and asks for a token for everything but whether it lives. With ``read_only`` nothing
    that changes anything is done, whoever asks; ``way_round`` says where it is.
    """

    token: str | None
    plane_token: str | None = None
    public: bool = False
    read_only: bool = False
    way_round: str = ""

    @property
    def guarded(self) -> tuple[str, ...]:
        return (*GUARDED, METRICS) if self.public else GUARDED


class Entrance:
    """The door of a listener.

    On a TCP port the Host header must name this machine's loopback, or a web page whose name was pointed at 127.0.0.1 could
    talk to us through its visitor's browser (DNS rebinding). Whoever shows a token acts by it, on a socket too.
    """

    def __init__(self, app: ASGIApp, *, door: Door, tokens: Tokens, clock: Clock) -> None:
        self._app = app
        self._door = door
        self._tokens = tokens
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                note_caller(scope, await self._caller(Headers(scope=scope), scope["method"], scope["path"]))
            except ApiError as refusal:
                await error_answer(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _caller(self, headers: Headers, method: str, path: str) -> Caller:
        """Who it is.

        Raises:
            ApiError: whoever it is may not do this here.
        """
        door = self._door
        if door.token is not None and not door.public and not names_loopback(headers.get("host", "")):
            message = "the Host header names no loopback address"
            raise ApiError(400, Problem(code="host", message=message, hint="call http://127.0.0.1 or http://localhost"))
        if not path.startswith(door.guarded):
            return OWNER
        caller = await self._shown(headers.get("authorization"), path)
        if not path.startswith(PLANES_ONLY):
            _expect_role(caller, method, path)
            self._expect_writable(method, path)
        return caller

    async def _shown(self, header: str | None, path: str) -> Caller:
        """Whose token was shown; without one, the owner where none is asked for."""
        if header is None and self._door.token is None:
            return OWNER
        scheme, _, word = (header or "").partition(" ")
        word = word.strip()
        if scheme.lower() != "bearer" or not word:
            raise _stranger("found no token, and this port asks for one")
        if self._opens(word, path):
            return OWNER
        if not is_token(word):
            raise _stranger(_WRONG)
        return Caller(token=await self._named(hash_of(word.encode()), path))

    def _opens(self, word: str, path: str) -> bool:
        """Whether it is one of the two tokens that lie in the state directory, and opens this."""
        # surrogateescape: header bytes that are no UTF-8 are compared, not raised about
        sent = word.encode("utf-8", "surrogateescape")
        same = self._door.token is not None and hmac.compare_digest(sent, self._door.token.encode())
        if self._door.plane_token is not None and path.startswith((PLANES_ONLY, METRICS)):
            same |= hmac.compare_digest(sent, self._door.plane_token.encode())
        return same

    async def _named(self, hashed: str, path: str) -> TokenEntry:
        entry = next((each for each in (await self._tokens()).values() if each.hash == hashed), None)
        if entry is None:
            raise _stranger(_WRONG)
        standing = entry.standing(self._clock.now())
        if standing is not TokenStanding.GOOD:
            hint = "Ask an owner for another one: changeover token create NAME --role ROLE"
            raise ApiError(401, Problem(code="unauthorized", message=f"token {entry.id} ({entry.name}) is {standing}", hint=hint))
        if path.startswith(PLANES_ONLY):
            hint = "A gateway joins by the token in the file plane-token of the state directory"
            raise ApiError(403, Problem(code="not_allowed", message=f"{entry.actor} is no data plane", hint=hint))
        return entry

    def _expect_writable(self, method: str, path: str) -> None:
        if self._door.read_only and least_role(method, path) is not Role.VIEWER:
            message = "this port is read-only: it was started with --read-only"
            raise ApiError(403, Problem(code="read_only", message=message, hint=self._door.way_round))


def _stranger(message: str) -> ApiError:
    """Tells whoever it is nothing of this machine."""
    return ApiError(401, Problem(code="unauthorized", message=message, hint=_HOW_TO_COME_IN))


def _expect_role(caller: Caller, method: str, path: str) -> None:
    least = least_role(method, path)
    if not caller.role.covers(least):
        message = f"{caller.name} has the role {caller.role}, this needs {least}"
        raise ApiError(403, Problem(code="not_allowed", message=message, hint=f"Ask somebody with a token of the role {least}"))
    if caller.tasks and path == SCORES:
        message = f"{caller.name} may change {', '.join(caller.tasks)}, and scores may be about any task"
        raise ApiError(403, Problem(code="not_allowed", message=message, hint="Send scores with a token for every task"))


def names_loopback(host: str) -> bool:
    """Whether a Host header is ``localhost`` or a loopback literal, with or without a port."""
    name = host.strip().lower()
    if name.startswith("["):
        name, closed, port = name[1:].partition("]")
        port = port.removeprefix(":") if closed else "?"
    else:
        name, _, port = name.partition(":")
    if port and not port.isdigit():
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
