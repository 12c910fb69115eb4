"""The ratio of two quantiles, for the screen."""

from random import Random

import pytest

from changeover.evidence.histogram import EMPTY, LogHistogram, histogram_of
from changeover.evidence.latency_ratio import TimesPair, quantile_ratio


def times(dice: Random, count: int, *, factor: float = 1.0) -> LogHistogram:
    return histogram_of(1000 * factor * dice.lognormvariate(0, 0.75) for _ in range(count))


@pytest.mark.parametrize("quantile", [0.5, 0.95, 0.99])
def test_the_interval_holds_the_true_ratio(quantile):
    dice = Random(2)
    found = quantile_ratio([TimesPair(times(dice, 4000), times(dice, 4000, factor=1.3))], quantile=quantile, alpha=0.05)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1.3 < found.high
    assert found.low < found.estimate < found.high
    assert found.estimate == pytest.approx(1.3, rel=0.15)


def test_times_under_different_weights_are_never_pooled():
    """Equal sides, and a level that triples when the weight rises: pooled, the candidate would look much slower."""
    dice = Random(3)
    early = TimesPair(times(dice, 4500), times(dice, 500))
    late = TimesPair(times(dice, 2500, factor=3.0), times(dice, 2500, factor=3.0))
    found = quantile_ratio([early, late], quantile=0.5, alpha=0.05)
    assert found is not None
    assert found.estimate == pytest.approx(1.0, abs=0.06)


def test_a_weight_with_more_requests_counts_for_more():
    same, double = histogram_of([100.0] * 300), histogram_of([200.0] * 100)
    pairs = [TimesPair(same, same), TimesPair(histogram_of([100.0] * 100), double)]
    found = quantile_ratio(pairs, quantile=0.5, alpha=0.05)
    assert found is not None
    assert found.estimate == pytest.approx(2**0.25, rel=0.01)


def test_too_little_data_has_an_estimate_and_no_interval():
    few = TimesPair(histogram_of([100.0] * 10), histogram_of([200.0] * 10))
    found = quantile_ratio([few], quantile=0.5, alpha=0.05)
    assert found is not None
    assert (found.estimate, found.low, found.high) == (pytest.approx(2.0, rel=0.02), None, None)


def test_a_high_quantile_of_few_requests_has_no_upper_end_and_so_no_interval():
    dice = Random(4)
    found = quantile_ratio([TimesPair(times(dice, 120), times(dice, 120))], quantile=0.99, alpha=0.05)
    assert found is not None
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("pairs", [[], [TimesPair(EMPTY, EMPTY)], [TimesPair(histogram_of([5.0]), EMPTY)]])
def test_one_side_alone_has_no_ratio(pairs):
    assert quantile_ratio(pairs, quantile=0.5, alpha=0.05) is None
