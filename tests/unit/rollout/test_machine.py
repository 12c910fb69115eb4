"""The machine of one rollout, transition by transition."""

import msgspec
import pytest

from changeover.gates.criteria import Criteria
from changeover.gates.verdict import Braked, Decision
from changeover.rollout.machine import advance
from changeover.rollout.plan import AnalysisStep, WeightStep
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
    RetentionPassed,
    RollBack,
    Rollout,
    Shadowed,
    Started,
    Supersede,
)
from tests.unit.rollout.builders import (
    BLOCK_S,
    BLOCKS_MIN,
    T0,
    alarming,
    assessment,
    passing,
    plan,
    rollout,
    tripping,
    undecided,
    verdict,
    walked,
)

LATER = T0 + 50_000.0
BRAKED = Braked(
    at=T0,
    candidate_requests=40,
    candidate_errors=30,
    stable_requests=300,
    stable_errors=0,
    units_min=20,
    share_max=0.5,
    stable_share_max=0.1,
)
EVERY_STEP = range(5)
EVERY_EVENT: tuple[Event, ...] = (
    Started(),
    Provisioned(),
    ProvisionFailed(reason="no quota"),
    Shadowed(samples=1000, cost_usd=1.0),
    Acknowledged(),
    RollBack(reason="x"),
    Pause(reason="x"),
    Resume(),
    Approved(actor="ana", role="owner"),
    Overridden(gates=("quality",), actor="ana", reason="x"),
    Promote(actor="ana", reason="x"),
    Supersede(by="r2"),
    RetentionPassed(),
)
ANALYSES = (1, 3)


def _moved(present: Rollout, event: Event, now: float = LATER) -> Rollout:
    return advance(present, event, now)[0]


def test_starting_takes_the_first_step_and_waits_for_the_data_planes() -> None:
    after, commands = advance(rollout(), Started(), T0)
    assert (after.progress.phase, after.progress.step, after.progress.permille) == (Phase.RUNNING, 0, 100)
    assert after.progress.acknowledged_at is None
    assert [command.kind for command in commands] == ["publish_table", "alert"]


def test_a_rollout_starts_once() -> None:
    started = walked(2)
    assert advance(started, Started(), LATER) == (started, ())


def test_nothing_is_acknowledged_before_the_start() -> None:
    assert advance(rollout(), Acknowledged(), LATER) == (rollout(), ())


def test_a_weight_stands_until_every_data_plane_serves_it() -> None:
    present = walked(0)
    assert _moved(present, passing(present)).progress.step == 0
    after = _moved(present, Acknowledged())
    assert (after.progress.step, after.progress.acknowledged_at, after.progress.step_entered_at) == (1, LATER, LATER)


def test_the_happy_path_ends_in_promotion() -> None:
    completed = walked(99)
    assert completed.progress.phase is Phase.COMPLETED
    assert completed.progress.permille == 1000
    assert completed.progress.finished_at is not None
    assert completed.progress.passed == ("errors", "quality")


def test_one_event_moves_one_step() -> None:
    steps = [walked(index).progress.step for index in EVERY_STEP]
    assert steps == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("index", EVERY_STEP)
@pytest.mark.parametrize("paused", [False, True])
def test_a_tripped_verdict_rolls_back_from_every_step_running_or_paused(index: int, paused: bool) -> None:
    present = walked(index)
    if paused:
        present = _moved(present, Pause(reason="lunch"))
    after, commands = advance(present, tripping(present), LATER)
    assert (after.progress.phase, after.progress.permille, after.progress.finished_at) == (Phase.ROLLING_BACK, 0, LATER)
    assert "quality tripped: -0.31 (-0.4 to -0.2), limit 0.1 of 1 to 5" in after.progress.reason
    assert [(command.kind, command.topic) for command in commands] == [("publish_table", ""), ("alert", "rolled_back")]


@pytest.mark.parametrize("index", EVERY_STEP)
@pytest.mark.parametrize("paused", [False, True])
def test_the_outage_brake_rolls_back_from_every_step_also_at_all_traffic_and_also_paused(index: int, paused: bool) -> None:
    present = walked(index)
    if paused:
        present = _moved(present, Pause(reason="lunch"))
    event = Assessed(assessment=msgspec.structs.replace(passing(present).assessment, brake=BRAKED))
    after, commands = advance(present, event, LATER)
    assert (after.progress.phase, after.progress.permille) == (Phase.ROLLING_BACK, 0)
    assert after.progress.reason.startswith("outage brake: 30 of 40 requests of the candidate")
    assert commands[-1].topic == "rolled_back"


def test_a_brake_and_a_trip_are_both_named() -> None:
    present = walked(3)
    event = Assessed(assessment=msgspec.structs.replace(tripping(present).assessment, brake=BRAKED))
    reason = _moved(present, event).progress.reason
    assert "outage brake" in reason
    assert "quality tripped" in reason


