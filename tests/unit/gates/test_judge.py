"""The whole assessment: both streams, in order, from stored blocks."""

from random import Random

import msgspec
import pytest

from changeover.evidence.blocks import BlockClock
from changeover.evidence.outcomes import summarise_outcomes
from changeover.evidence.scores import ScoreBlock
from changeover.exchange.observation import Observation
from changeover.gates.assess import EvidenceError, Judge, Summary
from changeover.gates.criteria import Criteria, QualityCriterion
from changeover.gates.verdict import Assessment, Decision
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row
from tests.unit.gates.streams import ERRORS, RULES, Stream, add, draw, fresh_judge, look, outcomes, quality_block, stored, verdict_of


def test_before_anything_is_seen_everything_is_undecided_and_says_why():
    assessment = look(fresh_judge())
    assert [verdict.criterion for verdict in assessment.verdicts] == ["quality", "errors"]
    for verdict in assessment.verdicts:
        assert (verdict.decision, verdict.tripped, verdict.able_to_trip) == (Decision.UNDECIDED, False, False)
        assert verdict.problems
    assert (assessment.sample_ratio.alarm, assessment.sample_ratio.level.log_e) == (False, 0.0)


def test_what_the_controller_knows_is_passed_through():
    assessment = look(fresh_judge())
    assert (assessment.blocks, assessment.served_s, assessment.closed_until) == (3, 30.0, 1030.0)


def test_a_criterion_that_is_left_out_has_no_verdict():
    assert look(fresh_judge(quality=None, errors=None)).verdicts == ()
    assert [verdict.criterion for verdict in look(fresh_judge(quality=QualityCriterion(score=None))).verdicts] == ["errors"]


def test_the_streams_may_run_at_different_paces():
    stream = Stream()
    rows = draw(Random(1), first=0, count=200, p=0.5, means=(0.2, 0.2))
    score_block = quality_block(stream, rows)
    early = fresh_judge()
    for number in range(3):
        early = add(early, outcomes(number, p=0.5, stable=(100, 0), candidate=(100, 0)))
    late = add(early, score_block)
    assert late.closed == {"scores": 1, "outcomes": 3}
    assert look(late).verdicts[1] == look(early).verdicts[1]


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_block_is_never_counted_twice_nor_left_out(number):
    judge = add(fresh_judge(), *(outcomes(block, p=0.5, stable=(1, 0), candidate=(1, 0)) for block in range(2)))
    with pytest.raises(EvidenceError, match="each block once and in order"):
        add(judge, outcomes(number, p=0.5, stable=(1, 0), candidate=(1, 0)))
    block = quality_block(Stream(), [])
    with pytest.raises(EvidenceError, match="each block once and in order"):
        add(judge, block, block)


def test_a_summary_made_under_another_configuration_is_not_folded():
    other = Judge.begin(criteria=Criteria(errors=ERRORS), rules=RULES, clock=fresh_judge().clock)
    with pytest.raises(EvidenceError, match="start a new attempt"):
        fresh_judge().add(stored(other, outcomes(0, p=0.5, stable=(1, 0), candidate=(1, 0))))


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"\xff", b'{"block":0,"strata":[]}', b'{"stream":"scores","block":0,"config":"","content":1}']
)
def test_a_summary_that_is_none_is_not_folded(body):
    with pytest.raises(EvidenceError):
        fresh_judge().add(body)


def test_a_summary_whose_content_is_of_another_kind_is_not_folded():
    judge = fresh_judge()
    body = stored(judge, outcomes(0, p=0.5, stable=(1, 0), candidate=(1, 0))).replace(b'"outcomes"', b'"scores"')
    with pytest.raises(EvidenceError, match="cannot be read"):
        judge.add(body)


