"""Errors, from outcomes to a verdict."""

from collections.abc import Iterable
from random import Random

import pytest

from changeover.evidence.outcomes import OutcomeBlock
from changeover.gates.criteria import ErrorsCriterion, TripRule
from changeover.gates.errors import ErrorsGate
from changeover.gates.verdict import Decision, Verdict
from tests.unit.gates.streams import ERRORS, outcomes


def folded(blocks: Iterable[OutcomeBlock], *, criterion: ErrorsCriterion = ERRORS) -> ErrorsGate:
    gate = ErrorsGate(criterion=criterion)
    for block in blocks:
        gate = gate.add(block, at=float(block.block + 1))
    return gate


def judged(*blocks: OutcomeBlock, criterion: ErrorsCriterion = ERRORS) -> Verdict:
    return folded(blocks, criterion=criterion).verdict()


@pytest.mark.parametrize(("p", "stable", "candidate"), [(0.5, 295, 296), (0.1, 2669, 297)])
def test_no_error_at_all_passes_after_exactly_the_foretold_number_of_requests(p, stable, candidate):
    short = judged(outcomes(0, p=p, stable=(stable - 1, 0), candidate=(candidate, 0)))
    enough = judged(outcomes(0, p=p, stable=(stable, 0), candidate=(candidate, 0)))
    assert (short.decision, enough.decision) == (Decision.UNDECIDED, Decision.PASS)
    assert (enough.estimate, enough.low, enough.high, enough.method) == (None, None, None, "")
    assert enough.sentence == (
        "accepted: up to 1.5 times the stable's share of errors or 2 points more, the wider; "
        f"shown so far: 0 of {candidate} against 0 of {stable}; pass"
    )


def test_blocks_change_nothing_while_no_error_happens():
    parts = [outcomes(block, p=0.5, stable=(59, 0), candidate=(59, 0)) for block in range(5)]
    whole = outcomes(0, p=0.5, stable=(295, 0), candidate=(295, 0))
    assert folded(parts).evidence().passing == pytest.approx(folded([whole]).evidence().passing, abs=1e-9)


def test_a_candidate_with_many_more_errors_trips_and_fails():
    verdict = judged(*(outcomes(block, p=0.5, stable=(100, 1), candidate=(100, 20)) for block in range(6)))
    assert (verdict.decision, verdict.tripped) == (Decision.FAIL, True)
    assert verdict.method == "exact, 95 %"
    assert verdict.low is not None
    assert verdict.low > 1.5


def test_failing_needs_proof_beyond_both_margins():
    """Three times the stable's rate, but only one point more: inside the accepted two points."""
    blocks = [outcomes(block, p=0.5, stable=(1000, 5), candidate=(1000, 15)) for block in range(20)]
    verdict = judged(*blocks, criterion=ErrorsCriterion(max_ratio=1.5, margin_points=2.0, trip=TripRule.MARGIN))
    assert (verdict.decision, verdict.tripped, verdict.worse_inside) == (Decision.PASS, False, True)
    assert verdict.sentence.endswith("pass: worse, inside the margin")


def test_any_harm_trips_before_a_pass_and_only_beyond_the_margin_after_it():
    harmful = [outcomes(block, p=0.5, stable=(400, 2), candidate=(400, 10)) for block in range(1, 9)]
    before = judged(*harmful)
    assert (before.tripped, before.decision is Decision.FAIL) == (True, False)
    proof = outcomes(0, p=0.5, stable=(2000, 0), candidate=(2000, 0))
    after = judged(proof, *harmful)
    assert (after.tripped, after.decision, after.worse_inside) == (False, Decision.PASS, True)
    assert after.to_trip.reached_at is None


def test_an_outage_after_a_pass_still_trips():
    proof = outcomes(0, p=0.5, stable=(2000, 0), candidate=(2000, 0))
    outage = [outcomes(block, p=0.5, stable=(100, 1), candidate=(100, 60)) for block in range(1, 8)]
    verdict = judged(proof, *outage)
    assert (verdict.tripped, verdict.decision) == (True, Decision.FAIL)
    assert verdict.to_pass.reached_at == 1.0
    assert verdict.to_trip.reached_at is not None