def test_a_trip_wins_over_everything_else_in_the_same_assessment() -> None:
    present = walked(3)
    verdicts = [verdict("quality"), verdict("errors"), verdict("errors", Decision.FAIL, tripped=True)]
    event = Assessed(assessment=assessment(*verdicts, closed_until=LATER, alarm=True))
    assert _moved(present, event).progress.phase is Phase.ROLLING_BACK


@pytest.mark.parametrize("index", EVERY_STEP)
@pytest.mark.parametrize("paused", [False, True])
def test_rolling_back_takes_the_weight_to_zero_in_the_same_transition(index: int, paused: bool) -> None:
    present = walked(index)
    if paused:
        present = _moved(present, Pause(reason="lunch"))
    after = _moved(present, RollBack(reason="by hand"))
    assert (after.progress.phase, after.progress.permille, after.progress.reason) == (Phase.ROLLING_BACK, 0, "by hand")


def _told(present: Rollout) -> Rollout:
    """Rolled back, and every data plane knows."""
    return _moved(_moved(present, RollBack(reason="by hand")), Acknowledged())


@pytest.mark.parametrize("final", [_told(walked(2)), _told(walked(99))], ids=["rolled back", "rolled back after promotion"])
@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: type(event).__name__)
def test_final_phases_absorb_every_event(final: Rollout, event: Event) -> None:
    assert final.progress.phase is Phase.ROLLED_BACK
    assert advance(final, event, LATER) == (final, ())
    assert advance(final, passing(final), LATER) == (final, ())
    assert advance(final, tripping(final), LATER) == (final, ())


@pytest.mark.parametrize("event", [event for event in EVERY_EVENT if not isinstance(event, Acknowledged)], ids=lambda e: type(e).__name__)
def test_rolling_back_absorbs_everything_but_the_acknowledgement(event: Event) -> None:
    going = _moved(walked(2), RollBack(reason="by hand"))
    assert (going.progress.phase, going.progress.permille) == (Phase.ROLLING_BACK, 0)
    assert advance(going, event, LATER) == (going, ())
    assert advance(going, tripping(going), LATER) == (going, ())
    done, commands = advance(going, Acknowledged(), LATER + 1)
    assert (done.progress.phase, done.progress.reason, done.progress.acknowledged_at) == (Phase.ROLLED_BACK, "by hand", LATER + 1)
    assert commands == ()


def test_what_is_promoted_is_moved_by_nothing_but_a_rollback() -> None:
    promoted = walked(99)
    for event in EVERY_EVENT:
        if not isinstance(event, RollBack):
            assert advance(promoted, event, LATER) == (promoted, ())
    assert advance(promoted, tripping(promoted), LATER) == (promoted, ())


@pytest.mark.parametrize("index", ANALYSES)
def test_a_sample_ratio_alarm_pauses_even_when_all_gates_passed(index: int) -> None:
    present = walked(index)
    after, commands = advance(present, alarming(present), present.progress.step_entered_at + 1)
    assert (after.progress.phase, after.progress.step) == (Phase.PAUSED, index)
    assert "sample-ratio alarm: 900 units on the stable, 100 on the candidate" in after.progress.reason
    assert [command.topic for command in commands] == ["paused"]


def test_undecided_past_the_deadline_pauses_and_says_what_is_missing() -> None:
    present = walked(3)
    at_deadline = present.progress.step_entered_at + 3600.0
    assert _moved(present, undecided(present), at_deadline) == present
    after = _moved(present, undecided(present), at_deadline + 1)
    assert (after.progress.phase, after.progress.permille) == (Phase.PAUSED, 500)
    assert after.progress.reason.startswith("undecided at the deadline: 3601 s at this step, limit 3600 s; quality is undecided")


def test_an_analysis_without_a_deadline_waits() -> None:
    present = walked(1)
    assert _moved(present, undecided(present), LATER * 2) == present


def test_a_requirement_met_late_is_met() -> None:
    present = walked(3)
    assert _moved(present, passing(present), present.progress.step_entered_at + 9999.0).progress.step == 4


def test_pausing_keeps_the_weight_and_nothing_advances() -> None:
    present = _moved(walked(3), Pause(reason="lunch"))
    assert (present.progress.phase, present.progress.permille, present.progress.reason) == (Phase.PAUSED, 500, "lunch")
    assert _moved(present, passing(present)) == present
    assert _moved(present, Pause(reason="dinner")).progress.reason == "lunch"


def test_what_passes_during_a_pause_is_remembered_but_advances_nothing() -> None:
    paused = _moved(walked(1), Pause(reason="lunch"))
    assert paused.progress.passed == ()
    after = _moved(paused, passing(paused))
    assert (after.progress.passed, after.progress.step) == (("errors", "quality"), 1)


