"""How does one HTTP request come in, and its answer go out? ASGI, with the ways in which an answer can go wrong."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from changeover.azure_sim import refusals

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
JSON: Final = "application/json; charset=utf-8"
EVENTS: Final = "text/event-stream; charset=utf-8"
Headers = dict[str, str]


class CallerLeftError(Exception):
    """The caller closed the connection before its request was whole."""


class HttpCall:
    """One request with the way back. A method that says so leaves the answer unfinished: the server then closes the connection."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: Headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self._receive = receive
        self._send = send

    async def body(self) -> bytes:
        """The whole body. Raises ``CallerLeftError``, and ``RefusalError`` when it is too large."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise CallerLeftError
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > BODY_BYTES_MAX:
                raise refusals.too_large(BODY_BYTES_MAX)
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def reply(self, status: int, body: bytes, headers: Headers, *, content_type: str = JSON) -> None:
        await self._start(status, {**headers, "content-type": content_type, "content-length": str(len(body))})
        await self._send({"type": "http.response.body", "body": body})

    async def reply_in_part(self, body: bytes, headers: Headers, *, part: int) -> None:
        """Announce all of ``body``, send its first ``part`` bytes, and leave it unfinished."""
        await self._start(200, {**headers, "content-type": JSON, "content-length": str(len(body))})
        await self.piece(body[:part])

    async def open_stream(self, headers: Headers) -> None:
        await self._start(200, {**headers, "content-type": EVENTS})

    async def piece(self, data: bytes, *, wait_s: float = 0.0) -> None:
        if wait_s:
            await asyncio.sleep(wait_s)
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def close_stream(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def wait_for_departure(self) -> None:
        """Until the caller has gone; nothing is answered."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _start(self, status: int, headers: Headers) -> None:
        listed = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": listed})
