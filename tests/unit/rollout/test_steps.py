"""Steps beside weights and analyses: approvals, pauses, preparation, verification, shadowing, and dates."""

import pytest

from changeover.gates.verdict import Decision
from changeover.rollout.machine import advance
from changeover.rollout.plan import (
    AnalysisStep,
    ApproveStep,
    Deadline,
    PauseStep,
    PrepareStep,
    ShadowStep,
    Step,
    VerifyStep,
    WeightStep,
)
from changeover.rollout.plan_rules import plan_faults
from changeover.rollout.record import Hold
from changeover.rollout.state import (
    Acknowledged,
    Approved,
    Assessed,
    Event,
    Overridden,
    Pause,
    Phase,
    Promote,
    Provisioned,
    ProvisionFailed,
    Resume,
    Rollout,
    Shadowed,
    Started,
    Supersede,
    Verified,
)
from tests.unit.rollout.builders import T0, assessment, passing, plan, rollout, undecided, verdict, walked

LATER = T0 + 50_000.0
TENTH, HALF, ALL = WeightStep(permille=100), WeightStep(permille=500), WeightStep(permille=1000)
NO_HARM, PASS = AnalysisStep(require="no_harm"), AnalysisStep(require="pass")
OWNER = Approved(actor="oda", role="owner", reason="figures read")


def _moved(present: Rollout, event: Event, now: float = LATER) -> Rollout:
    return advance(present, event, now)[0]


def _at(index: int, *steps: Step) -> Rollout:
    return walked(index, plan(steps))


def _step(present: Rollout) -> int:
    return present.progress.step


# Approvals.


def test_an_approval_is_asked_for_and_evidence_alone_never_passes_it() -> None:
    waiting = _at(1, HALF, PASS)
    present, commands = advance(_at(1, HALF, PASS, ApproveStep(roles=("owner",)), ALL), passing(waiting), LATER)
    assert "waits for the approval of owner" in present.progress.reason
    assert [command.topic for command in commands] == ["approval"]
    assert "changeover rollout approve email" in commands[0].text
    assert _step(_moved(present, passing(present))) == 2


def test_what_was_approved_goes_on_when_its_proof_still_holds() -> None:
    present = _at(2, HALF, PASS, ApproveStep(roles=("owner",)), ALL)
    approved = _moved(present, OWNER)
    assert (_step(approved), approved.progress.permille) == (2, 500)
    assert [(one.step, one.actor, one.role, one.reason) for one in approved.progress.approvals] == [(2, "oda", "owner", "figures read")]
    assert _step(_moved(approved, undecided(approved))) == 2
    after = _moved(approved, passing(approved))
    assert (_step(after), after.progress.reason) == (3, "approved by oda (owner); weight 100 %")


def test_an_approval_before_any_traffic_is_enough() -> None:
    present = _moved(rollout(plan((ApproveStep(roles=("operator",)), HALF, PASS, ALL))), Started())
    assert (present.progress.permille, _step(present)) == (0, 0)
    assert _moved(present, Acknowledged()) == present
    after = _moved(present, Approved(actor="oda", role="operator"))
    assert (after.progress.permille, _step(after)) == (500, 1)


def test_another_role_and_a_second_approval_change_nothing() -> None:
    present = _at(2, HALF, PASS, ApproveStep(roles=("owner",)), ALL)
    assert _moved(present, Approved(actor="oda", role="operator")) == present
    approved = _moved(present, OWNER)
    assert _moved(approved, OWNER) == approved


def test_finishing_now_passes_over_pauses_and_no_approval() -> None:
    present = _moved(_at(2, HALF, PASS, ApproveStep(roles=("owner",)), PauseStep(), ALL), Promote(actor="ana", reason="now"))
    assert _step(_moved(present, passing(present))) == 2
    approved = _moved(_moved(present, OWNER), passing(present))
    assert (_step(approved), approved.progress.phase) == (3, Phase.RUNNING)
    assert _step(_moved(approved, passing(approved))) == 4


