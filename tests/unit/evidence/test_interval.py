"""The interval for a difference of means."""

from random import Random

import pytest

from changeover.evidence.interval import Difference, Stratum, mean_difference, multiplier
from changeover.evidence.moments import Moments, moments_of


def moments(count: int, mean: float, sd: float) -> Moments:
    return Moments(count=count, mean=mean, m2=sd * sd * (count - 1))


def test_the_multiplier_matches_the_reference_at_its_tightest():
    assert multiplier(10_000, alpha=0.05) == pytest.approx(3.035208990, abs=5e-10)


def test_the_multiplier_matches_another_implementation_of_the_two_sided_form():
    effect, standard_error = 0.5033610859, 0.3334122146
    reach = multiplier(3000 + 3461, alpha=0.05, tightest_at=1000) * standard_error
    assert (effect - reach, effect + reach) == pytest.approx((-0.5584405, 1.5651627), abs=2e-7)


def test_strata_are_weighted_by_their_size_and_never_pooled():
    """The level rose between two weights while the sides stayed equal: pooled means would show a gain of 0.24."""
    first = Stratum(moments(900, 0.2, 0.1), moments(100, 0.2, 0.1))
    second = Stratum(moments(100, 0.5, 0.1), moments(900, 0.5, 0.1))
    difference = mean_difference([first, second], alpha=0.05)
    assert difference is not None
    assert difference.estimate == pytest.approx(0.0)
    assert difference.half_width == pytest.approx(multiplier(2000, alpha=0.05) * (2 * 0.25 * (0.01 / 100 + 0.01 / 900)) ** 0.5)


def test_too_little_data_gives_an_estimate_without_an_interval():
    assert mean_difference([], alpha=0.05) is None
    assert mean_difference([Stratum(moments(80, 0.4, 0.1), Moments())], alpha=0.05) is None
    few = Stratum(moments(99, 0.4, 0.1), moments(400, 0.3, 0.1))
    difference = mean_difference([few], alpha=0.05)
    assert difference is not None
    assert difference.half_width is None
    assert difference.estimate == pytest.approx(-0.1)


def test_values_that_never_vary_claim_no_certainty():
    same = Stratum(moments(200, 0.4, 0.0), moments(200, 0.4, 0.0))
    assert mean_difference([same], alpha=0.05) == Difference(0.0, None)


def test_merged_moments_are_those_of_one_stream():
    dice = Random(5)
    values = [1e6 + dice.random() for _ in range(500)]
    merged = moments_of(values[:77]).merged(moments_of(values[77:])).merged(Moments())
    whole = moments_of(values)
    assert merged.count == whole.count
    assert merged.mean == pytest.approx(whole.mean, rel=1e-12)
    assert merged.variance == pytest.approx(whole.variance, rel=1e-6)
    assert Moments().variance == 0
