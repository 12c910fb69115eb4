"""What does a request's path ask for: an API, or something of our own?"""

from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from changeover.versions.dialect import Dialect
from changeover.wire.surface import FIRST_CLASS, METHODS, Ask, Surface, asked_dialect
from changeover.wire.surface import read_path as read_api_path


class Kind(Enum):
    """Who answers."""

    API = "api"
    """A deployment."""
    MODELS = "models"
    HEALTH = "health"
    READY = "ready"
    METRICS = "metrics"


class Endpoint(NamedTuple):
    """``ask`` is what an API's path asks for; our own paths have none. ``first_class``: answers are read. ``repeatable``: asking
    twice does no more than asking once, because nothing is kept. ``dialect``: only accounts that speak it have this API.
    ``aside``: what is asked is no answer of a model, and never evidence of one. ``surface`` is the ask's, by its value.
    """

    kind: Kind
    methods: frozenset[bytes]
    ask: Ask | None = None
    first_class: bool = False
    repeatable: bool = False
    dialect: Dialect | None = None
    aside: bool = False
    surface: str = ""


REPEATABLE: Final = FIRST_CLASS | {Surface.IMAGES, Surface.AUDIO, Surface.MODERATIONS, Surface.TOKEN_COUNT}
"""Surfaces that keep nothing of a request that failed."""
ASIDE: Final = frozenset({Surface.TOKEN_COUNT, Surface.MESSAGE_BATCHES})
"""Surfaces that are asked beside the answers themselves."""
KEPT_MAX: Final = 4096
"""Paths that have been read are kept: nearly every request repeats one."""
KEPT_BYTES_MAX: Final = 256
"""A longer path is read each time."""

_READ: Final = frozenset({b"GET", b"HEAD"})
_OWN: Final = {
    b"/healthz": Endpoint(Kind.HEALTH, _READ),
    b"/readyz": Endpoint(Kind.READY, _READ),
    b"/metrics": Endpoint(Kind.METRICS, _READ),
}


def read_path(url: bytes) -> Endpoint | None:
    """The endpoint of an origin-form ``url`` (path and query), ``None`` when there is none."""
    return _kept(url) if len(url) <= KEPT_BYTES_MAX else _read(url)


def _read(url: bytes) -> Endpoint | None:
    own = _OWN.get(url.partition(b"?")[0])
    if own is not None:
        return own
    ask = read_api_path(url)
    if ask is None:
        return None
    surface = ask.surface
    kind = Kind.MODELS if surface is Surface.MODELS else Kind.API
    return Endpoint(
        kind,
        METHODS[surface],
        ask,
        first_class=surface in FIRST_CLASS,
        repeatable=surface in REPEATABLE,
        dialect=asked_dialect(surface),
        aside=surface in ASIDE,
        surface=surface.value,
    )


_kept: Final = lru_cache(maxsize=KEPT_MAX)(_read)
