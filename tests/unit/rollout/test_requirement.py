"""When is an analysis met, and which plans may start."""

import math

import msgspec
import pytest

from changeover.gates.criteria import CostCriterion, Criteria, ErrorsCriterion, LatencyCriterion, QualityCriterion, SafetyCriterion
from changeover.gates.verdict import Assessment, Decision, SideFigures, Verdict
from changeover.rollout.plan import AnalysisStep, Step, WeightStep
from changeover.rollout.plan_rules import plan_faults, step_faults
from changeover.rollout.requirement import unmet
from changeover.rollout.state import Rollout
from tests.unit.rollout.builders import BLOCK_S, BLOCKS_MIN, assessment, plan, verdict, walked

NO_HARM = AnalysisStep(require="no_harm")
PASS = AnalysisStep(require="pass")
PRESENT: Rollout = walked(3)
ACKNOWLEDGED_AT = PRESENT.progress.acknowledged_at or math.nan
CLOSED = ACKNOWLEDGED_AT + BLOCKS_MIN * BLOCK_S


def _unmet(step: AnalysisStep, found: Assessment) -> tuple[str, ...]:
    return unmet(step, PRESENT.plan, PRESENT.progress, found)


def _both(quality: Verdict) -> Assessment:
    return assessment(quality, verdict("errors"), closed_until=CLOSED)


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_all_gates_passed_after_the_dwell_is_met(step: AnalysisStep) -> None:
    assert _unmet(step, assessment(closed_until=CLOSED)) == ()


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_a_block_too_few_is_unmet(step: AnalysisStep) -> None:
    assert _unmet(step, assessment(closed_until=CLOSED, blocks=BLOCKS_MIN - 1)) == ("2 closed blocks at this weight, needs >= 3",)


@pytest.mark.parametrize("require", ["no_harm", "pass"])
def test_too_short_a_service_is_unmet(require: str) -> None:
    step = msgspec.convert({"step": "analysis", "require": require, "duration_min_s": 181.0}, AnalysisStep)
    assert _unmet(step, assessment(closed_until=CLOSED)) == ("180 s served at this weight, needs >= 181 s",)
    assert _unmet(step, assessment(closed_until=CLOSED, served_s=math.nan))


def test_evidence_that_ended_before_the_acknowledgement_is_unmet() -> None:
    found = _unmet(NO_HARM, assessment(closed_until=ACKNOWLEDGED_AT - 60.0))
    assert found == ("evidence of 180 s is older than this weight, needs <= 0 s closed since it was acknowledged",)
    assert _unmet(NO_HARM, assessment(closed_until=math.nan))


def test_an_unacknowledged_weight_is_unmet() -> None:
    waiting = walked(2)
    found = unmet(NO_HARM, waiting.plan, waiting.progress, assessment(closed_until=CLOSED))
    assert found == ("weight 50 % is not acknowledged, needs every live data plane",)


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_a_sample_ratio_alarm_is_unmet(step: AnalysisStep) -> None:
    assert _unmet(step, assessment(closed_until=CLOSED, alarm=True)) == ("sample-ratio alarm at log e 0.5, needs < 6.9",)


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_a_trip_is_unmet_even_beside_a_pass(step: AnalysisStep) -> None:
    assert _unmet(step, _both(verdict("quality", tripped=True))) == ("quality has tripped, needs 0 trips",)


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_a_gate_without_a_verdict_is_unmet(step: AnalysisStep) -> None:
    found = _unmet(step, assessment(verdict("quality"), closed_until=CLOSED))
    assert found == ("errors has 0 verdicts, needs >= 1",)


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_a_verdict_with_problems_is_unmet_whatever_it_decided(step: AnalysisStep) -> None:
    assert _unmet(step, _both(verdict("quality", problems=("late scores",)))) == ("quality has 1 problem (late scores), needs 0",)


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_every_verdict_of_a_gate_counts_not_just_one(step: AnalysisStep) -> None:
    verdicts = [verdict("quality"), verdict("quality", Decision.FAIL), verdict("errors")]
    assert _unmet(step, assessment(*verdicts, closed_until=CLOSED))


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_a_plan_without_a_gate_is_never_met(step: AnalysisStep) -> None:
    empty = plan(criteria=Criteria(quality=QualityCriterion(score=None)))
    assert unmet(step, empty, PRESENT.progress, assessment(closed_until=CLOSED)) == ("0 gates in the plan, needs >= 1",)


@pytest.mark.parametrize("decision", [Decision.UNDECIDED, Decision.FAIL])
def test_pass_wants_a_pass(decision: Decision) -> None:
    assert _unmet(PASS, _both(verdict("quality", decision))) == (f"quality is {decision} at log e 1 of 3, needs = pass",)


def test_no_harm_takes_an_undecided_gate_that_could_have_tripped() -> None:
    assert _unmet(NO_HARM, _both(verdict("quality", Decision.UNDECIDED))) == ()


