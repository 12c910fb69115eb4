"""``Prober`` over HTTP. Addresses and credentials come from whoever makes them for traffic; here they are only sent."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

import httpx2

from changeover.ports.probing import ProbeAnswer, ProbeCall, ProbeFailedError, ProbeHead

ANSWER_BYTES_MAX: Final = 262_144
"""More of an answer than this is not read."""
CONNECT_S: Final = 10.0


class HttpProber:
    """See ``Prober``. ``head`` says where a call goes and with which credentials; ``tls`` whose certificates are trusted."""

    def __init__(self, head: Callable[[ProbeCall], Awaitable[ProbeHead]], *, tls: ssl.SSLContext | None = None) -> None:
        self._head = head
        self._tls = tls

    async def send(self, call: ProbeCall, *, timeout_s: float) -> ProbeAnswer:
        """See ``Prober``."""
        head = await self._head(call)
        try:
            async with asyncio.timeout(timeout_s), self._client(head) as client:
                return await _exchange(client, head, call.body)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ProbeFailedError("timeout", f"it did not answer within {timeout_s:g} s") from error
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, ssl.SSLError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise ProbeFailedError(
                "unreachable", f"account {call.account.name} cannot be reached at {call.account.endpoint}: {reason}"
            ) from error

    def _client(self, head: ProbeHead) -> httpx2.AsyncClient:
        proxy = None if head.proxy is None else httpx2.Proxy(head.proxy, headers=dict(head.proxy_headers))
        # What the environment says of proxies is in ``head`` already.
        return httpx2.AsyncClient(
            verify=self._tls or ssl.create_default_context(),
            proxy=proxy,
            trust_env=False,
            timeout=httpx2.Timeout(None, connect=CONNECT_S),
            follow_redirects=False,
        )


async def _exchange(client: httpx2.AsyncClient, head: ProbeHead, body: bytes) -> ProbeAnswer:
    async with client.stream("POST", head.url, headers=list(head.headers), content=body) as answer:
        found = bytearray()
        async for chunk in answer.aiter_bytes():
            found += chunk
            if len(found) >= ANSWER_BYTES_MAX:
                break
        headers = {name.lower(): value for name, value in answer.headers.raw}
        return ProbeAnswer(status=answer.status_code, headers=headers, body=bytes(found))
