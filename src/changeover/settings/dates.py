"""Which moment does a date mean? UTC; a date without a time is its first moment."""

import datetime as dt
import re
from typing import Final

DATE_EXPECTED: Final = "a date such as 2026-12-09, or a time in UTC such as 2026-12-09T08:00Z"

_PATTERN: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?Z)?")


def day_at(text: str) -> float | None:
    """The Unix time of ``text``; ``None`` where it is no date."""
    if not _PATTERN.fullmatch(text):
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=dt.UTC).timestamp()


def date_text(at: float) -> str:
    """The shortest text that means ``at``, to the second."""
    moment = dt.datetime.fromtimestamp(at, tz=dt.UTC)
    if (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return moment.strftime("%Y-%m-%d")
    return moment.strftime("%Y-%m-%dT%H:%MZ" if not moment.second else "%Y-%m-%dT%H:%M:%SZ")
