"""Intervals of means against GrowthBook's statistics engine: where both compute the same quantity, they agree."""

from math import sqrt
from random import Random
from typing import Any

import pytest

from changeover.evidence.cost_ratio import Means, ratio_of, standard_errors, weighted_means
from changeover.evidence.interval import Stratum, mean_difference, multiplier
from changeover.evidence.moments import Moments, moments_of
from tests.oracle.importing import oracle

frequentist = oracle("gbstats", module="gbstats.frequentist.tests")
statistics = oracle("gbstats", module="gbstats.models.statistics")

TOLERANCE = 1e-6
ALPHAS = (0.05, 0.01, 0.005)
TIGHTEST_AT = (1000, 5000, 10_000)


def statistic(values: list[float]) -> object:
    return statistics.SampleMeanStatistic(n=len(values), sum=sum(values), sum_squares=sum(value * value for value in values))


def drawn(seed: int) -> tuple[list[float], list[float]]:
    """Costs of both sides: log-normal, of other sizes and spreads by seed."""
    dice = Random(seed)
    stable = [dice.lognormvariate(0, 0.4 + 0.1 * (seed % 5)) for _ in range(200 + 137 * seed)]
    candidate = [dice.lognormvariate(0.05 * (seed % 3), 0.7) for _ in range(150 + 91 * seed)]
    return stable, candidate


def sequential(stable: list[float], candidate: list[float], *, alpha: float, tightest_at: int, kind: str) -> Any:
    config = frequentist.SequentialConfig(alpha=alpha, difference_type=kind, sequential_tuning_parameter=tightest_at)
    return frequentist.SequentialTwoSidedTTest(statistic(stable), statistic(candidate), config)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("seed", range(6))
def test_the_interval_of_a_difference_is_the_same(seed, alpha):
    stable, candidate = drawn(seed)
    other = sequential(stable, candidate, alpha=alpha, tightest_at=10_000, kind="absolute")
    ours = mean_difference([Stratum(moments_of(stable), moments_of(candidate))], alpha=alpha)
    assert ours is not None
    assert ours.half_width is not None
    low, high = other.confidence_interval
    assert ours.estimate - ours.half_width == pytest.approx(low, abs=TOLERANCE)
    assert ours.estimate + ours.half_width == pytest.approx(high, abs=TOLERANCE)


@pytest.mark.parametrize("tightest_at", TIGHTEST_AT)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_multiplier_is_the_same_wherever_it_is_tightest(alpha, tightest_at):
    for seed in range(6):
        stable, candidate = drawn(seed)
        other = sequential(stable, candidate, alpha=alpha, tightest_at=tightest_at, kind="absolute")
        low, high = other.confidence_interval
        ours = multiplier(len(stable) + len(candidate), alpha=alpha, tightest_at=tightest_at)
        assert ours == pytest.approx((high - low) / 2 / sqrt(other.variance), rel=TOLERANCE)


@pytest.mark.parametrize("seed", range(6))
def test_the_ratio_of_means_and_its_standard_error_are_the_same(seed):
    stable, candidate = drawn(seed)
    other = sequential(stable, candidate, alpha=0.05, tightest_at=5000, kind="relative")
    ours = weighted_means([Stratum(moments_of(stable), moments_of(candidate))])
    assert ours is not None
    ratio = ratio_of(ours)
    assert ratio is not None
    assert ratio - 1 == pytest.approx(other.point_estimate, abs=TOLERANCE)
    assert standard_error(ours, ratio) == pytest.approx(sqrt(other.variance), abs=TOLERANCE)


def standard_error(means: Means, ratio: float) -> float:
    """Of the ratio, read from how many standard errors the means lie above ``ratio`` less a thousandth of it."""
    errors = standard_errors(means._replace(candidate=means.candidate + means.stable / 1000), ratio=ratio)
    assert errors is not None
    return 1 / 1000 / errors


def test_the_published_example_is_met_by_both():
    """Of gbstats' own tests: sums 1396.87 and 2422.7 of 3000 and 3461 values."""
    sums = ((3000, 1396.87, 52377.9767), (3461, 2422.7, 134698.29))
    sides = [statistics.SampleMeanStatistic(n=n, sum=total, sum_squares=squares) for n, total, squares in sums]
    config = frequentist.SequentialConfig(difference_type="relative", sequential_tuning_parameter=1000)
    other = frequentist.SequentialTwoSidedTTest(*sides, config)
    stable, candidate = [Moments(count=n, mean=total / n, m2=squares - total * total / n) for n, total, squares in sums]
    ours = weighted_means([Stratum(stable, candidate)])
    assert ours is not None
    ratio = ratio_of(ours)
    assert ratio is not None
    width = multiplier(ours.units, alpha=0.05, tightest_at=1000) * standard_error(ours, ratio)
    assert [ratio - 1 - width, ratio - 1 + width] == pytest.approx(other.confidence_interval, abs=TOLERANCE)
    assert [ratio - 1 - width, ratio - 1 + width] == pytest.approx([-0.5584405, 1.5651627], abs=1e-7)
