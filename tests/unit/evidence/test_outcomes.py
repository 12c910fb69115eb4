"""Summaries of outcomes."""

import msgspec
import pytest

from changeover.evidence.outcomes import OutcomeBlock, OutcomeTally, summarise_outcomes
from changeover.exchange.observation import Outcome
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row

S, C = Side.STABLE, Side.CANDIDATE


def test_units_and_errors_are_counted_by_side_and_probability():
    rows = [
        row(1, S, 0.1),
        row(2, S, 0.1, error=True),
        row(3, C, 0.1),
        row(4, C, 0.5, error=True),
        row(5, C, 0.5, outcome=Outcome.REJECTED),
    ]
    tenth, half = summarise_outcomes(block=3, rows=rows).strata
    assert (tenth.p, tenth.stable, tenth.candidate) == (0.1, OutcomeTally(assigned=2, errors=1), OutcomeTally(assigned=1))
    assert (half.p, half.stable, half.candidate) == (0.5, OutcomeTally(), OutcomeTally(assigned=2, errors=2))


def test_a_unit_counts_once_with_its_first_request():
    again = msgspec.structs.replace(row(1, C, 0.5, error=True), request_id="later")
    block = summarise_outcomes(block=0, rows=[row(1, S, 0.5), again])
    assert block.strata[0].stable == OutcomeTally(assigned=1)
    assert block.strata[0].candidate == OutcomeTally()


def test_requests_without_a_draw_do_not_count():
    assert summarise_outcomes(block=0, rows=[row(1, None, 0.5), row(2, C, 0.5, forced=True)]) == OutcomeBlock(block=0)


def test_probabilities_outside_the_floor_are_counted_apart_and_kept_for_the_split():
    block = summarise_outcomes(block=0, rows=[row(1, S, 0.0), row(2, C, 0.01), row(3, S, 0.05), row(4, C, 0.95), row(5, C, 1.0)])
    assert block.outside == 3
    assert [stratum.p for stratum in block.strata] == [0.01, 0.05, 0.95]
    assert block.impossible == 0


def test_a_side_without_a_chance_is_told():
    assert summarise_outcomes(block=0, rows=[row(1, C, 0.0), row(2, S, 1.0), row(3, S, 0.0)]).impossible == 2


def test_a_block_survives_being_stored():
    block = summarise_outcomes(block=7, rows=[row(1, S, 0.1), row(2, C, 0.1, error=True), row(3, C, 0.0)])
    stored = msgspec.json.encode(block)
    assert msgspec.json.decode(stored, type=OutcomeBlock) == block
    assert b'"version":2' in stored


def test_parts_of_different_blocks_are_not_merged():
    with pytest.raises(ValueError, match="two parts of one block"):
        OutcomeBlock(block=1).merged(OutcomeBlock(block=2))
