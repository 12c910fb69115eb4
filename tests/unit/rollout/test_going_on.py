"""What people say so that a rollout goes on: who may, what is refused, and what a rollback needs."""

from collections.abc import Callable

import msgspec
import pytest

from changeover.rollout.commands import (
    NothingToDo,
    Order,
    Refusal,
    RolloutRequest,
    approve,
    move,
    override,
    pause,
    promote,
    release,
    retry,
    roll_back,
    start_rollout,
)
from changeover.rollout.plan import AnalysisStep, ApproveStep, Deadline, Plan, WeightStep
from changeover.rollout.role import Role
from changeover.rollout.state import Acknowledged, Phase, RetentionPassed
from changeover.rollout.world import PromotionUndone, RolloutStarted, World, apply, routing_table
from tests.unit.rollout.builders import BAKED, T0, change_of, committed, next_event, plan, seeded

ORDER = Order(actor="ana", reason="because")
SILENT = Order(actor="ana", reason=" ")
APPROVED = plan((WeightStep(permille=500), AnalysisStep(require="pass"), ApproveStep(roles=("owner",)), WeightStep(permille=1000)))


def _begun(of: Plan | None = None) -> World:
    request = RolloutRequest(task="email", candidate="new", plan=of or plan(), id="r1", salt="s1")
    return committed(seeded(), start_rollout(seeded(), request, order=Order(actor="sam", reason="try"), now=T0))


def _on(world: World, times: int) -> World:
    """So many events along the happy path."""
    for turn in range(times):
        rollout = world.rollouts["r1"]
        proposal = move(world, rollout_id="r1", event=next_event(rollout), now=T0 + 1000.0 * (turn + 1), actor="controller")
        world = committed(world, proposal)
    return world


def _promoted() -> World:
    world = _on(_begun(BAKED), 6)
    assert world.tasks["email"].stable == "new"
    return world


