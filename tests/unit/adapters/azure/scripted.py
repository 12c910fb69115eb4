"""A Resource Manager that answers what it is told to, and remembers what it was asked."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx2

from changeover.adapters.azure import CLOUDS, ArmHttp, AzureCloud
from changeover.adapters.credentials import MemoryTokens
from changeover.ports.credentials import Token, TokenError
from changeover.provision.actual import AccountKey

T = TypeVar("T")
SECRET = "eyJhbGciOiJub25lIn0.the-planted-token.s"
ACCOUNT = AccountKey(subscription="s-1", resource_group="rg", name="aoai")
PATH = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/aoai/deployments"
NOW = 1_795_000_000.0
Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]] | Exception


class Clock:
    def now(self) -> float:
        return NOW


class Script:
    """``replies`` in turn. ``calls`` are method and path, ``bodies`` what was sent, ``waits`` the seconds that were waited."""

    def __init__(self, *replies: Reply, tokens: MemoryTokens | None = None) -> None:
        self.replies = deque(replies)
        self.calls: list[str] = []
        self.queries: list[str] = []
        self.bodies: list[Any] = []
        self.bearers: list[str] = []
        self.waits: list[float] = []
        self.tokens = tokens or MemoryTokens(Token(value=SECRET, expires_at=NOW + 3600))

    def run(self, work: Callable[[AzureCloud], Awaitable[T]]) -> T:
        async def done() -> T:
            cloud = CLOUDS["public"]
            transport = httpx2.MockTransport(self._answer)
            async with ArmHttp(cloud, cloud.identity("default"), self.tokens, Clock(), sleep=self._wait, transport=transport) as http:
                return await work(AzureCloud(http))

        return asyncio.run(done())

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        assert request.url.host == "management.azure.com"
        self.calls.append(f"{request.method} {request.url.path}")
        self.queries.append(request.url.query.decode())
        self.bearers.append(request.headers["authorization"])
        self.bodies.append(json.loads(request.content) if request.content else None)
        reply = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        status, body, *headers = reply
        content = b"" if body is None else json.dumps(body).encode() if not isinstance(body, bytes) else body
        return httpx2.Response(status, content=content, headers=headers[0] if headers else {})


def refused(code: str, message: str = "no") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


NO_TOKEN = MemoryTokens(TokenError("no such identity is to be had here", "tried all"))