@pytest.mark.parametrize(
    ("stable", "candidate", "named"), [((5000, 0), (0, 0), "candidate"), ((0, 0), (5000, 0), "stable"), ((0, 0), (0, 0), "stable")]
)
def test_one_side_without_any_request_never_passes(stable, candidate, named):
    verdict = judged(outcomes(0, p=0.5, stable=stable, candidate=candidate))
    assert (verdict.decision, verdict.able_to_trip, verdict.to_pass.reached_at) == (Decision.UNDECIDED, False, None)
    assert f"no observations of the {named} at a weight of 5 to 95 %" in verdict.problems


def test_a_pass_is_not_owed_for_what_was_seen_while_one_side_was_empty():
    gate = folded([outcomes(0, p=0.5, stable=(5000, 0), candidate=(0, 0))])
    assert gate.proven.passed_at is None


def test_harm_trips_even_while_the_stable_has_no_request():
    verdict = judged(outcomes(0, p=0.1, stable=(0, 0), candidate=(30, 30)))
    assert (verdict.tripped, verdict.decision) == (True, Decision.UNDECIDED)


def test_weights_below_five_percent_are_no_evidence():
    verdict = judged(outcomes(0, p=0.01, stable=(50_000, 0), candidate=(500, 100)))
    assert (verdict.tripped, verdict.stable.count, verdict.candidate.count) == (False, 0, 0)


def test_a_guardrail_is_able_to_trip_once_three_times_the_margin_would_have_shown():
    assert not judged(outcomes(0, p=0.1, stable=(450, 0), candidate=(50, 0))).able_to_trip
    assert judged(outcomes(0, p=0.1, stable=(2250, 0), candidate=(250, 0))).able_to_trip


def test_after_a_pass_able_to_trip_speaks_of_the_trip_then_in_force():
    """Beyond-the-margin needs more than any-harm did; a pass does not need it any more, but it must not be overstated."""
    gate = folded([outcomes(0, p=0.5, stable=(300, 0), candidate=(300, 0))])
    before = folded([outcomes(0, p=0.5, stable=(290, 0), candidate=(290, 0))])
    assert gate.proven.passed_at is not None
    assert gate.power() < before.power()


@pytest.mark.parametrize(
    "criterion",
    [
        ErrorsCriterion(max_ratio=0.0),
        ErrorsCriterion(max_ratio=float("inf")),
        ErrorsCriterion(max_ratio=float("nan")),
        ErrorsCriterion(margin_points=-1.0),
        ErrorsCriterion(margin_points=101.0),
    ],
)
def test_a_margin_no_test_can_be_made_of_is_refused(criterion):
    with pytest.raises(ValueError, match="errors: "):
        ErrorsGate(criterion=criterion)


def binomial(dice: Random, count: int, rate: float) -> int:
    return sum(dice.random() < rate for _ in range(count))


def test_wrong_passes_at_the_margin_stay_below_their_level():
    """Stable 0 %, candidate 2 %, margin 2 points: at most .05 + 3 standard errors of 200 runs may pass."""
    dice, passes = Random(9), 0
    for _ in range(200):
        blocks = (outcomes(block, p=0.5, stable=(50, 0), candidate=(50, binomial(dice, 50, 0.02))) for block in range(12))
        passes += folded(blocks).proven.passed_at is not None
    assert passes <= 19


def test_false_trips_of_an_equal_candidate_stay_below_their_level():
    dice, trips = Random(10), 0
    for _ in range(100):
        blocks = (
            outcomes(block, p=0.1, stable=(900, binomial(dice, 900, 0.01)), candidate=(100, binomial(dice, 100, 0.01)))
            for block in range(8)
        )
        trips += folded(blocks).proven.tripped_at is not None
    assert trips <= 4
