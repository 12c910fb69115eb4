"""Count, mean and spread."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.evidence.moments import Moments, moments_of

VALUES = st.lists(st.floats(-1e12, 1e12), max_size=30)


@given(st.floats(1e-12, 1e12), st.integers(1, 200))
def test_equal_values_do_not_vary_at_all(value, count):
    assert moments_of([value] * count) == Moments(count=count, mean=value)


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_values_plays_no_part(values, dice):
    shuffled = list(values)
    dice.shuffle(shuffled)
    assert moments_of(shuffled) == moments_of(values)


def test_a_small_spread_around_a_large_mean_is_not_lost():
    dice = Random(5)
    values = [1e9 + dice.gauss(0, 1e-3) for _ in range(5000)]
    assert moments_of(values).sd == pytest.approx(1e-3, rel=0.05)


def test_nothing_has_no_spread():
    assert moments_of([]) == Moments()
    assert moments_of([3]).variance == 0
