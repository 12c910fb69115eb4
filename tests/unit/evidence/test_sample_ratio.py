"""The sample-ratio check against its reference values."""

from math import log

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.evidence.sample_ratio import SplitCount, log_e_split

HALF = SplitCount(0.5, 4800, 5200)
TENTH = SplitCount(0.1, 8900, 1100)


@pytest.mark.parametrize(("counts", "log_e"), [([HALF], 5.1764665845), ([TENTH], 2.9975100350), ([HALF, TENTH], 10.5159390011)])
def test_log_e_matches_the_reference(counts, log_e):
    assert log_e_split(counts) == pytest.approx(log_e, abs=5e-11)


def test_the_reference_alarms_only_together():
    assert log_e_split([HALF]) < log(1000) < log_e_split([HALF, TENTH])


def test_a_draw_without_chance_changes_nothing():
    assert log_e_split([HALF, SplitCount(0.0, 500, 0), SplitCount(1.0, 0, 500)]) == log_e_split([HALF])
    assert log_e_split([]) == 0


SPLITS = st.lists(
    st.builds(SplitCount, st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]), st.integers(0, 3000), st.integers(0, 3000)), max_size=3
)


@given(SPLITS, st.floats(0.01, 12))
@settings(max_examples=200)
def test_an_alarm_is_reached_or_not_whichever_way_it_is_asked(counts, least):
    exact, asked = log_e_split(counts), log_e_split(counts, least=least)
    event(f"reached: {exact >= least}, bounded: {asked != exact}")
    assert asked == exact if exact >= least else asked < least
