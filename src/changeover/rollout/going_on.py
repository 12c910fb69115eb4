"""What may people say so that a rollout holds or goes on? Each word is recorded with who said it, and why."""

from collections.abc import Collection

from changeover.rollout.movement import move
from changeover.rollout.moves import present_step
from changeover.rollout.order import Order, active_of, listed, task_of
from changeover.rollout.overriding import names_for
from changeover.rollout.plan import ApproveStep
from changeover.rollout.refusal import NothingToDo, Refusal
from changeover.rollout.role import Role, approval_refusal, approving_role
from changeover.rollout.state import Approved, Overridden, Pause, Phase, Promote, Resume, Rollout
from changeover.rollout.world import Proposal, World


def pause(world: World, *, task: str, order: Order, now: float) -> Proposal:
    """Keep the weight and let nothing advance."""
    rollout = active_of(world, task, order)
    if rollout.progress.phase is Phase.PAUSED:
        raise NothingToDo(f"rollout {rollout.id} is paused already: {rollout.progress.reason}")
    event = Pause(reason=order.reason or f"paused by {order.actor}")
    return move(world, rollout_id=rollout.id, event=event, now=now, actor=order.actor, reason=order.reason)


def resume(world: World, *, task: str, order: Order, now: float) -> Proposal:
    """Go on from where it was paused. The deadline of an analysis starts anew."""
    rollout = active_of(world, task, order)
    if rollout.progress.phase is not Phase.PAUSED:
        raise NothingToDo(f"rollout {rollout.id} is not paused")
    return move(world, rollout_id=rollout.id, event=Resume(), now=now, actor=order.actor, reason=order.reason)


def approve(world: World, *, task: str, order: Order, role: Role, now: float, four_eyes: bool = False) -> Proposal:
    """Approve the step that the rollout stands on, by the highest of its roles that ``role`` covers.

    Raises:
        NothingToDo: the step is approved already.
        Refusal: it stands on no approval (conflict), or this actor may not give it (not_allowed): see ``role.may_approve``.
    """
    rollout = active_of(world, task, order)
    step = present_step(rollout)
    if not isinstance(step, ApproveStep):
        raise Refusal(
            "conflict",
            f"rollout {rollout.id} waits for no approval: {rollout.progress.reason}",
            hint=f"See where it stands: changeover rollout show {task}",
        )
    if rollout.progress.cleared:
        last = rollout.progress.approvals[-1]
        raise NothingToDo(f"step {rollout.progress.step + 1} of {rollout.id} is approved already, by {last.actor} as {last.role}")
    against = approval_refusal(step.roles, role, actor=order.actor, starter=rollout.started_by, four_eyes=four_eyes)
    if against is not None:
        raise Refusal("not_allowed", against[0], hint=against[1])
    by = approving_role(step.roles, role)
    assert by is not None, "the refusal above"
    event = Approved(actor=order.actor, role=by.value, reason=order.reason)
    reason = order.reason or f"approved as {by}"
    return move(world, rollout_id=rollout.id, event=event, now=now, actor=order.actor, reason=reason)


def override(world: World, *, task: str, gates: Collection[str], order: Order, now: float) -> Proposal:
    """Answer for going on at the present step without what ``gates`` ask. It needs a reason, and holds for that step alone.

    Data planes that a retiring rollout waits for are named ``data-planes``, what is left of a dwell or bake ``dwell``. A trip, the
    outage brake and a sample-ratio alarm are never overridden.
    """
    state = task_of(world, task, order)
    rollout = _retiring(world, task) if state.rollout is None else active_of(world, task, order)
    named = _named(rollout, gates)
    if not named:
        raise Refusal("invalid", "no gate is named", hint=f"Name them: {_known(rollout)}")
    _refuse_silence(order, "an override")
    event = Overridden(gates=named, actor=order.actor, reason=order.reason)
    reason = f"{', '.join(named)} overridden: {order.reason}"
    return move(world, rollout_id=rollout.id, event=event, now=now, actor=order.actor, reason=reason)


def promote(world: World, *, task: str, order: Order, now: float, without: Collection[str] = ()) -> Proposal:
    """Finish the rollout now: without what is left of dwells, pauses and bake, still a step at a time.

    Every gate needs its pass at every weight on the way, on evidence with a closed block of it, but for those in ``without``,
    for which a reason is given. Approvals are still asked for. What was rolled back stays so.
    """
    state = task_of(world, task, order)
    if state.rollout is None:
        _refuse_over(world, task)
    rollout = active_of(world, task, order)
    phase = rollout.progress.phase
    if phase is Phase.PAUSED:
        raise Refusal(
            "conflict",
            f"rollout {rollout.id} is paused: {rollout.progress.reason}",
            hint=f"Resume it first: changeover rollout resume {task}",
        )
    if phase not in (Phase.RUNNING, Phase.BAKING) or not rollout.progress.permille:
        raise Refusal("conflict", f"rollout {rollout.id} has no traffic yet: {phase}", hint="Wait until its candidate serves some")
    named = _named(rollout, without)
    if named:
        _refuse_silence(order, "to finish without a gate")
    event = Promote(actor=order.actor, reason=order.reason, gates=named)
    told = f" without {', '.join(named)}" if named else ""
    reason = f"asked to finish now{told}: {order.reason or 'no reason given'}"
    return move(world, rollout_id=rollout.id, event=event, now=now, actor=order.actor, reason=reason)


def _named(rollout: Rollout, gates: Collection[str]) -> tuple[str, ...]:
    """The gates meant: a criterion's name stands for all its verdicts, such as ``latency`` for each quantile."""
    known = names_for(rollout.plan, rollout.progress.phase)
    found: list[str] = []
    for gate in gates:
        meant = [name for name in known if name == gate or name.startswith(f"{gate} ")]
        if not meant:
            raise Refusal("invalid", f"{gate!r} is nothing to override in {rollout.id}", hint=f"Name one of: {_known(rollout)}")
        found += meant
    return tuple(dict.fromkeys(found))


def _known(rollout: Rollout) -> str:
    return ", ".join(names_for(rollout.plan, rollout.progress.phase))


def _refuse_silence(order: Order, what: str) -> None:
    if not order.reason.strip():
        raise Refusal("invalid", f"{what} needs a reason, found none", hint='Say why: --reason "..."')


def _retiring(world: World, task: str) -> Rollout:
    found = [each for each in world.rollouts.values() if each.task == task and each.progress.phase is Phase.RETIRING]
    if not found:
        raise Refusal(
            "conflict",
            f"task {task} is in no rollout, nor waits for data planes to retire one",
            hint=f"See it: changeover rollout show {task}",
        )
    return max(found, key=lambda rollout: rollout.attempt)


def _refuse_over(world: World, task: str) -> None:
    """Say why there is nothing to promote, where the task had a rollout."""
    past = [rollout for rollout in world.rollouts.values() if rollout.task == task]
    last = max(past, key=lambda rollout: rollout.attempt, default=None)
    if last is None:
        return
    phase = last.progress.phase
    if phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK):
        raise Refusal(
            "conflict",
            f"rollout {last.id} was rolled back: {last.progress.reason}",
            hint=f"A new attempt: changeover rollout release {task} --to {last.candidate}, then changeover rollout retry {task}",
        )
    if phase.is_promoted or phase is Phase.RETIRED:
        raise NothingToDo(f"rollout {last.id} went through already: {listed([last.candidate])} is trusted")
