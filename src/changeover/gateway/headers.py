"""Which headers go on, and which stay here?"""

from collections.abc import Sequence
from typing import Final

Header = tuple[bytes, bytes]

_HOP_BY_HOP: Final = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
    b"transfer-encoding", b"upgrade",
})  # fmt: skip
# What the caller says about itself, and what we say in our own words. The organisation and project of the caller belong
# to the caller's key; sent with the account's key they would be refused.
_CALLERS_OWN: Final = _HOP_BY_HOP | {
    b"authorization", b"api-key", b"x-api-key", b"cookie", b"openai-organization", b"openai-project",
    b"host", b"content-length", b"accept-encoding", b"expect", b"forwarded", b"via", b"x-real-ip",
}  # fmt: skip
_REFRAMED: Final = _HOP_BY_HOP | {b"content-length"}
_OURS: Final = b"x-changeover-"
_NOT_FOR_PROVIDERS: Final = (_OURS, b"x-forwarded-")


def sent_on(headers: Sequence[Header], connection: bytes | None) -> bytes:
    """The header lines of a request that go to the provider. Names are lower-case; ``connection`` is that header's value."""
    dropped = _CALLERS_OWN if connection is None else _CALLERS_OWN | _nominated(connection)
    lines: list[bytes] = []
    for name, value in headers:
        if name not in dropped and not name.startswith(_NOT_FOR_PROVIDERS):
            lines += (name, b": ", value, b"\r\n")
    return b"".join(lines)


def relayed(headers: Sequence[Header], connection: bytes | None) -> bytes:
    """The header lines of a reply that go to the caller, written as the provider wrote them."""
    dropped = _REFRAMED if connection is None else _REFRAMED | _nominated(connection)
    lines: list[bytes] = []
    for name, value in headers:
        lowered = name.lower()
        if lowered not in dropped and not lowered.startswith(_OURS):
            lines += (name, b": ", value, b"\r\n")
    return b"".join(lines)


def _nominated(connection: bytes) -> frozenset[bytes]:
    return frozenset(name.strip().lower() for name in connection.split(b","))