# Pauses.


def test_a_pause_of_the_plan_says_what_it_waits_for_and_resuming_goes_on_with_proof() -> None:
    steps = (HALF, PASS, PauseStep(), ALL)
    present, commands = advance(_at(1, *steps), passing(_at(1, *steps)), LATER)
    assert present.progress.phase is Phase.PAUSED
    assert present.progress.hold == Hold(kind="step", value="0 words to go on", comparator="<", limit="1 (changeover rollout resume)")
    assert [command.topic for command in commands] == ["paused"]
    resumed = _moved(present, Resume(), LATER)
    assert (resumed.progress.phase, _step(resumed), resumed.progress.hold) == (Phase.RUNNING, 2, None)
    assert _step(_moved(resumed, undecided(resumed))) == 2
    assert _step(_moved(resumed, passing(resumed))) == 3


def test_a_timed_pause_counts_time_that_was_watched() -> None:
    present = _at(2, HALF, PASS, PauseStep(duration_s=600.0), ALL)
    entered = present.progress.step_entered_at
    unwatched = Assessed(assessment=assessment(closed_until=entered + 599.0))
    assert _step(_moved(present, unwatched, entered + 1e6)) == 2
    assert _step(_moved(present, Assessed(assessment=assessment(closed_until=entered + 600.0)))) == 3


# Before any traffic.


def test_the_candidate_is_prepared_verified_and_shadowed_before_it_serves_anybody() -> None:
    steps = (
        PrepareStep(),
        VerifyStep(gates=("accuracy",)),
        ShadowStep(permille=50, samples_min=500, cost_usd_max=20.0),
        TENTH,
        NO_HARM,
        ALL,
    )
    of = plan(steps, strategy="paired")
    assert plan_faults(of) == []
    present = _moved(rollout(of), Started(), T0)
    assert (present.progress.phase, present.progress.permille) == (Phase.PROVISIONING, 0)
    present = _moved(present, Provisioned())
    assert (present.progress.phase, _step(present)) == (Phase.VERIFYING, 1)
    present = _moved(present, Verified(assessment=assessment(verdict("accuracy"), closed_until=0.0)))
    assert (present.progress.phase, _step(present), present.progress.verified) == (Phase.VERIFYING, 2, ("accuracy",))
    assert _moved(present, Shadowed(samples=499, cost_usd=3.0)) == present
    present = _moved(present, Shadowed(samples=500, cost_usd=3.0))
    assert (present.progress.phase, _step(present), present.progress.permille) == (Phase.RUNNING, 3, 100)


def test_what_cannot_be_prepared_pauses_with_the_reason() -> None:
    present = _moved(rollout(plan((PrepareStep(), HALF, PASS, ALL))), Started(), T0)
    after = _moved(present, ProvisionFailed(reason="no quota left in swedencentral"))
    assert (after.progress.phase, after.progress.permille) == (Phase.PAUSED, 0)
    assert "no quota left" in after.progress.reason
    resumed = _moved(after, Resume())
    assert resumed.progress.phase is Phase.PROVISIONING
    assert _step(_moved(resumed, Provisioned())) == 1


def _verifying() -> Rollout:
    steps = (VerifyStep(gates=("accuracy",), duration_max_s=60.0), ALL)
    return _moved(rollout(plan(steps, strategy="blue-green")), Started(), T0)


def test_a_version_that_fails_in_verification_never_serves() -> None:
    present = _verifying()
    after = _moved(present, Verified(assessment=assessment(verdict("accuracy", Decision.FAIL), closed_until=0.0)))
    assert (after.progress.phase, after.progress.permille) == (Phase.ROLLING_BACK, 0)
    assert "accuracy failed in verification" in after.progress.reason


