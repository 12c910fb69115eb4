"""The event test against its reference values."""

from math import exp, log

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.evidence.events import EventCount, log_e_above, log_e_below, ratio_estimate, ratio_interval

ONE = EventCount(0.5, 10, 25)
TEN = EventCount(0.1, 90, 20)


@pytest.mark.parametrize(
    ("counts", "harm", "passing", "failing", "passing_tight"),
    [
        ([ONE], 2.7691217748, -1.9122197475, 0.4719116243, -2.1044114602),
        ([EventCount(0.5, 20, 40)], 2.6270585202, -2.0065968947, -0.3128753941, -2.2741646937),
        ([TEN], 2.5083102979, -2.0102651469, -0.3510651274, -2.2331242049),
        ([EventCount(0.5, 30, 30)], -1.4212919122, 0.3557112249, -2.2074385727, -0.6252307900),
        ([TEN, ONE], 5.4981668256, -2.4383892789, 0.3997662677, None),
    ],
)
def test_log_e_matches_the_reference(counts, harm, passing, failing, passing_tight):
    assert log_e_above(counts, ratio=1.0) == pytest.approx(harm, abs=5e-11)
    assert log_e_below(counts, ratio=1.5) == pytest.approx(passing, abs=5e-11)
    assert log_e_above(counts, ratio=1.5) == pytest.approx(failing, abs=5e-11)
    if passing_tight is not None:
        assert log_e_below(counts, ratio=1.25) == pytest.approx(passing_tight, abs=5e-11)


def test_paired_discordance_is_the_same_test_at_even_odds():
    assert log_e_above([EventCount(0.5, 8, 22)], ratio=1.0) == pytest.approx(2.8589290809, abs=5e-11)


def test_no_event_is_evidence_of_nothing():
    assert log_e_above([], ratio=1.0) == 0
    assert log_e_below([EventCount(0.5, 0, 0)], ratio=1.5) == 0
    assert ratio_estimate([]) is None
    assert ratio_interval([EventCount(0.1, 0, 0)], alpha=0.05) is None


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_events_without_a_rival_change_nothing(p):
    assert log_e_above([ONE, EventCount(p, 3, 40)], ratio=1.0) == log_e_above([ONE], ratio=1.0)
    assert ratio_interval([ONE, EventCount(p, 3, 40)], alpha=0.05) == ratio_interval([ONE], alpha=0.05)


def test_the_estimate_weighs_events_by_their_probability():
    assert ratio_estimate([ONE]) == pytest.approx(2.5)
    assert ratio_estimate([TEN]) == pytest.approx(2.0)
    assert 2.0 < (ratio_estimate([ONE, TEN]) or 0) < 2.5


def test_the_interval_holds_what_neither_direction_rejects_and_nothing_else():
    counts, threshold = [TEN, ONE], log(2 / 0.05)
    low, high = ratio_interval(counts, alpha=0.05) or (0, None)
    assert high is not None
    inside = 0
    for step in range(-300, 301):
        ratio = exp(step / 100)
        kept = log_e_above(counts, ratio=ratio) < threshold and log_e_below(counts, ratio=ratio) < threshold
        assert kept == (low <= ratio <= high)
        inside += kept
    assert 50 < inside < 550
    assert low < (ratio_estimate(counts) or 0) < high


def test_a_side_without_events_leaves_its_end_open():
    assert ratio_estimate([EventCount(0.5, 5, 0)]) == 0.0
    low, high = ratio_interval([EventCount(0.5, 12, 0)], alpha=0.05) or (1, None)
    assert low == 0.0
    assert high is not None
    assert high < 2
    assert ratio_estimate([EventCount(0.5, 0, 5)]) is None
    low, high = ratio_interval([EventCount(0.5, 0, 12)], alpha=0.05) or (0, 1)
    assert low > 0.5
    assert high is None


COUNTS = st.lists(st.builds(EventCount, st.sampled_from([0.05, 0.1, 0.5, 0.95]), st.integers(0, 400), st.integers(0, 400)), max_size=3)


@given(COUNTS, st.sampled_from([1.0, 1.5, 2.0]), st.sampled_from([1.0, 2.3]), st.floats(0.01, 12))
@settings(max_examples=300)
def test_a_level_is_reached_or_not_whichever_way_it_is_asked(counts, ratio, dispersion, least):
    """And where it is reached the number is exact."""
    for test in (log_e_above, log_e_below):
        exact = test(counts, ratio=ratio, dispersion=dispersion)
        asked = test(counts, ratio=ratio, dispersion=dispersion, least=least)
        event(f"reached: {exact >= least}, bounded: {asked != exact}")
        assert asked == exact if exact >= least else asked < least
