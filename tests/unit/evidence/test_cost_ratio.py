"""The ratio of two means, looked at at any time."""

from math import exp, log, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.evidence.cost_ratio import (
    Means,
    log_e,
    one_sided_multiplier,
    ratio_interval,
    ratio_power,
    standard_errors,
    weighted_means,
)
from changeover.evidence.interval import Stratum
from changeover.evidence.moments import Moments, moments_of


def moments(count: int, mean: float, sd: float) -> Moments:
    return Moments(count=count, mean=mean, m2=sd * sd * (count - 1))


GOLDEN = [
    Stratum(moments(3600, 1000, 700), moments(400, 1040, 720)),
    Stratum(moments(2000, 1200, 800), moments(2000, 1230, 830)),
]


def golden() -> Means:
    means = weighted_means(GOLDEN)
    assert means is not None
    return means


def test_the_reference_values_are_met_to_the_digits():
    means = golden()
    assert (means.units, means.stable, means.candidate) == (8000, pytest.approx(1100), pytest.approx(1135))
    error = sqrt(means.candidate_variance + 1.1**2 * means.stable_variance)
    assert (means.candidate - 1.1 * means.stable, error) == (pytest.approx(-75), pytest.approx(23.4112389914, abs=5e-11))
    multiplier = one_sided_multiplier(8000, alpha=0.05)
    assert multiplier == pytest.approx(2.7871567122, abs=5e-11)
    assert standard_errors(means, ratio=1.1) == pytest.approx(-3.2035895250, abs=5e-11)
    assert ratio_interval(means, multiplier=multiplier) == pytest.approx((0.9741326908, 1.0910154901), abs=5e-11)


def test_the_reference_finds_no_harm_at_its_level():
    assert standard_errors(golden(), ratio=1.0) == pytest.approx(1.5287774816, abs=5e-11)
    assert one_sided_multiplier(8000, alpha=0.005) == pytest.approx(3.5766560558, abs=5e-11)


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (0.05, (3.679070, 3.043193, 2.839679, 2.779094, 2.801331, 2.895224, 2.988692)),
        (0.025, (3.876484, 3.277414, 3.092563, 3.041357, 3.065675, 3.155568, 3.243460)),
        (0.01, (4.133933, 3.568880, 3.399756, 3.355199, 3.379528, 3.463641, 3.545096)),
        (0.005, (4.318951, 3.774313, 3.613869, 3.572488, 3.596196, 3.676305, 3.753638)),
    ],
)
def test_the_multiplier_matches_its_table(alpha, expected):
    shares = (0.1, 0.25, 0.5, 1, 2, 5, 10)
    found = [one_sided_multiplier(round(share * 10_000), alpha=alpha) for share in shares]
    assert found == pytest.approx(expected, abs=5e-7)


@given(st.floats(0.01, 40), st.integers(200, 10**7), st.sampled_from([0.05, 0.005 / 3]), st.sampled_from([1000, 10_000]))
def test_evidence_reaches_its_threshold_exactly_where_the_multiplier_is_reached(errors, units, alpha, tightest_at):
    multiplier = one_sided_multiplier(units, alpha=alpha, tightest_at=tightest_at)
    evidence = log_e(errors, units=units, alpha=alpha, tightest_at=tightest_at)
    assert log_e(multiplier, units=units, alpha=alpha, tightest_at=tightest_at) == pytest.approx(log(1 / alpha), rel=1e-9)
    if errors < multiplier * (1 - 1e-9):
        assert evidence < log(1 / alpha)
    if errors > multiplier * (1 + 1e-9):
        assert evidence > log(1 / alpha)


@pytest.mark.parametrize("errors", [-3.0, 0.0, 1e-200, 1e-9, 5.0, 1e3, 1e150])
def test_evidence_is_always_a_number_and_never_below_0(errors):
    assert 0.0 <= log_e(errors, units=200, alpha=0.05) < float("inf")


def test_strata_are_weighted_by_their_size_and_never_pooled():
    """The level rose between two weights while the sides stayed equal: pooled, the candidate would cost 1.9 times as much."""
    means = weighted_means([
        Stratum(moments(900, 2.0, 1.0), moments(100, 2.0, 1.0)),
        Stratum(moments(100, 5.0, 1.0), moments(900, 5.0, 1.0)),
    ])  # fmt: skip
    assert means is not None
    assert standard_errors(means, ratio=1.0) == pytest.approx(0.0, abs=1e-12)


def test_small_strata_do_not_take_part():
    small = Stratum(moments(1000, 9.0, 1.0), moments(49, 1.0, 1.0))
    assert weighted_means([*GOLDEN, small]) == golden()
    assert weighted_means([Stratum(moments(99, 1.0, 1.0), moments(1000, 1.0, 1.0))]) is None
    assert weighted_means([small]) is None
    assert weighted_means([]) is None


