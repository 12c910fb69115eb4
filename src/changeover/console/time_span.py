"""Which stretch of time does an option mean? ``7d`` back from now, or ``FROM..TO`` as dates of UTC."""

import datetime as dt
from typing import Final, NamedTuple

import click

from changeover.settings.durations import seconds

EXPECTED: Final = "how far back, such as 7d, or FROM..TO as dates of UTC, such as 2026-03-01..2026-03-08 (either end may be left out)"
_BETWEEN: Final = ".."


class TimeSpan(NamedTuple):
    """``last`` seconds back from now; or from ``since`` to ``until`` in Unix seconds, either of which may be open."""

    last: float | None = None
    since: float | None = None
    until: float | None = None

    @property
    def asked(self) -> dict[str, str]:
        """As query parameters."""
        return {name: f"{value:.3f}" for name, value in zip(self._fields, self, strict=True) if value is not None}


def time_span(ctx: click.Context, param: click.Parameter, value: str | None) -> TimeSpan | None:
    """The callback of an option whose value is one."""
    if value is None:
        return None
    try:
        return _span(value)
    except ValueError as error:
        raise click.BadParameter(f"found {value!r}, expected {EXPECTED}", ctx, param) from error


def _span(text: str) -> TimeSpan:
    if _BETWEEN not in text:
        return TimeSpan(last=seconds(text))
    since, _, until = text.partition(_BETWEEN)
    if not since and not until:
        raise ValueError(text)
    return TimeSpan(since=_moment(since), until=_moment(until))


def _moment(text: str) -> float | None:
    """A date means its first moment; without a zone it is UTC."""
    if not text:
        return None
    found = dt.datetime.fromisoformat(text)
    return (found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)).timestamp()
