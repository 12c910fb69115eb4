"""How long? Durations as people write them: ``500ms``, ``2s``, ``30m``, ``24h``, ``7d``."""

import re
from typing import Final

DURATION_PATTERN: Final = r"^[0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h|d)$"
DURATION_EXPECTED: Final = "a duration with its unit, such as 500ms, 2s, 30m, 24h or 7d"

_PATTERN: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration_text(length_s: float) -> str:
    """``length_s`` in the largest unit that gives it back exactly; to the millisecond where none does."""
    for unit, size_s in reversed(_SECONDS.items()):
        number = f"{length_s / size_s:.3f}".rstrip("0").rstrip(".")
        if _PATTERN.fullmatch(number + unit) and seconds(number + unit) == length_s and (size_s == 1.0 or "." not in number):
            return number + unit
    return f"{length_s * 1000:.0f}ms"


def seconds(text: str) -> float:
    """``text`` in seconds.

    Raises:
        ValueError: it is not written as a duration.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"found {text!r}, expected {DURATION_EXPECTED}")
    return float(match[1]) * _SECONDS[match[2]]
