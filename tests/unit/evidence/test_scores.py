"""Summaries of scores."""

from math import inf, nan

import msgspec
import pytest

from changeover.evidence.betting import Centre, Stake, bet_sums, weighted
from changeover.evidence.scores import ScoreBlock, summarise_scores
from changeover.exchange.observation import Observation
from changeover.gates.criteria import QualityCriterion
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row

S, C = Side.STABLE, Side.CANDIDATE
RUBRIC = QualityCriterion(score="rubric", scale_low=1, scale_high=5, margin=0.1)


def summed(rows: list[tuple[Observation, float | None]], *, block: int = 0, centre: Centre | None = None) -> ScoreBlock:
    return summarise_scores(block=block, rows=rows, criterion=RUBRIC, centre=centre or Centre())


def test_scores_are_bet_on_at_the_frozen_centre_and_move_the_next_one():
    first = summed([(row(1, S, 0.5), 5.0), (row(2, C, 0.5), 2.0)])
    assert first.centre == Centre()
    assert first.centre_next == Centre(total=1.25, count=2)
    second = summed([(row(3, C, 0.1), 4.0), (row(4, S, 0.1), 3.0)], block=1, centre=first.centre_next)
    frozen = (20 * 0.5 + 1.25) / 22
    stakes = [
        Stake(0.1, weighted(C, p=0.1, gain=0.75, centre=frozen)),
        Stake(0.1, weighted(S, p=0.1, gain=0.5, centre=frozen)),
    ]
    assert second.sums == bet_sums(stakes, delta=0.025)


def test_a_request_that_was_not_answered_has_the_lowest_score_whatever_the_stand_in_scored():
    block = summed([(row(1, C, 0.5, error=True), 5.0), (row(2, C, 0.5), 5.0)])
    tally = block.strata[0].candidate
    assert (tally.scored, tally.unanswered, tally.missing) == (1, 1, 0)
    assert (tally.gains.count, tally.gains.mean) == (2, 0.5)


def test_a_score_that_never_came_counts_as_the_lowest_and_as_missing():
    tally = summed([(row(1, S, 0.5), None), (row(2, S, 0.5), 5.0)]).strata[0].stable
    assert (tally.scored, tally.missing, tally.unusable) == (1, 1, 0)
    assert tally.gains.mean == 0.5


@pytest.mark.parametrize("score", [nan, inf, -inf, 0.999, 5.001, -3.0])
def test_a_score_off_the_scale_is_missing_and_told_never_clipped(score):
    tally = summed([(row(1, S, 0.5), score), (row(2, S, 0.5), 5.0)]).strata[0].stable
    assert (tally.scored, tally.missing, tally.unusable) == (1, 1, 1)
    assert tally.gains.mean == 0.5


def test_only_units_with_a_fair_chance_on_both_sides_are_compared():
    block = summed([(row(1, C, 0.01), 5.0), (row(2, C, 1.0), 5.0), (row(3, C, 0.05), 5.0), (row(3, C, 0.05), 1.0)])
    assert [stratum.p for stratum in block.strata] == [0.05]
    assert block.outside == 2
    assert block.centre_next == Centre(total=1.0, count=1)


def test_a_block_survives_being_stored():
    block = summed([(row(1, S, 0.1), 5.0), (row(2, C, 0.1), nan), (row(3, C, 0.5), 2.3)])
    assert msgspec.json.decode(msgspec.json.encode(block), type=ScoreBlock) == block


def test_parts_at_different_centres_are_not_merged():
    with pytest.raises(ValueError, match="one centre and one margin"):
        summed([]).merged(summed([], centre=Centre(total=3.0, count=4)))
