"""How large is the difference of means, looked at as often as one likes? An interval for the screen, by strata.

Asymptotic, not exact: verdicts do not rest on it. Source: Waudby-Smith and others, "Time-uniform central limit theory
and asymptotic confidence sequences" (2021), the two-sided normal-mixture form.
"""

from collections.abc import Sequence
from math import log, sqrt
from typing import Final, NamedTuple

from changeover.evidence.moments import Moments

STRATUM_MIN: Final = 50
"""Units that each side of a stratum needs before the interval uses it."""

SIDE_MIN: Final = 100
"""Units that each side needs in all before there is an interval."""

TIGHTEST_AT: Final = 10_000
"""The number of units, both sides together, at which the interval is as tight as it can be (N*)."""


class Stratum(NamedTuple):
    """Both sides' values while the probability of a draw was constant."""

    stable: Moments
    candidate: Moments

    @property
    def units(self) -> int:
        return self.stable.count + self.candidate.count


class Difference(NamedTuple):
    """Candidate's mean less the stable's, strata weighted by their size. ``half_width`` is ``None`` on too little data,
    or when nothing varies.
    """

    estimate: float
    half_width: float | None


def mean_difference(strata: Sequence[Stratum], *, alpha: float) -> Difference | None:
    """``None`` while no stratum has both sides. Means of different weights are never pooled."""
    large = [stratum for stratum in strata if min(stratum.stable.count, stratum.candidate.count) >= STRATUM_MIN]
    if _is_enough(large):
        variance = _weighted_variance(large)
        width = multiplier(sum(stratum.units for stratum in large), alpha=alpha) * sqrt(variance) if variance > 0 else None
        return Difference(_weighted_mean(large), width)
    paired = [stratum for stratum in strata if stratum.stable.count and stratum.candidate.count]
    return Difference(_weighted_mean(paired), None) if paired else None


def multiplier(count: int, *, alpha: float, tightest_at: int = TIGHTEST_AT) -> float:
    """By how many standard errors the interval reaches out on either side after ``count`` units of both sides."""
    k = -2 * log(alpha) + log(1 - 2 * log(alpha))
    x = count * k / tightest_at
    return sqrt(2 * (x + 1) / x * log(sqrt(x + 1) / alpha))


def _is_enough(strata: Sequence[Stratum]) -> bool:
    stable = sum(stratum.stable.count for stratum in strata)
    candidate = sum(stratum.candidate.count for stratum in strata)
    return min(stable, candidate) >= SIDE_MIN


def _weighted_mean(strata: Sequence[Stratum]) -> float:
    total = sum(stratum.units for stratum in strata)
    return sum(stratum.units / total * (stratum.candidate.mean - stratum.stable.mean) for stratum in strata)


def _weighted_variance(strata: Sequence[Stratum]) -> float:
    total = sum(stratum.units for stratum in strata)
    return sum(
        (stratum.units / total) ** 2
        * (stratum.candidate.variance / stratum.candidate.count + stratum.stable.variance / stratum.stable.count)
        for stratum in strata
    )
