"""The whole assessment: both streams, in order, from stored blocks."""

from random import Random

import msgspec
import pytest

from changeover.evidence.blocks import BlockClock
from changeover.evidence.outcomes import OutcomeBlock, summarise_outcomes
from changeover.gates.assess import Judge
from changeover.gates.criteria import Criteria, QualityCriterion
from changeover.gates.verdict import Assessment, Decision
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row
from tests.unit.gates.streams import RULES, Stream, draw, fresh_judge, look, outcomes, quality_block


def test_before_anything_is_seen_everything_is_undecided_and_says_why():
    assessment = look(fresh_judge())
    assert [verdict.criterion for verdict in assessment.verdicts] == ["quality", "errors"]
    for verdict in assessment.verdicts:
        assert (verdict.decision, verdict.tripped, verdict.able_to_trip) == (Decision.UNDECIDED, False, False)
        assert verdict.problems
    assert (assessment.sample_ratio.alarm, assessment.sample_ratio.level.log_e) == (False, 0.0)


def test_what_the_controller_knows_is_passed_through():
    assessment = look(fresh_judge())
    assert (assessment.blocks, assessment.served_s, assessment.closed_until, assessment.evidence_hash) == (3, 30.0, 1030.0, "e")


def test_a_criterion_that_is_left_out_has_no_verdict():
    assert look(fresh_judge(quality=None, errors=None)).verdicts == ()
    assert [verdict.criterion for verdict in look(fresh_judge(quality=QualityCriterion(score=None))).verdicts] == ["errors"]


def test_the_streams_may_run_at_different_paces():
    stream = Stream()
    rows = draw(Random(1), first=0, count=200, p=0.5, means=(0.2, 0.2))
    score_block = quality_block(stream, rows)
    early = fresh_judge()
    for number in range(3):
        early = early.add_outcomes(outcomes(number, p=0.5, stable=(100, 0), candidate=(100, 0)))
    late = early.add_scores(score_block)
    assert (late.outcomes_block, late.scores_block) == (2, 0)
    assert look(late).verdicts[1] == look(early).verdicts[1]


@pytest.mark.parametrize("number", [0, 1])
def test_a_block_is_never_counted_twice(number):
    judge = fresh_judge().add_outcomes(outcomes(1, p=0.5, stable=(1, 0), candidate=(1, 0)))
    with pytest.raises(ValueError, match="each block once and in order"):
        judge.add_outcomes(outcomes(number, p=0.5, stable=(1, 0), candidate=(1, 0)))
    block = quality_block(Stream(), [])
    with pytest.raises(ValueError, match="each block once and in order"):
        judge.add_scores(block).add_scores(block)


def test_a_clock_of_other_blocks_is_refused():
    with pytest.raises(ValueError, match=r"as evidence\.block declares"):
        Judge.begin(criteria=Criteria(), rules=RULES, clock=BlockClock(origin_at=0.0, block_s=11.0))


def test_a_split_that_was_not_drawn_as_logged_alarms_and_stays_alarmed():
    judge = fresh_judge().add_outcomes(outcomes(0, p=0.1, stable=(9000, 0), candidate=(1400, 0)))
    check = look(judge).sample_ratio
    assert (check.alarm, check.stable, check.candidate, check.level.reached_at) == (True, 9000, 1400, 1010.0)
    calmer = judge.add_outcomes(outcomes(1, p=0.1, stable=(90_000, 0), candidate=(9700, 0)))
    assert look(calmer).sample_ratio.alarm
    assert look(calmer).sample_ratio.level.log_e < check.level.log_e


def test_a_split_drawn_as_logged_stays_quiet():
    judge = fresh_judge().add_outcomes(outcomes(0, p=0.1, stable=(9000, 0), candidate=(1010, 0)))
    assert not look(judge).sample_ratio.alarm


def test_a_request_on_a_side_it_had_no_chance_of_alarms_at_once():
    judge = fresh_judge().add_outcomes(summarise_outcomes(block=0, rows=[row(1, Side.CANDIDATE, 0.0)]))
    assert look(judge).sample_ratio.alarm


def test_a_split_below_five_percent_is_still_checked():
    judge = fresh_judge().add_outcomes(outcomes(0, p=0.01, stable=(40_000, 0), candidate=(800, 0)))
    assert look(judge).sample_ratio.alarm
    assert look(judge).verdicts[1].stable.count == 0


def test_an_assessment_recomputed_from_stored_blocks_is_the_same_to_the_last_bit():
    dice, stream, stored = Random(2), Stream(), list[bytes]()
    for _ in range(12):
        rows = draw(dice, first=stream.requests, count=80, p=0.1, means=(0.16, 0.15))
        stored.append(msgspec.json.encode(summarise_outcomes(block=stream.block, rows=[one for one, _ in rows])))
        stream.close(rows)
    judge = fresh_judge()
    for body in stored:
        judge = judge.add_outcomes(msgspec.json.decode(body, type=OutcomeBlock))
    again, first = look(judge), look(stream.judge)
    assert (again.verdicts[1], again.sample_ratio) == (first.verdicts[1], first.sample_ratio)
    assert msgspec.json.decode(msgspec.json.encode(first), type=Assessment) == first


def test_looking_changes_nothing():
    stream = Stream()
    stream.close(draw(Random(3), first=0, count=100, p=0.5, means=(0.2, 0.2)))
    before = stream.judge
    assert look(before) == look(before)
    before.add_outcomes(outcomes(5, p=0.5, stable=(9, 9), candidate=(9, 9)))
    assert look(before) == look(stream.judge)


def test_both_gates_become_able_to_trip_at_ten_percent_as_soon_as_foretold():
    """Margin .02 with sd .13, and 2 points with no error at all: after about 3,200 requests."""

    def both_able(judge: Judge) -> bool:
        quality, errors = look(judge).verdicts
        return quality.able_to_trip and (errors.able_to_trip or errors.decision is Decision.PASS)

    dice = Random(6)
    lengths = [Stream().run(dice, p=0.1, means=(0.162, 0.162), until=both_able, most=6000, block=100) for _ in range(4)]
    assert all(length is not None and 2400 <= length <= 4000 for length in lengths)
