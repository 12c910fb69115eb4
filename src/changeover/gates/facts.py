"""What is known of the stable before a rollout starts? Its own traffic of the last day, and an assumption where that is thin."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import exp, isfinite, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from changeover.evidence.cost import input_of, money_of, output_of
from changeover.evidence.histogram import LogHistogram, histogram_of
from changeover.evidence.latency import THRESHOLD_UNITS_MIN, UNANSWERED_MS
from changeover.evidence.moments import moments_of
from changeover.evidence.planner import HALF
from changeover.evidence.power import Spread
from changeover.exchange.observation import Observation
from changeover.gates.criteria import QualityCriterion
from changeover.gates.streams import Row

ROWS_MIN: Final = 200
"""Requests of the stable below which its rates and spreads say too little, and are assumed instead."""

RATE_ASSUMED: Final = 0.005
"""Errors, filter triggers and harmful answers a request."""

COST_VARIATION_ASSUMED: Final = 0.6
"""Deviation of a request's money or tokens over their mean."""

SCORE_ASSUMED: Final = Spread(mean=0.8, sd=0.2375)
"""On 0 to 1: a mean of 4.2 and a deviation of 0.95 on a scale from 1 to 5."""

LATENCY_DEVIATION_ASSUMED: Final = 0.75
"""Of the logarithm of a request's time, which is taken as normal."""

_LATENCY_POINTS: Final = 20_000
_LATENCY_MIDDLE_MS: Final = 1000.0


class Fact(NamedTuple):
    """A number and where it comes from."""

    value: float
    observed: bool


class Facts(NamedTuple):
    """The stable, as far as it is known. Rates are events a request; variations are deviations over means; ``score`` is on
    0 to 1. ``scored`` is the share of its answers that had a score, ``None`` where that was not asked.
    """

    requests: int
    errors: Fact
    filtered: Fact
    harmful: Fact
    times: LogHistogram
    times_observed: bool
    money: Fact
    input: Fact
    output: Fact
    score: Spread
    score_observed: bool
    scored: float | None = None


def facts_of(rows: Sequence[Row], *, quality: QualityCriterion | None, harmful: Sequence[Row] = ()) -> Facts:
    """From the stable's own requests, each with its score of quality, and once more with that of harm where one is named."""
    observations = [row for row, _ in rows]
    times = [UNANSWERED_MS if row.is_error else row.latency_ms for row in observations if isfinite(row.latency_ms) and row.latency_ms >= 0]
    enough = len(times) >= THRESHOLD_UNITS_MIN
    scores = [] if quality is None else _gains(rows, quality)
    asked = sum(not row.is_error for row in observations)
    return Facts(
        requests=len(observations),
        errors=_rate(row.is_error for row in observations),
        filtered=_rate(row.filtered for row in observations if row.filtered is not None),
        harmful=_rate(value > 0 for _, value in harmful if value is not None),
        times=histogram_of(times) if enough else assumed_times(),
        times_observed=enough,
        money=_variation(observations, money_of),
        input=_variation(observations, input_of),
        output=_variation(observations, output_of),
        score=_spread(scores) if len(scores) >= ROWS_MIN else SCORE_ASSUMED,
        score_observed=len(scores) >= ROWS_MIN,
        scored=sum(value is not None for _, value in rows) / asked if quality is not None and asked else None,
    )


@cache
def assumed_times() -> LogHistogram:
    """Times whose logarithms are normal, at even shares."""
    normal = NormalDist(0.0, LATENCY_DEVIATION_ASSUMED)
    shares = ((index + HALF) / _LATENCY_POINTS for index in range(_LATENCY_POINTS))
    return histogram_of(_LATENCY_MIDDLE_MS * exp(normal.inv_cdf(share)) for share in shares)


def _rate(events: Iterable[bool]) -> Fact:
    found = list(events)
    return Fact(sum(found) / len(found), observed=True) if len(found) >= ROWS_MIN else Fact(RATE_ASSUMED, observed=False)


def _variation(rows: Sequence[Observation], measured: Callable[[Observation], float | None]) -> Fact:
    known = moments_of(value for value in map(measured, rows) if value is not None)
    if known.count < ROWS_MIN or not known.mean > 0:
        return Fact(COST_VARIATION_ASSUMED, observed=False)
    return Fact(known.sd / known.mean, observed=True)


def _gains(rows: Sequence[Row], quality: QualityCriterion) -> list[float]:
    """Scores on 0 to 1 as they enter the test: an error has the lowest."""
    low, high = quality.scale_low, quality.scale_high
    found: list[float] = []
    for row, value in rows:
        if row.is_error:
            found.append(0.0)
        elif value is not None and isfinite(value) and low <= value <= high:
            found.append((value - low) / (high - low))
    return found if any(value is not None for _, value in rows) else []


def _spread(gains: Sequence[float]) -> Spread:
    known = moments_of(gains)
    return Spread(known.mean, sqrt(known.variance))