def test_an_undecided_verification_waits_and_pauses_at_its_limit() -> None:
    present = _verifying()
    found = Verified(assessment=assessment(verdict("accuracy", Decision.UNDECIDED), closed_until=0.0))
    assert _moved(present, found, T0 + 60.0) == present
    paused = _moved(present, found, T0 + 61.0)
    assert paused.progress.hold == Hold(kind="undecided", value="61 s at this step", comparator=">", limit="60 s")


def test_a_gate_that_verification_did_not_answer_is_no_pass() -> None:
    present = _verifying()
    assert _moved(present, Verified(assessment=assessment(verdict("quality"), closed_until=0.0)), T0) == present


def test_shadowing_that_costs_too_much_pauses() -> None:
    present = _moved(rollout(plan((ShadowStep(permille=50, samples_min=500, cost_usd_max=20.0), HALF, PASS, ALL))), Started(), T0)
    after = _moved(present, Shadowed(samples=120, cost_usd=20.01))
    assert after.progress.hold is not None
    assert after.progress.hold.sentence == "20.01 USD for 120 copies > 20.00 USD"


@pytest.mark.parametrize(
    ("steps", "strategy", "fault"),
    [
        ((HALF, PASS, VerifyStep(gates=("accuracy",)), ALL), "canary", "step 3: found verify after a weight"),
        ((VerifyStep(gates=()), HALF, PASS, ALL), "canary", "step 1: found a verify without gates"),
        ((ALL,), "blue-green", "step 1: found no verify in a blue-green rollout"),
        ((TENTH, NO_HARM, ALL), "paired", "step 2: found no verify in a paired rollout"),
        ((HALF, PASS, ApproveStep(roles=("boss",)), ALL), "canary", "step 3: found roles boss"),
        ((HALF, PASS, ApproveStep(roles=()), ALL), "canary", "step 3: found roles none"),
        ((TENTH, ApproveStep(roles=("owner",)), HALF, PASS, ALL), "canary", "step 3: found weight 50 % with no analysis since"),
        ((HALF, ApproveStep(roles=("owner",)), ALL), "canary", "step 2: found no proof before weight 100"),
    ],
)
def test_steps_in_the_wrong_place_are_named(steps: tuple[Step, ...], strategy: str, fault: str) -> None:
    found = plan_faults(plan(steps, strategy=strategy))
    assert any(one.startswith(fault) for one in found), found


# Undecided, dates, overrides.


def test_an_undecided_analysis_may_roll_back_at_its_limit() -> None:
    present = _at(1, HALF, AnalysisStep(require="pass", duration_max_s=60.0, on_undecided="rollback"), ALL)
    after = _moved(present, undecided(present), present.progress.step_entered_at + 61.0)
    assert after.progress.phase is Phase.ROLLING_BACK
    assert after.progress.reason.startswith("undecided at the deadline: 61 s at this step, limit 60 s; ")


def _due(retires: str) -> Rollout:
    deadline = Deadline(at=LATER, retires=retires, reason="retired by its provider")  # pyright: ignore[reportArgumentType]
    return walked(1, plan(deadline=deadline))


def test_past_a_date_from_outside_it_pauses_once_and_people_are_told() -> None:
    present = _due("candidate")
    assert _moved(present, undecided(present), LATER - 1.0) == present
    after, commands = advance(present, undecided(present), LATER)
    assert (after.progress.phase, after.progress.permille) == (Phase.PAUSED, 100)
    assert after.progress.hold is not None
    assert (after.progress.hold.kind, after.progress.hold.comparator) == ("deadline", ">=")
    assert [command.topic for command in commands] == ["paused", "retirement"]
    resumed = _moved(after, Resume(), LATER + 1.0)
    assert _moved(resumed, undecided(resumed), LATER + 2.0).progress.phase is Phase.RUNNING


def test_when_the_stable_itself_retires_it_goes_on_and_says_what_to_do() -> None:
    present = _due("stable")
    after, commands = advance(present, undecided(present), LATER)
    assert after.progress.phase is Phase.RUNNING
    assert [command.topic for command in commands] == ["retirement"]
    assert "changeover rollout promote email" in commands[0].text


