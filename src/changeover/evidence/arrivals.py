"""How fast do new units come? A unit counts once per rollout, so a task whose users return has many on the first day only."""

from collections.abc import Sequence
from math import inf
from typing import Final

import msgspec

DAY_S: Final = 86_400.0
UNITS_MIN: Final = 20
"""Fewer units than this, or a shorter time than `SPAN_MIN_S`, say nothing about a day."""

SPAN_MIN_S: Final = 1.0


class DayCount(msgspec.Struct, frozen=True, kw_only=True):
    """Of one UTC day, ``day`` days after 1970: units that were seen for the first time in the window that was read."""

    day: int
    units: int


class Arrivals(msgspec.Struct, frozen=True, kw_only=True):
    """New units a day: ``first_day`` in a rollout's first, when everybody is new, and ``later`` in each that follows.

    ``basis`` says where the numbers come from.
    """

    first_day: float
    later: float
    basis: str

    def by(self, days: float) -> float:
        """Units enrolled in the first ``days`` days."""
        return self.first_day * min(days, 1.0) + self.later * max(days - 1.0, 0.0)

    def days(self, units: float) -> float:
        """Days until so many units are enrolled; infinite where they never come."""
        if units <= 0:
            return 0.0
        if units <= self.first_day:
            return units / self.first_day
        return 1.0 + (units - self.first_day) / self.later if self.later > 0 else inf


def declared_arrivals(units_per_day: float) -> Arrivals:
    """As somebody said."""
    return Arrivals(first_day=units_per_day, later=units_per_day, basis=f"{units_per_day:,.0f} new units a day, as given")


def arrivals_of(counts: Sequence[DayCount], *, since: float, until: float) -> Arrivals | None:
    """From the units first seen in each UTC day of a window of traffic, ``since`` its first request and ``until`` now (Unix
    seconds); ``None`` where that is too little.

    The window begins like a rollout: its first day holds everybody, the later ones only those who are new. Less than a day
    is taken as its even share of one.
    """
    units = sum(count.units for count in counts)
    span_s = until - since
    if units < UNITS_MIN or span_s < SPAN_MIN_S:
        return None
    if span_s <= DAY_S:
        a_day = units * DAY_S / span_s
        return Arrivals(first_day=a_day, later=a_day, basis=f"{a_day:,.0f} new units a day, from {units:,} in {_span(span_s)}")
    first, later = _first_and_later(counts, since=since, until=until)
    return Arrivals(
        first_day=first,
        later=later,
        basis=f"{later:,.0f} new units a day after {first:,.0f} on the first, from {units:,} in {_span(span_s)}",
    )


def _first_and_later(counts: Sequence[DayCount], *, since: float, until: float) -> tuple[float, float]:
    """The day that the window begins in is a part of one: what it lacks of a whole one is taken from the next."""
    opening = int(since // DAY_S)
    part = (opening + 1) - since / DAY_S
    by_day = {count.day: count.units for count in counts}
    following = by_day.get(opening + 1, 0)
    length = min(1.0, until / DAY_S - (opening + 1))
    first = by_day.get(opening, 0) + following * min(1.0, (1 - part) / length)
    rest = sum(by_day.values()) - first
    days = (until - since) / DAY_S - 1.0
    return first, max(0.0, rest / days)


def _span(span_s: float) -> str:
    for size, unit in ((DAY_S, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if span_s >= 2 * size:
            return f"{span_s / size:.0f} {unit}"
    return f"{span_s:.0f} seconds"
