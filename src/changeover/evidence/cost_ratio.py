"""Is a mean of the candidate below or above R times the stable's, looked at as often as one likes? Asymptotic, by strata.

Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences" (2021), the one-sided normal mixture; the interval of a ratio is Fieller's (1954).
"""

from collections.abc import Callable, Sequence
from math import erfc, expm1, inf, log, sqrt
from operator import attrgetter
from typing import Final, NamedTuple

from changeover.evidence.interval import SIDE_MIN, STRATUM_MIN, TIGHTEST_AT, Stratum
from changeover.evidence.moments import Moments

ERRORS_MAX: Final = 1e6
"""Standard errors above this are as good as this, and their square still is a number."""

_EXPONENT_MAX: Final = 700.0
"""Above this exp would overflow, and the logarithm of expm1 is its argument."""


class Means(NamedTuple):
    """Both sides' means, strata weighted by their size, with the variances of these means. ``units`` counts both sides:
    requests, or users where their requests hang together. ``covariance`` is that of the two means: users who were moved
    from one side to the other are in both.
    """

    units: int
    stable: float
    candidate: float
    stable_variance: float
    candidate_variance: float
    covariance: float = 0.0


def weighted_means(strata: Sequence[Stratum]) -> Means | None:
    """``None`` while too little is there: a stratum takes part with 50 values a side, and 100 a side are needed in all.
    Sides of different weights are never pooled.

    When nothing varies on either side, each side is taken to vary as if one value more, twice the mean or 0, had been
    there: equal values so far do not prove that all will be.
    """
    large = [here for here in strata if min(here.stable.count, here.candidate.count) >= STRATUM_MIN]
    if min(sum([here.stable.count for here in large]), sum([here.candidate.count for here in large])) < SIDE_MIN:
        return None
    found = _means(large, attrgetter("variance"))
    if found.stable_variance > 0 or found.candidate_variance > 0:
        return found
    return _means(large, lambda side: side.mean * side.mean / side.count)


def _means(strata: Sequence[Stratum], variance: Callable[[Moments], float]) -> Means:
    units = sum([here.units for here in strata])
    stable, candidate, stable_variance, candidate_variance = 0.0, 0.0, 0.0, 0.0
    for here in strata:
        share = here.units / units
        stable += share * here.stable.mean
        candidate += share * here.candidate.mean
        stable_variance += share * share * variance(here.stable) / here.stable.count
        candidate_variance += share * share * variance(here.candidate) / here.candidate.count
    return Means(units, stable, candidate, stable_variance, candidate_variance)


def standard_errors(means: Means, *, ratio: float) -> float | None:
    """By how many standard errors the candidate's mean lies above ``ratio`` times the stable's; ``None`` when every
    value is 0.
    """
    variance = means.candidate_variance + ratio * ratio * means.stable_variance - 2 * ratio * means.covariance
    return (means.candidate - ratio * means.stable) / sqrt(variance) if variance > 0 else None


def one_sided_multiplier(units: int, *, alpha: float, tightest_at: int = TIGHTEST_AT) -> float:
    """How many standard errors prove something at level ``alpha``, after ``units`` of both sides (N/N* in the source)."""
    x = _mixed(units, alpha=alpha, tightest_at=tightest_at)
    return sqrt(2 * (x + 1) / x * log(1 + sqrt(x + 1) / (2 * alpha)))


def log_e(errors: float, *, units: int, alpha: float, tightest_at: int = TIGHTEST_AT) -> float:
    """The same boundary said as evidence: log(1/alpha) or more exactly when ``errors`` reach the multiplier of ``alpha``.
    0 while nothing speaks for it.
    """
    if errors <= 0:
        return 0.0
    x = _mixed(units, alpha=alpha, tightest_at=tightest_at)
    exponent = min(errors, ERRORS_MAX) ** 2 * x / (2 * (x + 1))
    grown = exponent if exponent > _EXPONENT_MAX else log(expm1(exponent)) if exponent > 0 else 0.0
    return max(0.0, log(2) + grown - log(x + 1) / 2)


def _mixed(units: int, *, alpha: float, tightest_at: int) -> float:
    k = -2 * log(2 * alpha) + log(1 - 2 * log(2 * alpha))
    return units * k / tightest_at


def ratio_of(means: Means) -> float | None:
    """The candidate's mean over the stable's; ``None`` over nothing."""
    ratio = means.candidate / means.stable if means.stable > 0 else inf
    return ratio if ratio < inf else None


def ratio_interval(means: Means, *, multiplier: float) -> tuple[float, float] | None:
    """All ratios within ``multiplier`` standard errors; ``None`` while they have no end."""
    a, b, reach = means.candidate, means.stable, multiplier * multiplier
    square = b * b - reach * means.stable_variance
    rest = a * a - reach * means.candidate_variance
    middle = a * b - reach * means.covariance
    if not square > 0:
        return None
    root = sqrt(max(0.0, middle * middle - square * rest))
    low, high = max(0.0, (middle - root) / square), (middle + root) / square
    return (low, high) if high < inf else None


def ratio_power(means: Means, *, assumed: float, ratio: float, multiplier: float) -> float:
    """The chance that a mean ``assumed`` times the stable's would be proven above ``ratio`` times it by a look now, the
    candidate's values being the stable's times ``assumed``. Earlier looks would only add to it.
    """
    if not means.stable > 0:
        return 0.0
    scaled = _scaled(means, assumed)
    errors = standard_errors(scaled, ratio=ratio)
    return 0.0 if errors is None else erfc((multiplier - errors) / sqrt(2)) / 2


def _scaled(means: Means, factor: float) -> Means:
    """The candidate as if its values were its own times what makes their mean ``factor`` times the stable's."""
    if not means.candidate > 0:
        return means._replace(candidate=factor * means.stable, candidate_variance=factor * factor * means.stable_variance)
    stretch = factor * means.stable / means.candidate
    return means._replace(
        candidate=factor * means.stable,
        candidate_variance=stretch * stretch * means.candidate_variance,
        covariance=stretch * means.covariance,
    )