def test_one_without_traffic_expires_at_its_date() -> None:
    steps = (ApproveStep(roles=("owner",)), HALF, PASS, ALL)
    present = _moved(rollout(plan(steps, deadline=Deadline(at=LATER))), Started(), T0)
    after, commands = advance(present, undecided(present), LATER)
    assert (after.progress.phase, [command.topic for command in commands]) == (Phase.EXPIRED, ["", "expired"])


def test_before_its_date_it_stays_a_draft() -> None:
    draft = rollout(plan(not_before_at=LATER))
    assert draft.progress.phase is Phase.DRAFT
    assert _moved(draft, Started(), LATER - 1.0) == draft
    assert _moved(draft, Started(), LATER).progress.permille == 100


def test_an_override_is_good_for_its_step_and_what_waits_behind_it() -> None:
    word = Overridden(gates=("errors", "quality", "dwell"), actor="ana", reason="ticket 4711")
    present = _moved(_at(1, TENTH, NO_HARM, PauseStep(duration_s=1.0), HALF, PASS, ALL), word)
    weak = assessment(verdict("errors", Decision.UNDECIDED, able_to_trip=False), closed_until=LATER, blocks=0)
    waiting = _moved(present, Assessed(assessment=weak))
    assert waiting.progress.reason.startswith("no_harm is not met but overridden: errors, quality, dwell by ana (ticket 4711); ")
    half = _moved(waiting, Assessed(assessment=weak), LATER + 9.0)
    assert _step(half) == 2
    half = _moved(waiting, Assessed(assessment=assessment(verdict("errors"), closed_until=LATER + 9.0, blocks=0)), LATER + 9.0)
    assert (_step(half), half.progress.permille) == (3, 500)
    analysed = _moved(half, Acknowledged(), LATER + 10.0)
    assert _moved(analysed, Assessed(assessment=weak)) == analysed


def test_an_override_that_was_not_needed_says_that_the_step_is_met() -> None:
    word = Overridden(gates=("errors",), actor="ana", reason="ticket 4711")
    present = _moved(_at(1, TENTH, NO_HARM, PauseStep(duration_s=1.0), HALF, PASS, ALL), word)
    after = _moved(present, passing(present))
    assert after.progress.reason.startswith("no_harm is met; overridden: errors by ana (ticket 4711); ")


def test_a_wish_to_finish_without_a_reason_says_that_none_was_given() -> None:
    present = _moved(_at(1, TENTH, NO_HARM, HALF, PASS, ALL), Promote(actor="ana", reason="", gates=()))
    assert _moved(present, passing(present)).progress.reason.startswith("no_harm is met; finished by ana (no reason given); ")


def test_what_was_resumed_says_what_it_waits_for() -> None:
    present = _moved(_at(1, TENTH, NO_HARM, HALF, PASS, ALL), Pause(reason="freeze"))
    assert _moved(present, Resume()).progress.reason == "resumed; analysis no_harm"


@pytest.mark.parametrize(
    "word",
    [
        Overridden(gates=(), actor="ana", reason="x"),
        Overridden(gates=("errors",), actor="ana", reason=" "),
        Overridden(gates=("sample ratio",), actor="ana", reason="x"),
        Overridden(gates=("data-planes",), actor="ana", reason="x"),
    ],
)
def test_an_override_without_a_gate_a_reason_or_a_known_name_is_none(word: Overridden) -> None:
    present = walked(1)
    assert _moved(present, word) == present


def test_only_what_stands_still_is_superseded() -> None:
    present = _at(2, HALF, PASS, PauseStep(), ALL)
    assert _moved(walked(1), Supersede(by="r2")) == walked(1)
    after = _moved(present, Supersede(by="r2"))
    assert (after.progress.phase, after.progress.permille, after.progress.reason) == (Phase.SUPERSEDED, 0, "superseded by r2")