def test_no_harm_refuses_an_undecided_gate_that_could_not_have_tripped() -> None:
    found = _unmet(NO_HARM, _both(verdict("quality", Decision.UNDECIDED, able_to_trip=False)))
    assert found == ("quality is undecided and not able to trip, needs = pass or able to trip",)


def test_no_harm_refuses_a_failed_gate() -> None:
    assert _unmet(NO_HARM, _both(verdict("quality", Decision.FAIL))) == ("quality is fail, needs = pass or undecided",)


def _guard(**changed: object) -> Verdict:
    return msgspec.structs.replace(verdict("quality", Decision.UNDECIDED, able_to_trip=False), guard_only=True, **changed)


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_a_verdict_that_only_guards_is_needed_by_no_step(step: AnalysisStep) -> None:
    assert _unmet(step, _both(_guard())) == ()
    assert _unmet(step, _both(_guard(problems=("no price known",), decision=Decision.FAIL))) == ()


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_a_verdict_that_only_guards_still_trips(step: AnalysisStep) -> None:
    assert _unmet(step, _both(_guard(tripped=True))) == ("quality has tripped, needs 0 trips",)


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_guards_alone_never_meet_a_step(step: AnalysisStep) -> None:
    guards = [msgspec.structs.replace(verdict(name), guard_only=True) for name in ("quality", "errors")]
    assert _unmet(step, assessment(*guards, closed_until=CLOSED)) == ("0 verdicts of gates, needs >= 1",)


@pytest.mark.parametrize("step", [NO_HARM, PASS])
def test_every_criterion_that_is_asked_is_a_gate(step: AnalysisStep) -> None:
    asked = plan(criteria=Criteria(latency=LatencyCriterion(guard_only=(0.99,)), cost=CostCriterion(), safety=SafetyCriterion(harmful="h")))
    names = ("latency p50", "latency p95", "cost", "input tokens", "output tokens", "filter", "harmful")
    assert asked.gates == names
    for missing in names:
        found = assessment(*(verdict(name) for name in names if name != missing), closed_until=CLOSED)
        assert unmet(step, asked, PRESENT.progress, found) == (f"{missing} has 0 verdicts, needs >= 1",)


@pytest.mark.parametrize(("missing", "is_met"), [(49, True), (50, False), (1000, False)])
def test_no_harm_wants_under_five_percent_missing_on_both_sides(missing: int, is_met: bool) -> None:
    found = _unmet(NO_HARM, _both(verdict("quality", missing=missing)))
    assert (found == ()) is is_met
    assert len(found) in (0, 2)


def test_a_side_that_has_shown_nothing_is_all_missing() -> None:
    empty = msgspec.structs.replace(verdict("quality"), candidate=SideFigures())
    assert _unmet(NO_HARM, _both(empty)) == ("quality: 100.0% missing on the candidate, needs < 5%",)


def test_a_sound_plan_has_no_faults() -> None:
    assert plan_faults(plan()) == []


def _weight(permille: int) -> WeightStep:
    return WeightStep(permille=permille)


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ((), "found no steps; expected weights up to 100"),
        ((NO_HARM, _weight(500), PASS, _weight(1000)), "step 1: found an analysis first"),
        ((_weight(500), PASS, _weight(1000), NO_HARM), "step 4: found another last step"),
        ((_weight(500), PASS), "step 2: found another last step"),
        ((_weight(500), PASS, _weight(999)), "step 3: found another last step"),
        ((_weight(100), NO_HARM, _weight(1000)), "step 2: found no proof before weight 100"),
        ((_weight(1000),), "step 1: found no proof before weight 100"),
        ((_weight(100), _weight(200), PASS, _weight(1000)), "step 2: found weight 20 % right after another weight"),
        ((_weight(100), NO_HARM, _weight(100), PASS, _weight(1000)), "step 3: found weight 10 % after 10 %"),
        ((_weight(300), NO_HARM, _weight(100), PASS, _weight(1000)), "step 3: found weight 10 % after 30 %"),
        ((_weight(0), PASS, _weight(1000)), "step 1: found weight 0 %"),
        ((_weight(1001), PASS, _weight(1000)), "step 1: found weight 100.1 %"),
    ],
)
def test_a_plan_with_a_fault_names_it(steps: tuple[Step, ...], fault: str) -> None:
    assert any(found.startswith(fault) for found in plan_faults(plan(steps))), plan_faults(plan(steps))


def test_a_plan_needs_a_criterion_with_a_source() -> None:
    assert plan_faults(plan(criteria=Criteria())) == [
        "found no criterion with a source; expected at least one, such as errors or quality with scores"
    ]
    assert plan_faults(plan(criteria=Criteria(errors=ErrorsCriterion()))) == []


def test_every_fault_of_a_plan_is_named_at_once() -> None:
    steps = (NO_HARM, _weight(0), _weight(500))
    assert {fault.step for fault in step_faults(plan(steps, Criteria()))} == {None, 0, 1, 2}
