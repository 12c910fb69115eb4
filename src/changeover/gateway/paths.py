"""What does a request's path ask for?"""

from enum import Enum
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes


class Kind(Enum):
    """What can be asked for here."""

    CHAT = "chat"
    MODELS = "models"
    HEALTH = "health"
    READY = "ready"


class Endpoint(NamedTuple):
    """``task`` is the task that the path itself names; it beats the body's ``model``."""

    kind: Kind
    methods: frozenset[bytes]
    task: str | None = None


_POST: Final = frozenset({b"POST"})
_READ: Final = frozenset({b"GET", b"HEAD"})
_CHAT: Final = Endpoint(Kind.CHAT, _POST)
_MODELS: Final = Endpoint(Kind.MODELS, _READ)
_PREFIXES: Final = (b"", b"/v1", b"/openai", b"/openai/v1")
_FIXED: Final = {
    b"/healthz": Endpoint(Kind.HEALTH, _READ),
    b"/readyz": Endpoint(Kind.READY, _READ),
    **{prefix + b"/chat/completions": _CHAT for prefix in _PREFIXES},
    **{prefix + b"/models": _MODELS for prefix in _PREFIXES},
}
_DEPLOYMENTS: Final = b"/openai/deployments/"
_DEPLOYMENT_CHAT: Final = b"/chat/completions"


def read_path(url: bytes) -> Endpoint | None:
    """The endpoint of an origin-form ``url`` (path and query), ``None`` when there is none. The query is ignored."""
    fixed = _FIXED.get(url)
    if fixed is not None:
        return fixed
    path = url.partition(b"?")[0]
    if not path.startswith(_DEPLOYMENTS):
        return _FIXED.get(path)
    name = path.removeprefix(_DEPLOYMENTS)
    if not name.endswith(_DEPLOYMENT_CHAT):
        return None
    return _chat_of(name.removesuffix(_DEPLOYMENT_CHAT))


def _chat_of(segment: bytes) -> Endpoint | None:
    """A task in Azure's path form: one segment, percent-encoded UTF-8."""
    if not segment or b"/" in segment:
        return None
    try:
        return Endpoint(Kind.CHAT, _POST, unquote_to_bytes(segment).decode())
    except UnicodeDecodeError:
        return None
