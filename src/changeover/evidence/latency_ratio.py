"""By how much is a quantile of the candidate larger than the stable's? A ratio with its interval, for the screen.

Asymptotic, not exact: verdicts do not rest on it. Each end of the ratio's interval is as far away as both sides' own
ends together (the method of variance estimates recovery; Zou and Donner 2008, on logarithms).
"""

from collections.abc import Sequence
from math import exp, hypot, log
from typing import NamedTuple

from changeover.evidence.histogram import LogHistogram
from changeover.evidence.interval import STRATUM_MIN, multiplier


class TimesPair(NamedTuple):
    """Both sides' times while the probability of a draw was constant."""

    stable: LogHistogram
    candidate: LogHistogram

    @property
    def units(self) -> int:
        return self.stable.count + self.candidate.count

    @property
    def fewest(self) -> int:
        return min(self.stable.count, self.candidate.count)


class QuantileRatio(NamedTuple):
    """The candidate's quantile over the stable's. ``low`` and ``high`` are ``None`` on too little data."""

    estimate: float
    low: float | None = None
    high: float | None = None


class _Part(NamedTuple):
    """One pair's log-ratio, and how far its ends lie below and above."""

    weight: float
    estimate: float
    below: float | None
    above: float | None


def quantile_ratio(pairs: Sequence[TimesPair], *, quantile: float, alpha: float) -> QuantileRatio | None:
    """Pairs weighted by their size; times under different probabilities are never pooled. ``None`` while no pair has
    both sides.
    """
    large = [pair for pair in pairs if pair.fewest >= STRATUM_MIN]
    used = large or [pair for pair in pairs if pair.fewest]
    if not used:
        return None
    units = sum(pair.units for pair in used)
    reach = multiplier(units, alpha=alpha)
    parts = [_part(pair, quantile=quantile, reach=reach, weight=pair.units / units) for pair in used]
    middle = sum(part.weight * part.estimate for part in parts)
    below = _width([(part.weight, part.below) for part in parts])
    above = _width([(part.weight, part.above) for part in parts])
    if not large or below is None or above is None:
        return QuantileRatio(exp(middle))
    return QuantileRatio(exp(middle), exp(middle - below), exp(middle + above))


def _part(pair: TimesPair, *, quantile: float, reach: float, weight: float) -> _Part:
    stable, candidate = pair.stable.quantile(quantile), pair.candidate.quantile(quantile)
    assert stable is not None
    assert candidate is not None
    stable_low, stable_high = pair.stable.quantile_interval(quantile, multiplier=reach)
    candidate_low, candidate_high = pair.candidate.quantile_interval(quantile, multiplier=reach)
    return _Part(
        weight=weight,
        estimate=log(candidate / stable),
        below=_joined(candidate_low, candidate, stable, stable_high),
        above=_joined(candidate, candidate_high, stable_low, stable),
    )


def _joined(low: float | None, high: float | None, other_low: float | None, other_high: float | None) -> float | None:
    """Two log-distances at right angles."""
    if low is None or high is None or other_low is None or other_high is None:
        return None
    return hypot(log(high / low), log(other_high / other_low))


def _width(parts: Sequence[tuple[float, float | None]]) -> float | None:
    total = 0.0
    for weight, width in parts:
        if width is None:
            return None
        total = hypot(total, weight * width)
    return total