def test_equal_values_prove_something_but_not_everything_at_once():
    """A task whose answers are all one token long is decidable, yet not by its first hundred."""
    few = weighted_means([Stratum(moments(100, 1.0, 0.0), moments(100, 1.0, 0.0))])
    many = weighted_means([Stratum(moments(1000, 1.0, 0.0), moments(1000, 1.0, 0.0))])
    assert few is not None
    assert many is not None
    assert not proven_below(few, ratio=1.05)
    assert proven_below(many, ratio=1.05)
    assert not proven_below(many, ratio=1.0)


def test_values_that_are_all_0_prove_nothing():
    nothing = weighted_means([Stratum(moments(1000, 0.0, 0.0), moments(1000, 0.0, 0.0))])
    assert nothing is not None
    assert standard_errors(nothing, ratio=1.1) is None
    assert ratio_interval(nothing, multiplier=2.8) is None
    assert ratio_power(nothing, assumed=1.3, ratio=1.1, multiplier=2.8) == 0.0


def test_a_ratio_over_a_mean_that_may_be_0_has_no_interval():
    vague = weighted_means([Stratum(moments(100, 1.0, 10.0), moments(100, 1.0, 1.0))])
    assert vague is not None
    assert ratio_interval(vague, multiplier=2.8) is None


def proven_below(means: Means, *, ratio: float) -> bool:
    errors = standard_errors(means, ratio=ratio)
    return errors is not None and errors < -one_sided_multiplier(means.units, alpha=0.05)


positive = st.floats(0.1, 1e4)
counts = st.integers(60, 5000)


@given(counts, positive, positive, counts, positive, positive, st.floats(0.2, 5))
def test_the_interval_holds_exactly_the_ratios_that_are_not_rejected(n, mean, sd, other_n, other_mean, other_sd, ratio):
    means = weighted_means([Stratum(moments(n + 40, mean, sd), moments(other_n + 40, other_mean, other_sd))])
    assert means is not None
    multiplier = one_sided_multiplier(means.units, alpha=0.05)
    ends = ratio_interval(means, multiplier=multiplier)
    errors = standard_errors(means, ratio=ratio)
    assert errors is not None
    if ends is None or min(abs(ratio / max(end, 1e-9) - 1) for end in ends) < 1e-6:
        return
    low, high = ends
    assert (low < ratio < high) == (abs(errors) < multiplier)
    if low > 0:
        assert low <= means.candidate / means.stable <= high


def test_the_power_is_the_share_of_looks_that_would_prove_it():
    """Costs with a spread of .6 of their mean, 1.4 times as high on the candidate's side, 400 a side."""
    dice, found, runs = Random(11), 0, 400
    multiplier = one_sided_multiplier(800, alpha=0.005 / 3)
    equal = weighted_means([Stratum(moments(400, 1.0, 0.6), moments(400, 1.0, 0.6))])
    assert equal is not None
    foretold = ratio_power(equal, assumed=1.4, ratio=1.1, multiplier=multiplier)
    for _ in range(runs):
        means = weighted_means([Stratum(sample(dice, 400, 1.0), sample(dice, 400, 1.4))])
        assert means is not None
        errors = standard_errors(means, ratio=1.1)
        found += errors is not None and errors > multiplier
    assert 0.3 < foretold < 0.95
    assert found / runs == pytest.approx(foretold, abs=0.08)


def sample(dice: Random, count: int, mean: float, sd: float = 0.6) -> Moments:
    """Lognormal values with this mean, and ``sd`` as a share of it."""
    spread = sqrt(log(1 + sd * sd))
    return moments_of([mean * exp(spread * dice.gauss(0, 1) - spread * spread / 2) for _ in range(count)])


def test_published_one_sided_bounds_are_met():
    """Of GrowthBook's own tests: 3000 and 3461 values, N* 5000; the lower bound of the difference, and the upper one."""
    effect, error, units = 0.2343766667, 0.1298308125, 3000 + 3461
    reach = one_sided_multiplier(units, alpha=0.05, tightest_at=5000) * error
    assert (effect - reach, effect + reach) == (pytest.approx(-0.126568442, abs=1e-8), pytest.approx(0.595321775, abs=1e-8))
    relative, relative_error = 0.5033610859, 0.3334122146
    reach = one_sided_multiplier(units, alpha=0.05, tightest_at=5000) * relative_error
    assert (relative - reach, relative + reach) == (pytest.approx(-0.423564546, abs=1e-8), pytest.approx(1.430286718, abs=1e-8))