def _refusal(ask: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ask()
    return caught.value


def _approve(world: World, role: Role, *, actor: str = "oda", four_eyes: bool = False) -> World:
    order = Order(actor=actor, reason="read")
    return committed(world, approve(world, task="email", order=order, role=role, now=T0, four_eyes=four_eyes))


def test_who_approves_has_a_role_that_the_step_wants() -> None:
    world = _on(_begun(APPROVED), 2)
    found = _refusal(lambda: _approve(world, Role.OPERATOR))
    assert (found.code, found.message) == ("not_allowed", "oda has the role operator, this step needs owner")
    (approval,) = _approve(world, Role.OWNER).rollouts["r1"].progress.approvals
    assert (approval.actor, approval.role, approval.step) == ("oda", "owner", 2)


def test_with_four_eyes_the_starter_is_not_the_approver() -> None:
    world = _on(_begun(APPROVED), 2)
    assert world.rollouts["r1"].started_by == "sam"
    assert _refusal(lambda: _approve(world, Role.OWNER, actor="sam", four_eyes=True)).code == "not_allowed"
    assert _approve(world, Role.OWNER, actor="sam").rollouts["r1"].progress.cleared


def test_an_approval_is_given_once_and_where_it_is_asked_for() -> None:
    world = _on(_begun(APPROVED), 2)
    approved = _approve(world, Role.OWNER)
    with pytest.raises(NothingToDo, match="approved already, by oda as owner"):
        _approve(approved, Role.OWNER)
    assert _refusal(lambda: _approve(_begun(), Role.OWNER)).code == "conflict"


def test_an_override_names_gates_by_criterion_or_verdict_and_says_why() -> None:
    world = _on(_begun(), 1)

    def named(*gates: str) -> tuple[str, ...]:
        proposal = override(world, task="email", gates=gates, order=ORDER, now=T0)
        return committed(world, proposal).rollouts["r1"].progress.overrides[0].gates

    assert named("errors", "dwell") == ("errors", "dwell")
    assert _refusal(lambda: named("latency")).code == "invalid"
    assert _refusal(lambda: named("sample ratio")).code == "invalid"
    assert _refusal(named).code == "invalid"
    assert "needs a reason" in _refusal(lambda: override(world, task="email", gates=["errors"], order=SILENT, now=T0)).message


def test_promoting_is_refused_while_it_is_paused_and_after_it_was_rolled_back() -> None:
    world = _on(_begun(), 1)
    paused = committed(world, pause(world, task="email", order=ORDER, now=T0))
    assert "is paused: because" in _refusal(lambda: promote(paused, task="email", order=ORDER, now=T0)).message
    back = committed(world, roll_back(world, task="email", actor="ana", reason="no", now=T0))
    found = _refusal(lambda: promote(back, task="email", order=ORDER, now=T0))
    assert (found.code, "was rolled back: no" in found.message) == ("conflict", True)
    assert "changeover rollout retry email" in found.hint
    with pytest.raises(NothingToDo, match="went through already"):
        promote(_promoted(), task="email", order=ORDER, now=T0)


def test_every_word_but_a_rollback_carries_the_revision_it_was_decided_on() -> None:
    world = _on(_begun(APPROVED), 2)
    stale = Order(actor="ana", reason="x", expected_revision=world.revision - 1)
    asks: list[Callable[[], object]] = [
        lambda: approve(world, task="email", order=stale, role=Role.OWNER, now=T0),
        lambda: override(world, task="email", gates=["errors"], order=stale, now=T0),
        lambda: promote(world, task="email", order=stale, now=T0),
        lambda: retry(world, task="email", rollout_id="r2", salt="s2", order=stale, now=T0),
    ]
    assert {_refusal(ask).code for ask in asks} == {"stale"}


def test_a_retry_is_the_same_plan_with_its_own_draw_and_no_evidence() -> None:
    world = _on(_begun(), 2)
    assert "it goes on" in _refusal(lambda: retry(world, task="email", rollout_id="r2", salt="s2", order=ORDER, now=T0)).message
    paused = committed(world, pause(world, task="email", order=ORDER, now=T0))
    proposal = retry(paused, task="email", rollout_id="r2", salt="s2", order=ORDER, now=T0)
    assert isinstance(proposal.body, RolloutStarted)
    after = committed(paused, proposal)
    old, new = after.rollouts["r1"], after.rollouts["r2"]
    assert (old.progress.phase, old.progress.permille) == (Phase.SUPERSEDED, 0)
    assert (new.plan, new.attempt, new.salt, new.retry_of) == (old.plan, old.attempt + 1, "s2", "r1")
    assert (new.progress.passed, new.progress.permille) == ((), 100)
    assert after.tasks["email"].blocked == ()
    assert routing_table(after).routes["email"].salt == "s2"


def test_what_was_rolled_back_is_retried_only_after_its_release() -> None:
    world = committed(_begun(), roll_back(_begun(), task="email", actor="ana", reason="no", now=T0))
    ask = lambda of: retry(of, task="email", rollout_id="r2", salt="s2", order=ORDER, now=T0)  # noqa: E731
    assert "is blocked" in _refusal(lambda: ask(world)).message
    released = committed(world, release(world, task="email", candidate="new", order=ORDER))
    assert committed(released, ask(released)).tasks["email"].rollout == "r2"


def test_a_promotion_is_taken_back_as_a_move_of_its_rollout_and_the_pair_is_blocked() -> None:
    world = _promoted()
    back = committed(world, roll_back(world, task="email", actor="ana", reason="complaints", now=T0 + 9000.0))
    rollout, task = back.rollouts["r1"], back.tasks["email"]
    assert (rollout.progress.phase, rollout.progress.was_promoted) == (Phase.ROLLING_BACK, True)
    assert (task.stable, task.blocked) == ("old", (("old", "new"),))
    told = committed(back, move(back, rollout_id="r1", event=Acknowledged(), now=T0 + 9001.0, actor="controller"))
    assert told.rollouts["r1"].progress.phase is Phase.ROLLED_BACK
    assert "nothing to roll back" in _refusal(lambda: roll_back(told, task="email", actor="ana", reason="", now=T0)).message


def test_once_retired_the_old_version_is_no_way_back_and_the_way_by_steps_is_named() -> None:
    world = _promoted()
    for event in (RetentionPassed(), Acknowledged()):
        world = committed(world, move(world, rollout_id="r1", event=event, now=T0 + 1e6, actor="controller"))
    assert world.rollouts["r1"].progress.phase is Phase.RETIRED
    found = _refusal(lambda: roll_back(world, task="email", actor="ana", reason="", now=T0))
    assert "changeover rollout start email --to old" in found.hint


def test_releasing_before_every_data_plane_knows_is_not_undone_by_their_word() -> None:
    world = committed(_begun(), roll_back(_begun(), task="email", actor="ana", reason="no", now=T0))
    world = committed(world, release(world, task="email", candidate="new", order=ORDER))
    told = committed(world, move(world, rollout_id="r1", event=Acknowledged(), now=T0, actor="controller"))
    assert told.tasks["email"].blocked == ()


def test_a_task_that_is_gone_by_then_hinders_no_acknowledgement() -> None:
    world = committed(_begun(), roll_back(_begun(), task="email", actor="ana", reason="no", now=T0))
    without = msgspec.structs.replace(world, tasks={name: task for name, task in world.tasks.items() if name != "email"})
    told = apply(without, change_of(without, move(without, rollout_id="r1", event=Acknowledged(), now=T0, actor="controller")))
    assert told.rollouts["r1"].progress.phase is Phase.ROLLED_BACK


def test_what_older_versions_wrote_of_a_promotion_taken_back_still_means_that() -> None:
    world = _promoted()
    change = change_of(world, roll_back(world, task="email", actor="ana", reason="", now=T0))
    old = apply(world, msgspec.structs.replace(change, body=PromotionUndone(task="email", rollout="r1")))
    assert (old.tasks["email"].stable, old.tasks["email"].blocked) == ("old", (("old", "new"),))


def test_a_rollout_whose_date_has_passed_is_not_started_unless_the_stable_goes() -> None:
    assert "deadline has passed" in _refusal(lambda: _begun(plan(deadline=Deadline(at=T0, retires="candidate")))).message
    assert _begun(plan(deadline=Deadline(at=T0, retires="stable"))).tasks["email"].rollout == "r1"
