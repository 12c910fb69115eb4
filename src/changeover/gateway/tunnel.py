"""How is a provider reached with TLS through a proxy? CONNECT, then TLS with the provider itself: the proxy reads nothing."""

import asyncio
import ssl
from typing import Final, cast

from changeover.gateway.egress import Proxy

_HEAD_BYTES_MAX: Final = 16 * 1024
_END: Final = b"\r\n\r\n"
_STATUS_PARTS: Final = 2
_SAID_MAX: Final = 80


class TunnelRefusedError(Exception):
    """The proxy opened no tunnel; the message continues "deployment X ..."."""


class _Knock(asyncio.Protocol):
    """Waits for the head of the proxy's answer; ``head`` fails with ``ConnectionError`` when none comes."""

    def __init__(self) -> None:
        self.head: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._held = b""

    def data_received(self, data: bytes) -> None:
        self._held += data
        if self.head.done():
            return
        if self._held.endswith(_END):
            self.head.set_result(self._held)
        elif _END in self._held or len(self._held) > _HEAD_BYTES_MAX:
            self.head.set_exception(ConnectionError("it sent more than the head of an answer"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended, there is no answer
        if not self.head.done():
            self.head.set_exception(ConnectionError("it closed the connection"))


async def open_tunnel(proxy: Proxy, address: tuple[str, int], *, tls: ssl.SSLContext, inner: asyncio.Protocol) -> None:
    """Connect ``inner`` to ``address`` through ``proxy``. A proxy that is itself reached by TLS is verified the same way.

    Raises:
        TunnelRefusedError, OSError: there is no way through.
    """
    host, port = address
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    loop = asyncio.get_running_loop()
    transport, knock = await loop.create_connection(_Knock, proxy.host, proxy.port, ssl=tls if proxy.tls else None)
    try:
        transport.write(f"CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n{proxy.authorization}\r\n".encode())
        await _opened(knock, proxy)
        secured = await loop.start_tls(transport, inner, tls, server_hostname=host)
    except BaseException:
        transport.abort()
        raise
    inner.connection_made(cast("asyncio.Transport", secured))


async def _opened(knock: _Knock, proxy: Proxy) -> None:
    try:
        head = await knock.head
    except ConnectionError as error:
        raise TunnelRefusedError(f"no connection through the proxy {proxy.host}:{proxy.port} ({error})") from error
    parts = head.split(b" ", _STATUS_PARTS)
    if len(parts) < _STATUS_PARTS or parts[1][:1] != b"2":
        said = head.partition(b"\r\n")[0].decode("ascii", "replace")[:_SAID_MAX]
        raise TunnelRefusedError(f"no connection through the proxy {proxy.host}:{proxy.port} (it answered: {said})")
