"""Quality, from scores to a verdict."""

from math import nan
from random import Random

import pytest

from changeover.gates.assess import Judge
from changeover.gates.criteria import QualityCriterion, TripRule
from changeover.gates.quality import QualityGate
from changeover.gates.verdict import Decision, Verdict
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row
from tests.unit.gates.streams import Row, Stream, draw, fresh_judge, quality_block, quality_gate, verdict_of


def judged(rows: list[Row], *, blocks: int = 1) -> Verdict:
    stream = Stream()
    size = max(1, -(-len(rows) // blocks))
    for first in range(0, len(rows), size):
        stream.close(rows[first : first + size])
    return verdict_of(stream.judge, "quality")


def equal(count: int = 4000, *, seed: int = 1) -> list[Row]:
    return draw(Random(seed), first=0, count=count, p=0.5, means=(0.162, 0.162))


def worse(count: int = 4000, *, loss: float = 0.065, seed: int = 1) -> list[Row]:
    return draw(Random(seed), first=0, count=count, p=0.5, means=(0.162, 0.162 - loss))


def test_an_equal_candidate_passes_and_says_what_was_accepted():
    verdict = judged(equal(), blocks=40)
    assert verdict.decision is Decision.PASS
    assert (verdict.tripped, verdict.problems) == (False, ())
    assert verdict.estimate is not None
    assert verdict.low is not None
    assert verdict.high is not None
    assert -0.02 < verdict.low < verdict.estimate < verdict.high < 0.02
    assert verdict.method == "asymptotic, 95 %"
    assert verdict.sentence.startswith("accepted: up to 0.02 lower on the scale 0 to 1; shown so far: 0.00")
    assert verdict.sentence.endswith("; pass")
    assert verdict.to_pass.log_e >= verdict.to_pass.threshold


def test_a_candidate_worse_than_accepted_fails_and_trips():
    verdict = judged(worse(), blocks=40)
    assert (verdict.decision, verdict.tripped) == (Decision.FAIL, True)
    assert verdict.to_trip.reached_at is not None
    assert "lower (-0." in verdict.sentence
    assert verdict.sentence.endswith("fail; tripped")


def test_the_time_of_a_rejection_is_the_end_of_its_block_and_stays():
    stream, reached = Stream(), list[float | None]()
    rows = worse()
    for first in range(0, len(rows), 100):
        stream.close(rows[first : first + 100])
        reached.append(verdict_of(stream.judge, "quality").to_trip.reached_at)
    first_at = next(number for number, at in enumerate(reached) if at is not None)
    assert 0 < first_at < 39
    assert reached[first_at:] == [1000.0 + 10.0 * (first_at + 1)] * (40 - first_at)


def test_little_data_is_undecided_and_not_able_to_trip():
    verdict = judged(equal(60))
    assert (verdict.decision, verdict.able_to_trip, verdict.problems) == (Decision.UNDECIDED, False, ())
    assert (verdict.low, verdict.high, verdict.method) == (None, None, "")


def test_a_loss_inside_a_wide_margin_passes_and_is_named_worse_inside():
    wide = QualityCriterion(score="rouge-l", scale_low=0.0, scale_high=1.0, margin=0.1)
    stream = Stream(fresh_judge(quality=wide))
    rows = worse(6000, loss=0.05)
    for first in range(0, len(rows), 100):
        stream.close(rows[first : first + 100], criterion=wide)
    verdict = verdict_of(stream.judge, "quality")
    assert (verdict.decision, verdict.worse_inside, verdict.tripped) == (Decision.PASS, True, False)
    assert verdict.sentence.endswith("pass: worse, inside the margin")


def test_a_strict_rule_trips_on_any_proven_loss():
    strict = QualityCriterion(score="rouge-l", scale_low=0.0, scale_high=1.0, margin=0.05, trip=TripRule.ANY)
    stream = Stream(fresh_judge(quality=strict))
    rows = worse(3000, loss=0.05)
    for first in range(0, len(rows), 100):
        stream.close(rows[first : first + 100], criterion=strict)
    verdict = verdict_of(stream.judge, "quality")
    assert (verdict.decision, verdict.tripped) == (Decision.UNDECIDED, True)
    assert verdict.sentence.endswith("undecided: worse than stable is proven, beyond the margin is not; tripped")


def test_figures_are_in_the_scales_own_units():
    rubric = QualityCriterion(score="rubric", scale_low=1.0, scale_high=5.0, margin=0.4)
    stream = Stream(fresh_judge(quality=rubric))
    sides = (Side.STABLE, Side.CANDIDATE)
    stream.close([(row(number, sides[number % 2], 0.5), (4.0, 3.0)[number % 2]) for number in range(400)], criterion=rubric)
    verdict = verdict_of(stream.judge, "quality")
    assert (verdict.stable.mean, verdict.candidate.mean, verdict.estimate) == (pytest.approx(4.0), pytest.approx(3.0), pytest.approx(-1.0))
    assert "up to 0.4 lower on the scale 1 to 5; shown so far: 1.00 lower" in verdict.sentence


@pytest.mark.parametrize("side", list(Side))
def test_one_side_without_any_request_never_passes(side):
    rows = [(one, score) for one, score in equal(20_000) if one.side is not side]
    verdict = judged(rows)
    assert verdict.decision is Decision.UNDECIDED
    assert verdict.problems == (f"no observations of the {side} at a weight of 5 to 95 %",)
    assert not verdict.able_to_trip


def test_scores_that_never_arrive_are_undecided_and_never_pass():
    verdict = judged([(one, None) for one, _ in equal(4000)])
    assert verdict.decision is Decision.UNDECIDED
    assert "no score named rouge-l has arrived" in verdict.problems
    assert (verdict.tripped, verdict.able_to_trip) == (False, False)


def test_scores_missing_on_one_side_only_neither_pass_nor_trip():
    """Missing counts as worst, so a scorer that loses the candidate's answers looks like a loss; it is not one."""
    rows = [(one, None if one.side is Side.CANDIDATE and number % 10 == 0 else score) for number, (one, score) in enumerate(equal())]
    verdict = judged(rows, blocks=40)
    assert (verdict.decision, verdict.tripped) == (Decision.UNDECIDED, False)
    assert len(verdict.problems) == 1
    assert verdict.problems[0].endswith("scores of the candidate are missing, over 5%")
    assert verdict.candidate.missing > 0.05 * verdict.candidate.count


def test_a_few_missing_scores_are_borne():
    rows = [(one, None if number % 50 == 0 else score) for number, (one, score) in enumerate(equal(6000))]
    verdict = judged(rows, blocks=40)
    assert verdict.decision is Decision.PASS
    assert verdict.stable.missing > 0


def test_one_score_off_the_scale_is_told_and_stops_the_pass():
    rows = [(one, nan if number == 17 else score) for number, (one, score) in enumerate(equal())]
    verdict = judged(rows, blocks=40)
    assert verdict.decision is Decision.UNDECIDED
    assert verdict.problems == ("scores that are no number from 0 to 1: 1 (correct the scorer or the scale and start again)",)


def test_a_candidate_that_does_not_answer_loses_quality():
    rows = [
        (row(number, one.side, 0.5, error=one.side is Side.CANDIDATE and number % 2 == 0), score)
        for number, (one, score) in enumerate(equal())
    ]
    verdict = judged(rows, blocks=40)
    assert (verdict.decision, verdict.problems) == (Decision.FAIL, ())
    assert verdict.candidate.missing == 0


def test_enough_data_makes_the_guardrail_able_to_trip():
    assert not judged(equal(200), blocks=4).able_to_trip
    assert judged(equal(2000), blocks=40).able_to_trip


def test_a_block_made_for_another_margin_is_refused():
    stream = Stream()
    block = quality_block(stream, equal(10))
    other = QualityGate(criterion=QualityCriterion(score="rouge-l", scale_low=0.0, scale_high=1.0, margin=0.05))
    with pytest.raises(ValueError, match="criteria are fixed when a rollout starts"):
        other.add(block, at=1.0)


@pytest.mark.parametrize(
    "criterion",
    [
        QualityCriterion(score="s", scale_low=1.0, scale_high=1.0),
        QualityCriterion(score="s", scale_low=0.0, scale_high=1.0, margin=1.5),
        QualityCriterion(score="s", margin=-0.1),
        QualityCriterion(score="s", margin=nan),
    ],
)
def test_a_margin_no_test_can_be_made_of_is_refused(criterion):
    with pytest.raises(ValueError, match="quality: "):
        QualityGate(criterion=criterion)


def test_wrong_passes_at_the_margin_stay_below_their_level():
    """A candidate exactly at the margin: at most .05 + 3 standard errors of 60 runs may pass."""
    dice, passes = Random(3), 0
    for _ in range(60):
        found = Stream().run(dice, p=0.5, means=(0.162, 0.142), until=_passed, most=1000, block=100)
        passes += found is not None
    assert passes <= 8


def test_the_demonstrations_planted_loss_is_caught_as_soon_as_foretold():
    """At 10 %, a loss of .065 under a margin of .02: median about 2,100 requests, nine tenths by about 3,200."""
    dice = Random(4)
    lengths = [Stream().run(dice, p=0.1, means=(0.162, 0.097), until=_tripped, most=6000) for _ in range(20)]
    found = sorted(length for length in lengths if length is not None)
    assert len(found) == 20
    assert 1400 < found[10] < 2900
    assert found[17] < 4200


def test_an_equal_candidate_passes_at_even_weights_as_soon_as_foretold():
    """Alone, margin .02, sd .13: about 1,000 requests with a centre that follows every request; blocks cost some."""
    dice = Random(5)
    lengths = [Stream().run(dice, p=0.5, means=(0.162, 0.162), until=_passed, most=6000, block=25) for _ in range(16)]
    found = sorted(length for length in lengths if length is not None)
    assert len(found) >= 15
    assert 600 < found[8] < 2400


def _passed(judge: Judge) -> bool:
    return quality_gate(judge).proven.passed_at is not None


def _tripped(judge: Judge) -> bool:
    return quality_gate(judge).proven.tripped_at is not None
