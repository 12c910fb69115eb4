"""Costs when a user's requests hang together."""

from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.evidence.cost_ratio import one_sided_multiplier, standard_errors
from changeover.evidence.cost_users import UserTotal, joined, side_mean, user_means

STABLE = [UserTotal(10, 8), UserTotal(5, 4.5), UserTotal(20, 15)]
CANDIDATE = [UserTotal(8, 6), UserTotal(12, 8.4), UserTotal(6, 5.1)]


def test_the_reference_values_are_met_to_the_digits():
    stable, candidate = side_mean(STABLE), side_mean(CANDIDATE)
    assert candidate.mean - stable.mean == pytest.approx(-0.0357142857, abs=5e-11)
    assert stable.variance + candidate.variance == pytest.approx(0.0026471958, abs=5e-11)
    assert sqrt(stable.variance + candidate.variance) == pytest.approx(0.0514509069, abs=5e-11)


def test_thirty_users_on_each_side_are_needed():
    assert user_means(STABLE * 10, CANDIDATE * 9) is None
    assert user_means(STABLE * 9 + [UserTotal(0, 0.0)] * 5, CANDIDATE * 10) is None
    means = user_means(STABLE * 10, CANDIDATE * 10)
    assert means is not None
    assert means.units == 60


@pytest.mark.parametrize("users", [[], [UserTotal(9, 3.0)], [UserTotal(0, 0.0), UserTotal(0, 0.0)]])
def test_a_spread_of_fewer_than_two_users_is_refused(users):
    with pytest.raises(ValueError, match="expected two users"):
        side_mean(users)


def test_one_request_a_user_is_the_plain_variance_of_a_mean():
    values = [1.0, 2.0, 4.0, 9.0]
    found = side_mean([UserTotal(1, value) for value in values])
    mean = sum(values) / 4
    assert found == pytest.approx((mean, sum((value - mean) ** 2 for value in values) / 3 / 4))


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 9), st.floats(0, 100)), max_size=20), st.integers(0, 20))
def test_totals_add_over_blocks(rows, cut):
    totals = [(unit, UserTotal(requests, total)) for unit, requests, total in rows]
    whole = joined([], totals)
    parts = joined(joined([], totals[:cut]).items(), joined([], totals[cut:]).items())
    assert {unit: user.requests for unit, user in parts.items()} == {unit: user.requests for unit, user in whole.items()}
    assert all(parts[unit].total == pytest.approx(user.total) for unit, user in whole.items())


def sticky(dice: Random, *, users: int, level: float = 1.0) -> list[UserTotal]:
    """Users of uneven activity, each with a level of its own that all its requests share."""
    found: list[UserTotal] = []
    for _ in range(users):
        own, requests = level * dice.uniform(0.2, 1.8), 1 + int(40 * dice.random() ** 3)
        found.append(UserTotal(requests, sum(own * dice.uniform(0.5, 1.5) for _ in range(requests))))
    return found


def test_equal_sides_of_sticky_users_are_seldom_called_different():
    """200 equal pairs of 60 users: at most .05 and 3 standard errors beyond, where counting requests would err in a third."""
    dice, by_user, by_request = Random(21), 0, 0
    multiplier = one_sided_multiplier(120, alpha=0.05, tightest_at=120)
    for _ in range(200):
        means = user_means(sides := sticky(dice, users=60), others := sticky(dice, users=60))
        assert means is not None
        errors = standard_errors(means, ratio=1.0)
        assert errors is not None
        by_user += errors > multiplier
        by_request += naive(sides, others) > multiplier
    assert by_user <= 200 * 0.05 + 3 * sqrt(200 * 0.05 * 0.95)
    assert by_request > by_user


def naive(stable: list[UserTotal], candidate: list[UserTotal]) -> float:
    """As if every request were a draw of its own, its value the user's mean."""
    means, variance = [], 0.0
    for side in (stable, candidate):
        requests = sum(user.requests for user in side)
        mean = sum(user.total for user in side) / requests
        spread = sum(user.requests * (user.total / user.requests - mean) ** 2 for user in side) / (requests - 1)
        means.append(mean)
        variance += spread / requests
    return (means[1] - means[0]) / sqrt(variance)
