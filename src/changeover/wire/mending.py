"""Which request setting makes a deployment take what it just refused? Reads the refusal; the setting is for a person to accept."""

import re
from collections.abc import Collection, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from changeover.versions import RequestSettings
from changeover.wire.failure import Failure, FailureKind
from changeover.wire.filters import read_fields
from changeover.wire.request_settings import RESERVED
from changeover.wire.surface import Surface

How = Literal["rename", "drop", "set", "unset", "none"]


class Mend(NamedTuple):
    """What to change for ``parameter`` (a top-level name): rename it to ``value``, drop it, set it to ``value``, or take it
    out of the settings' own ``set`` (``unset``). ``none``: no setting changes it.
    """

    parameter: str
    how: How
    value: str | None = None

    @property
    def setting(self) -> str:
        """As it stands in the file."""
        match self.how:
            case "rename":
                return f"rename: {{{self.parameter}: {self.value}}}"
            case "set":
                return f"set: {{{self.parameter}: {self.value}}}"
            case "drop":
                return f"drop: [{self.parameter}]"
            case "unset":
                return f"take {self.parameter} out of set"
            case "none":
                return f"no request setting changes {self.parameter}"


_REFUSING: Final = frozenset({400, 422})
_INSTEAD: Final = re.compile(r"[Uu]se '([A-Za-z_][A-Za-z0-9_]{0,63})' instead")
_SUPPORTED: Final = re.compile(r"[Ss]upported values are:? ((?:'[a-z0-9_]{1,20}'(?:,? and |, )?)+)")
_QUOTED: Final = re.compile(r"'([a-z0-9_]{1,20})'")
_TOP: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEXT: Final = msgspec.json.Decoder(str)
_SUCCESSORS: Final = {(Surface.CHAT, "max_tokens"): "max_completion_tokens"}
"""What a parameter that is refused is called where the refusal does not say so."""
_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_ORDERED: Final[Mapping[str, tuple[str, ...]]] = {"reasoning_effort": _EFFORTS, "verbosity": ("low", "medium", "high")}
"""Words with an order: of those that are taken the nearest stands in."""


def refused_parameter(status: int, body: bytes, failure: Failure, *, sent: Collection[str]) -> str | None:
    """The top-level parameter, one of those ``sent``, that an answer refuses; ``None`` when it refuses none of them.

    Other deployments took the same parameter, so a 400 that names it is about it, whatever its code.
    """
    blamed = failure.kind is FailureKind.CALLER_FAULT and status in _REFUSING
    if not blamed and failure.kind is not FailureKind.UNSUPPORTED_PARAMETER:
        return None
    named = failure.parameter or _param(body)
    top = None if named is None else _TOP.match(named)
    return top[0] if top is not None and top[0] in sent else None


def mend_for(parameter: str, *, surface: Surface, message: str, value: object, settings: RequestSettings) -> Mend:
    """The setting that mends the refusal of ``parameter``, which was sent with ``value`` under ``settings``."""
    if parameter in settings.set:
        return Mend(parameter, "unset")
    if parameter in RESERVED:
        return Mend(parameter, "none")
    instead = _INSTEAD.search(message)
    successor = instead[1] if instead is not None else _SUCCESSORS.get((surface, parameter))
    source = next((old for old, new in settings.rename.items() if new == parameter), parameter)
    if successor is not None and successor != source and _is_free(successor, settings):
        return Mend(source, "rename", successor)
    nearest = _nearest(parameter, message, value) if source == parameter else None
    return Mend(parameter, "drop") if nearest is None else Mend(parameter, "set", nearest)


def mended(settings: RequestSettings, mend: Mend) -> RequestSettings:
    """``settings`` with ``mend``; no contradiction is left in them."""
    rename, drop, values, name = dict(settings.rename), settings.drop, dict(settings.set), mend.parameter
    match mend.how:
        case "rename" if mend.value is not None:
            rename[name] = mend.value
        case "drop":
            sources = tuple(old for old, new in rename.items() if new == name) or (name,)
            for source in sources:
                rename.pop(source, None)
            drop = tuple(dict.fromkeys((*drop, *sources, name)))
        case "set":
            values[name] = mend.value
        case "unset":
            values.pop(name, None)
        case _:
            pass
    return msgspec.structs.replace(settings, rename=rename, drop=drop, set=values)


def _is_free(name: str, settings: RequestSettings) -> bool:
    """Whether a parameter may be renamed to ``name``: nothing else in ``settings`` is about it."""
    return name not in {*RESERVED, *settings.drop, *settings.set, *settings.rename, *settings.rename.values()}


def _nearest(parameter: str, message: str, value: object) -> str | None:
    listed = _SUPPORTED.search(message)
    order = _ORDERED.get(parameter, ())
    taken = [word for word in _QUOTED.findall(listed[1]) if word in order] if listed is not None else []
    if not taken or value not in order:
        return None
    at = order.index(str(value))
    return str(min(taken, key=lambda word: abs(order.index(word) - at)))


def _param(body: bytes) -> str | None:
    raw = read_fields(read_fields(body).get("error", b"")).get("param")
    try:
        return None if raw is None else _TEXT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