def test_refused_evidence_passes_nothing_and_says_why():
    good = add(fresh_judge(), outcomes(0, p=0.5, stable=(1000, 0), candidate=(1000, 0)))
    assert verdict_of(good, "errors").decision is Decision.PASS
    refused = verdict_of(good.refused("made by others"), "errors")
    assert (refused.decision, refused.tripped, refused.able_to_trip) == (Decision.UNDECIDED, False, False)
    assert refused.sentence.endswith("undecided: made by others")
    assert "; pass" not in refused.sentence


def test_a_block_that_is_passed_over_leaves_nothing_behind_and_what_follows_is_new_evidence_that_can_only_trip():
    other = Judge.begin(criteria=Criteria(errors=ERRORS), rules=RULES, clock=fresh_judge().clock)
    foreign = stored(other, outcomes(0, p=0.5, stable=(1000, 0), candidate=(1000, 500)))
    judge = fresh_judge(quality=None).passed_over("outcomes", foreign, reason="made by others")
    assert judge.closed == {"outcomes": 1}
    errors = verdict_of(judge, "errors")
    assert (errors.decision, errors.tripped, errors.candidate.count) == (Decision.UNDECIDED, False, 0)
    healthy = add(judge, outcomes(1, p=0.5, stable=(1000, 0), candidate=(1000, 0)))
    assert verdict_of(healthy, "errors").decision is Decision.UNDECIDED
    assert look(healthy).refusal == "made by others"
    harmed = add(judge, outcomes(1, p=0.5, stable=(1000, 0), candidate=(1000, 90)))
    assert verdict_of(harmed, "errors").tripped
    assert verdict_of(harmed, "errors").decision is Decision.FAIL


def _with_min_samples(count: int) -> Judge:
    return Judge.begin(criteria=Criteria(errors=ERRORS, min_samples=count), rules=RULES, clock=fresh_judge().clock)


def test_a_pass_is_not_given_below_min_samples_and_is_given_from_there_on():
    good = outcomes(0, p=0.5, stable=(900, 0), candidate=(700, 0))
    assert verdict_of(add(_with_min_samples(700), good), "errors").decision is Decision.PASS
    early = verdict_of(add(_with_min_samples(701), good), "errors")
    assert (early.decision, early.able_to_trip) == (Decision.UNDECIDED, False)
    assert early.problems == ("700 units on a side, min_samples asks for 701",)
    assert early.sentence.endswith("; undecided: 700 units on a side, min_samples asks for 701")
    more = outcomes(1, p=0.5, stable=(0, 0), candidate=(1, 0))
    assert verdict_of(add(_with_min_samples(701), good, more), "errors").decision is Decision.PASS


def test_harm_trips_however_many_samples_are_asked_for():
    bad = outcomes(0, p=0.5, stable=(200, 0), candidate=(200, 60))
    found = verdict_of(add(_with_min_samples(10_000), bad), "errors")
    assert found.tripped
    assert found == verdict_of(add(_with_min_samples(0), bad), "errors")


def test_a_clock_of_other_blocks_is_refused():
    with pytest.raises(ValueError, match=r"as evidence\.block declares"):
        Judge.begin(criteria=Criteria(), rules=RULES, clock=BlockClock(origin_at=0.0, block_s=11.0))


def test_a_split_that_was_not_drawn_as_logged_alarms_and_stays_alarmed():
    judge = add(fresh_judge(), outcomes(0, p=0.1, stable=(9000, 0), candidate=(1400, 0)))
    check = look(judge).sample_ratio
    assert (check.alarm, check.stable, check.candidate, check.level.reached_at) == (True, 9000, 1400, 1010.0)
    calmer = add(judge, outcomes(1, p=0.1, stable=(90_000, 0), candidate=(9700, 0)))
    assert look(calmer).sample_ratio.alarm
    assert look(calmer).sample_ratio.level.log_e < check.level.log_e


def test_a_split_drawn_as_logged_stays_quiet():
    judge = add(fresh_judge(), outcomes(0, p=0.1, stable=(9000, 0), candidate=(1010, 0)))
    assert not look(judge).sample_ratio.alarm


