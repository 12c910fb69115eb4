"""May this caller come in? Checked before anything of a request is read."""

import hmac
import ipaddress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from changeover.api.errors import ApiError, error_answer
from changeover.api.problem import Problem

GUARDED: Final = ("/api/", "/dp/")
PLANES_ONLY: Final = "/dp/"
METRICS: Final = "/metrics"


class Entrance:
    """The door of a TCP port. A Unix socket needs none: its file's mode lets in this user alone.

    The Host header must name this machine's loopback, or a web page whose name was pointed at 127.0.0.1 could talk to
    us through its visitor's browser (DNS rebinding). Calls under `GUARDED` need the token. A ``public`` port has other
    names, and asks for the token for everything but whether it lives. ``plane_token`` opens the data planes' calls, and
    the metrics, and nothing else.
    """

    def __init__(self, app: ASGIApp, *, token: str, token_file: str, plane_token: str | None = None, public: bool = False) -> None:
        self._app = app
        self._token = token.encode()
        self._token_file = token_file
        self._plane_token = None if plane_token is None else plane_token.encode()
        self._public = public
        self._guarded = (*GUARDED, METRICS) if public else GUARDED

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(Headers(scope=scope), scope["path"]) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await error_answer(refusal)(scope, receive, send)

    def _refusal(self, headers: Headers, path: str) -> ApiError | None:
        if not self._public and not names_loopback(headers.get("host", "")):
            message = "the Host header names no loopback address"
            return ApiError(400, Problem(code="host", message=message, hint="call http://127.0.0.1 or http://localhost"))
        if path.startswith(self._guarded) and not self._is_bearer(headers.get("authorization", ""), path):
            hint = f"send 'Authorization: Bearer TOKEN'; the token is in {self._token_file}"
            return ApiError(401, Problem(code="unauthorized", message="the token is missing or not the right one", hint=hint))
        return None

    def _is_bearer(self, header: str, path: str) -> bool:
        scheme, _, word = header.partition(" ")
        # surrogateescape: header bytes that are no UTF-8 are compared, not raised about
        sent = word.strip().encode("utf-8", "surrogateescape")
        same = hmac.compare_digest(sent, self._token)
        if self._plane_token is not None and path.startswith((PLANES_ONLY, METRICS)):
            same |= hmac.compare_digest(sent, self._plane_token)
        return same and scheme.lower() == "bearer"


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
