"""Summaries of filter triggers and of harmful answers."""

from math import inf, nan

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.evidence.filters import FlagBlock, FlagTally, summarise_filters, summarise_harmful
from changeover.exchange.observation import Observation, Outcome
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row

S, C = Side.STABLE, Side.CANDIDATE
SCORES = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 0.5, -1.0, nan, inf]))


def flagged(number: int, side: Side | None, filtered: bool | None, *, p: float = 0.5, error: bool = False) -> Observation:
    return msgspec.structs.replace(row(number, side, p, error=error), filtered=filtered)


def test_triggers_are_counted_by_side_and_what_is_not_known_is_missing():
    rows = [flagged(1, S, False), flagged(2, S, True), flagged(3, C, None), flagged(4, C, True), flagged(5, C, False, p=0.1)]
    tenth, half = summarise_filters(block=3, rows=rows).strata
    assert (tenth.p, tenth.candidate) == (0.1, FlagTally(known=1))
    assert (half.stable, half.candidate) == (FlagTally(known=2, flagged=1), FlagTally(known=1, flagged=1, missing=1))


@pytest.mark.parametrize("filtered", [True, False, None])
def test_a_stand_ins_answer_says_nothing_of_the_assigned_deployment(filtered):
    (stratum,) = summarise_filters(block=0, rows=[flagged(1, C, filtered, error=True)]).strata
    assert stratum.candidate == FlagTally(missing=1)


def test_scores_of_harm_are_zero_or_one_and_anything_else_is_told():
    scores = [0.0, 1.0, None, 0.5, nan, inf, -1.0]
    (stratum,) = summarise_harmful(block=0, rows=[(row(number, C, 0.5), score) for number, score in enumerate(scores)]).strata
    assert stratum.candidate == FlagTally(known=2, flagged=1, missing=5, unusable=4)


def test_a_unit_counts_once_and_requests_without_a_draw_or_a_rival_do_not():
    again = msgspec.structs.replace(flagged(1, C, True), request_id="later")
    block = summarise_filters(block=0, rows=[flagged(1, S, False), again, flagged(2, None, True), flagged(3, C, True, p=0.01)])
    assert [(stratum.stable, stratum.candidate) for stratum in block.strata] == [(FlagTally(known=1), FlagTally())]
    assert block.outside == 1


def test_a_block_survives_being_stored_and_another_is_not_merged_with_it():
    block = summarise_filters(block=7, rows=[flagged(1, S, False), flagged(2, C, None)])
    assert msgspec.json.decode(msgspec.json.encode(block), type=FlagBlock) == block
    with pytest.raises(ValueError, match="two parts of one block"):
        block.merged(FlagBlock(block=8))


@st.composite
def rows(draw: st.DrawFn) -> list[tuple[Observation, float | None]]:
    sides, chances = st.sampled_from([S, C, None]), st.sampled_from([0.01, 0.1, 0.5, 1.0])
    reports, outcomes = st.sampled_from([True, False, None]), st.sampled_from(list(Outcome))
    drawn = draw(st.lists(st.tuples(sides, chances, reports, outcomes, SCORES), max_size=40))
    return [
        (msgspec.structs.replace(row(number, side, p, outcome=outcome), filtered=filtered), score)
        for number, (side, p, filtered, outcome, score) in enumerate(drawn)
    ]


@given(rows(), st.integers(0, 40))
@settings(max_examples=80, deadline=None)
def test_two_replicas_blocks_are_those_of_one_stream(everything, cut):
    parts = (everything[:cut], everything[cut:], everything)
    filters = [summarise_filters(block=0, rows=[one for one, _ in part]) for part in parts]
    harmful = [summarise_harmful(block=0, rows=part) for part in parts]
    event(f"both replicas saw something: {bool(filters[0].strata and filters[1].strata)}")
    for left, right, whole in (filters, harmful):
        assert left.merged(right) == whole
        assert right.merged(left) == whole