def test_a_request_on_a_side_it_had_no_chance_of_alarms_at_once():
    judge = add(fresh_judge(), summarise_outcomes(block=0, rows=[row(1, Side.CANDIDATE, 0.0)]))
    assert look(judge).sample_ratio.alarm


def test_a_split_below_five_percent_is_still_checked():
    judge = add(fresh_judge(), outcomes(0, p=0.01, stable=(40_000, 0), candidate=(800, 0)))
    assert look(judge).sample_ratio.alarm
    assert look(judge).verdicts[1].stable.count == 0


def test_an_assessment_recomputed_from_stored_blocks_is_the_same_to_the_last_bit():
    """Stream after stream, as after a restart, though they were closed in turns."""
    dice, kept, judge = Random(2), dict[str, list[bytes]](), fresh_judge()
    for number in range(12):
        rows = draw(dice, first=number * 80, count=80, p=0.1, means=(0.16, 0.15))
        for name in ("outcomes", "scores"):
            body = judge.summarise(name, rows)
            kept.setdefault(name, []).append(body)
            judge = judge.add(body)
    again = fresh_judge()
    for name in ("scores", "outcomes"):
        for body in kept[name]:
            again = again.add(body)
    assert look(again) == look(judge)
    assert look(judge).closed == {"scores": 12, "outcomes": 12}
    assert msgspec.json.decode(msgspec.json.encode(look(judge)), type=Assessment) == look(judge)


def test_other_evidence_has_another_hash():
    one, other = (add(fresh_judge(), outcomes(0, p=0.5, stable=(1, 0), candidate=(count, 0))) for count in (1, 2))
    assert len({look(judge).evidence_hash for judge in (fresh_judge(), one, other)}) == 3
    assert len({look(judge).config_hash for judge in (fresh_judge(), one, other)}) == 1


def _earlier(values: list[float | None]) -> list[tuple[Observation, float | None]]:
    return [(row(number, Side.STABLE, 0.0), value) for number, value in enumerate(values)]


def test_bets_start_at_the_mean_of_what_the_stable_scored_before():
    rows = draw(Random(1), first=0, count=50, p=0.5, means=(0.2, 0.2))
    knowing = fresh_judge().informed("scores", _earlier([0.1, 0.3] * 10 + [None, 7.0]))
    body = knowing.summarise("scores", rows)
    assert body != fresh_judge().summarise("scores", rows)
    replayed = fresh_judge().add(body)
    assert replayed.summarise("scores", rows) == knowing.add(body).summarise("scores", rows)
    summary = msgspec.json.decode(bytes(msgspec.json.decode(body, type=Summary).content), type=ScoreBlock)
    assert summary.centre.start == pytest.approx(0.2)


def test_too_few_earlier_scores_leave_the_centre_in_the_middle():
    assert fresh_judge().informed("scores", _earlier([0.1] * 19)) == fresh_judge()


def test_looking_changes_nothing():
    stream = Stream()
    stream.close(draw(Random(3), first=0, count=100, p=0.5, means=(0.2, 0.2)))
    before = stream.judge
    assert look(before) == look(before)
    add(before, outcomes(1, p=0.5, stable=(9, 9), candidate=(9, 9)))
    assert look(before) == look(stream.judge)


def test_both_gates_become_able_to_trip_at_ten_percent_as_soon_as_foretold():
    """Margin .02 with sd .13, and 2 points with no error at all: after about 3,200 requests."""

    def both_able(judge: Judge) -> bool:
        quality, errors = look(judge).verdicts
        return quality.able_to_trip and (errors.able_to_trip or errors.decision is Decision.PASS)

    dice = Random(6)
    lengths = [Stream().run(dice, p=0.1, means=(0.162, 0.162), until=both_able, most=6000, block=100) for _ in range(4)]
    assert all(length is not None and 2400 <= length <= 4000 for length in lengths)
