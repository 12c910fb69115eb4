"""What stands at the other end of a webhook: keeps every request, answers as told, and verifies signatures on its own."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

REASONS = {200: "OK", 204: "No Content", 302: "Found", 410: "Gone", 429: "Too Many Requests", 500: "Internal Server Error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, and what was answered."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass(slots=True)
class Receiver:
    """``answers`` are given first, one a request; then 200. ``extra`` headers go with each of them. While it ``holds_back`` it
    takes requests and answers none: those are counted as ``held``.
    """

    url: str = ""
    answers: list[int] = field(default_factory=list[int])
    extra: str = ""
    holds_back: bool = False
    held: int = 0
    requests: list[Received] = field(default_factory=list[Received])

    @property
    def taken(self) -> list[Received]:
        return [each for each in self.requests if each.status < 300]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if self.holds_back:
            self.held += 1
            await reader.read()
            writer.close()
            return
        status = self.answers.pop(0) if self.answers else 200
        self.requests.append(Received(path=head[0].split()[1], headers=headers, body=body, status=status))
        writer.write(f"HTTP/1.1 {status} {REASONS[status]}\r\n{self.extra}content-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    """A receiver on a free port of the loopback."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield receiver


def is_authentic(request: Received, secret: str) -> bool:
    """As the Standard Webhooks specification tells a receiver to check it, written from that text alone."""
    key = base64.b64decode(secret.split("whsec_", 1)[-1])
    to_sign = b".".join([request.headers["webhook-id"].encode(), request.headers["webhook-timestamp"].encode(), request.body])
    expected = base64.b64encode(hmac.new(key, to_sign, "sha256").digest()).decode()
    offered = [each.partition(",") for each in request.headers.get("webhook-signature", "").split()]
    return any(version == "v1" and hmac.compare_digest(signature, expected) for version, _, signature in offered)
