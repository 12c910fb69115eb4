"""Which headers go on, and which stay here?"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

Header = tuple[bytes, bytes]

_HOP_BY_HOP: Final = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
    b"transfer-encoding", b"upgrade",
})  # fmt: skip
# What the caller says about itself, and what we say in our own words. The organisation, project and workspace of the caller belong
# to the caller's key; sent with the account's key they would be refused.
_CALLERS_OWN: Final = _HOP_BY_HOP | {
    b"authorization", b"api-key", b"x-api-key", b"cookie", b"openai-organization", b"openai-project", b"anthropic-workspace-id",
    b"host", b"content-length", b"accept-encoding", b"expect", b"forwarded", b"via", b"x-real-ip",
}  # fmt: skip
# By these a provider, or what stands before it, would serve another deployment, path or method than the one that was chosen.
_STEERING: Final = frozenset({
    b"x-ms-spillover-deployment", b"azureml-model-deployment", b"x-original-url", b"x-rewrite-url", b"x-http-method-override",
    b"x-http-method", b"x-method-override",
})  # fmt: skip
_NOT_SENT_ON: Final = _CALLERS_OWN | _STEERING
_REFRAMED: Final = _HOP_BY_HOP | {b"content-length"}
_OURS: Final = b"x-changeover-"
_NOT_FOR_PROVIDERS: Final = (_OURS, b"x-forwarded-")


def sent_on(headers: Sequence[Header], connection: bytes | None) -> bytes:
    """The header lines of a request that go to the provider. Names are lower-case; ``connection`` is as of ``nominations``."""
    dropped = _NOT_SENT_ON if connection is None else _callers_own_with(connection)
    lines: list[bytes] = []
    for name, value in headers:
        if name not in dropped and not name.startswith(_NOT_FOR_PROVIDERS):
            lines += (name, b": ", value, b"\r\n")
    return b"".join(lines)


def relayed(headers: Sequence[Header], connection: bytes | None) -> bytes:
    """The header lines of a reply that go to the caller, written as the provider wrote them."""
    dropped = _REFRAMED if connection is None else _reframed_with(connection)
    lines: list[bytes] = []
    for name, value in headers:
        lowered = name.lower()
        if lowered not in dropped and not lowered.startswith(_OURS):
            lines += (name, b": ", value, b"\r\n")
    return b"".join(lines)


def nominations(headers: Sequence[Header], names: Mapping[bytes, bytes]) -> bytes | None:
    """The value of ``connection``, of all such headers where there are several; ``names`` are the same by lower-case name."""
    last = names.get(b"connection")
    if last is None or len(names) == len(headers):
        return last
    return b",".join([value for name, value in headers if name.lower() == b"connection"])


def _nominated(connection: bytes) -> frozenset[bytes]:
    return frozenset(name.strip().lower() for name in connection.split(b","))


# Nearly all connections say "keep-alive". What is kept is bounded by the size of a head.


@lru_cache(maxsize=32)
def _callers_own_with(connection: bytes) -> frozenset[bytes]:
    return _NOT_SENT_ON | _nominated(connection)


@lru_cache(maxsize=32)
def _reframed_with(connection: bytes) -> frozenset[bytes]:
    return _REFRAMED | _nominated(connection)
