"""Which headers go on, and which stay here?"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

Header = tuple[bytes, bytes]

KEPT_NAMES_MAX: Final = 512
KEPT_NAME_BYTES_MAX: Final = 64

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
_KEEP_ALIVE: Final = b"keep-alive"
_NONE: Final[frozenset[bytes]] = frozenset()
_OURS: Final = b"x-changeover-"
_NOT_FOR_PROVIDERS: Final = (_OURS, b"x-forwarded-")


def add_sent_on(lines: list[bytes], headers: Sequence[Header], connection: bytes | None) -> None:
    """Add to ``lines`` those of a request that go to the provider, in pieces. Names are lower-case; ``connection`` is as of
    ``nominations``.
    """
    nominated = _nominated(connection)
    for name, value in headers:
        if _is_sent_on(name) and name not in nominated:
            _add(lines, name, value)


def add_relayed(lines: list[bytes], headers: Sequence[Header], connection: bytes | None) -> None:
    """Add to ``lines`` those of a reply that go to the caller, in pieces, written as the provider wrote them."""
    nominated = _nominated(connection)
    for name, value in headers:
        if _is_relayed(name) and (not nominated or name.lower() not in nominated):
            _add(lines, name, value)


def nominations(headers: Sequence[Header], names: dict[bytes, bytes]) -> bytes | None:
    """The value of ``connection``, of all such headers where there are several; ``names`` are the same by lower-case name."""
    last = names.get(b"connection")
    if last is None or len(names) == len(headers):
        return last
    return b",".join([value for name, value in headers if name.lower() == b"connection"])


def _add(lines: list[bytes], name: bytes, value: bytes) -> None:
    lines.append(name)
    lines.append(b": ")
    lines.append(value)
    lines.append(b"\r\n")


def _nominated(connection: bytes | None) -> frozenset[bytes]:
    """The names that ``connection`` names and nobody has to be told of: nearly all say "keep-alive", which stays here anyway."""
    return _NONE if connection is None or connection == _KEEP_ALIVE else _named_in(connection)


@lru_cache(maxsize=32)
def _named_in(connection: bytes) -> frozenset[bytes]:
    return frozenset(name.strip().lower() for name in connection.split(b","))


# Nearly all headers have one of a few dozen names. What is found of a name is kept, within bounds.
_sent_on: Final[dict[bytes, bool]] = {}
_relayed: Final[dict[bytes, bool]] = {}


def _is_sent_on(name: bytes) -> bool:
    found = _sent_on.get(name)
    if found is None:
        found = name not in _NOT_SENT_ON and not name.startswith(_NOT_FOR_PROVIDERS)
        _keep(_sent_on, name, found=found)
    return found


def _is_relayed(name: bytes) -> bool:
    found = _relayed.get(name)
    if found is None:
        lowered = name.lower()
        found = lowered not in _REFRAMED and not lowered.startswith(_OURS)
        _keep(_relayed, name, found=found)
    return found


def _keep(known: dict[bytes, bool], name: bytes, *, found: bool) -> None:
    if len(known) < KEPT_NAMES_MAX and len(name) <= KEPT_NAME_BYTES_MAX:
        known[name] = found
