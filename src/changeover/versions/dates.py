"""How is a day written, and how far off is it? UTC; days left are rounded down."""

import datetime as dt
from typing import Final

DAY_S: Final = 86_400.0


def day_words(unix: float) -> str:
    """``2026-12-09``."""
    return dt.datetime.fromtimestamp(unix, tz=dt.UTC).strftime("%Y-%m-%d")


def days_left(until: float, *, now: float) -> int:
    """Whole days until then, below 0 when it is past."""
    return int((until - now) // DAY_S)


def first_moment(text: str) -> float | None:
    """Unix time of a date or a moment in ISO form, a date being its first moment; ``None`` for what is neither."""
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
