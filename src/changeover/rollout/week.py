"""When is a week over? The moment at which it is summed up, in UTC."""

from typing import Final

DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S
MINUTE_S: Final = 60.0

_FIRST_MONDAY_AT: Final = 4 * DAY_S
"""1 January 1970 was a Thursday."""


def last_moment(now: float, *, day: int, minute: int) -> float:
    """The latest such moment at or before ``now`` (Unix seconds); ``day`` counts from Monday, 0, and ``minute`` is of the day."""
    offset = _FIRST_MONDAY_AT + day * DAY_S + minute * MINUTE_S
    return offset + (now - offset) // WEEK_S * WEEK_S