def test_resuming_restarts_the_clock_of_the_deadline() -> None:
    present = walked(3)
    paused = _moved(present, undecided(present), present.progress.step_entered_at + 3601.0)
    resumed = _moved(paused, Resume(), LATER)
    assert (resumed.progress.phase, resumed.progress.step_entered_at) == (Phase.RUNNING, LATER)
    assert _moved(resumed, undecided(resumed), LATER + 3600.0) == resumed


def test_resuming_what_runs_changes_nothing() -> None:
    present = walked(3)
    assert advance(present, Resume(), LATER) == (present, ())


def test_a_weight_acknowledged_during_a_pause_is_left_behind_on_resuming() -> None:
    paused = _moved(walked(2), Pause(reason="lunch"))
    acknowledged = _moved(paused, Acknowledged(), LATER)
    assert (acknowledged.progress.phase, acknowledged.progress.step, acknowledged.progress.acknowledged_at) == (Phase.PAUSED, 2, LATER)
    resumed = _moved(acknowledged, Resume(), LATER + 9)
    assert (resumed.progress.phase, resumed.progress.step, resumed.progress.acknowledged_at) == (Phase.RUNNING, 3, LATER)


def test_a_weight_not_yet_acknowledged_still_waits_after_a_pause() -> None:
    resumed = _moved(_moved(walked(2), Pause(reason="lunch")), Resume())
    assert resumed.progress.step == 2
    assert _moved(resumed, Acknowledged()).progress.step == 3


def test_evidence_of_the_weight_before_never_meets_the_next_analysis() -> None:
    """An assessment made for the analysis at 10 % arrives when 50 % is acknowledged."""
    old_evidence = passing(walked(1))
    present = walked(3)
    assert _moved(present, old_evidence, present.progress.step_entered_at + 1) == present


def test_a_latched_pass_does_not_stand_in_for_a_present_one() -> None:
    present = walked(3)
    assert present.progress.passed == ("errors", "quality")
    assert _moved(present, undecided(present), present.progress.step_entered_at + 1) == present


def test_a_pass_with_problems_is_not_latched() -> None:
    present = walked(1)
    verdicts = [verdict("quality", problems=("scores missing",)), verdict("errors")]
    closed = present.progress.acknowledged_at or 0.0
    after = _moved(present, Assessed(assessment=assessment(*verdicts, closed_until=closed + BLOCKS_MIN * BLOCK_S)))
    assert (after.progress.passed, after.progress.step) == (("errors",), 1)


def test_a_verdict_of_no_gate_of_the_plan_is_not_latched() -> None:
    of = plan(criteria=Criteria(errors=plan().criteria.errors))
    present = walked(1, of)
    assert _moved(present, passing(present)).progress.passed == ("errors",)


@pytest.mark.parametrize(
    "steps",
    [
        (WeightStep(permille=100),),
        (WeightStep(permille=1000),),
        (WeightStep(permille=100), AnalysisStep(require="no_harm"), WeightStep(permille=1000)),
    ],
)
def test_a_plan_without_proof_before_the_last_weight_never_promotes(steps: tuple[WeightStep | AnalysisStep, ...]) -> None:
    present = _moved(rollout(plan(steps)), Started(), T0)
    for turn in range(6):
        event = Acknowledged() if turn % 2 == 0 else passing(present)
        present = _moved(present, event, T0 + 1000.0 * turn)
    assert present.progress.phase is Phase.PAUSED
    assert "the plan may not promote" in present.progress.reason


def test_every_alert_names_the_limit_and_the_one_command_to_go_back() -> None:
    running = walked(3)
    texts: dict[str, str] = {}
    moves: list[tuple[Rollout, Event]] = [
        (rollout(), Started()),
        (running, Pause(reason="lunch")),
        (running, RollBack(reason="by hand")),
        (walked(4), Acknowledged()),
    ]
    for present, event in moves:
        texts |= {command.topic: command.text for command in advance(present, event, LATER)[1] if command.kind == "alert"}
    assert texts == {
        "started": "rollout r1 started: new gets 10 % of email, at most 100 %; old keeps the rest. To go back: changeover rollback email",
        "paused": "rollout r1 paused: lunch (50 % served of at most 100 %). new stays at 50 % of email, at most 100 %. "
        "To go back: changeover rollback email",
        "rolled_back": "rollout r1 rolled back: by hand. new went from 50 % to 0 % of email; old serves all of it. "
        "To allow another attempt: changeover rollout release email --to new",
        "completed": "rollout r1 completed: new serves 100 % of email and is its stable; passed: quality, errors. "
        "To go back: changeover rollback email",
    }
