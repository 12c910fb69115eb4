"""May a rollout begin, or begin anew? What a candidate must be, and the attempt that tries it."""

from typing import Final

import msgspec

from changeover.rollout import announcement
from changeover.rollout.machine import advance, unstarted
from changeover.rollout.order import Order, listed, task_of
from changeover.rollout.plan import Plan
from changeover.rollout.plan_rules import plan_faults
from changeover.rollout.preflight import Preflight
from changeover.rollout.refusal import NothingToDo, Refusal
from changeover.rollout.state import Phase, Rollout, Started, Supersede
from changeover.rollout.world import Proposal, RolloutMoved, RolloutStarted, TaskState, World, with_task
from changeover.versions.dialect import API_NAMES, Dialect, dialect_of

RETRYABLE: Final = (Phase.PAUSED, Phase.DRAFT)


class RolloutRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout to start. ``id`` and ``salt`` are fresh; the salt draws this attempt apart from all others (rule I9).

    ``candidate_pool`` begins with ``candidate``; it is empty where that serves alone.
    """

    task: str
    candidate: str
    candidate_pool: tuple[str, ...] = ()
    plan: Plan
    id: str
    salt: str
    preflight: Preflight | None = None
    retry_of: str = ""


def start_rollout(world: World, request: RolloutRequest, *, order: Order, now: float) -> Proposal:
    """Begin an attempt and take its first step. A split set by hand ends with it."""
    state = task_of(world, request.task, order)
    refuse_active(state, f"task {request.task} is in rollout {state.rollout} already, it has one at a time")
    for member in request.candidate_pool or (request.candidate,):
        refuse_candidate(world, state, member)
    faults = plan_faults(request.plan)
    if faults:
        raise Refusal("invalid", f"the plan cannot be started: {'; '.join(faults)}", hint="Change its steps or criteria and start again")
    deadline = request.plan.deadline
    if deadline is not None and deadline.retires != "stable" and now >= deadline.at:
        raise Refusal("invalid", "its deadline has passed already", hint="Set a later one, or none")
    if request.id in world.rollouts:
        raise Refusal("conflict", f"a rollout {request.id} exists already", hint="Start it under another name")
    rollout, commands = advance(_new_rollout(state, request, order, now), Started(), now)
    body = RolloutStarted(rollout=rollout, preflight=request.preflight)
    return Proposal(actor=order.actor, reason=order.reason, body=body, commands=commands)


def retry(world: World, *, task: str, rollout_id: str, salt: str, order: Order, now: float) -> Proposal:
    """Begin the task's latest plan anew: another attempt with its own draw and no evidence (rule I9), from the first step.

    What is paused is superseded in the same revision. What was rolled back needs its pair released first.
    """
    state = task_of(world, task, order)
    last = latest_rollout(world, state)
    if last is None:
        raise Refusal("conflict", f"task {task} never had a rollout", hint=f"Start one: changeover rollout start {task} --to DEPLOYMENT")
    phase = last.progress.phase
    if phase.is_promoted or phase is Phase.RETIRED:
        raise NothingToDo(f"rollout {last.id} went through: {last.candidate} is trusted")
    if not phase.is_over and phase not in RETRYABLE:
        raise Refusal("conflict", f"rollout {last.id} is {phase}, it goes on", hint=f"Pause it first: changeover rollout pause {task}")
    request = RolloutRequest(
        task=task, candidate=last.candidate, candidate_pool=last.candidate_pool, plan=last.plan, id=rollout_id, salt=salt, retry_of=last.id
    )
    if phase.is_over:
        return start_rollout(world, request, order=order, now=now)
    ended, commands = advance(last, Supersede(by=rollout_id), now)
    free = msgspec.structs.replace(state, rollout=None)
    begun = start_rollout(with_task(world, free), request, order=order, now=now)
    assert isinstance(begun.body, RolloutStarted)
    moved = RolloutMoved(rollout=last.id, event="supersede", progress=ended.progress)
    body = msgspec.structs.replace(begun.body, ended=moved)
    return Proposal(actor=order.actor, reason=order.reason, body=body, commands=(*commands, *begun.commands))


def latest_rollout(world: World, task: TaskState) -> Rollout | None:
    """The task's active rollout, else the one begun last."""
    if task.rollout is not None:
        return world.rollouts[task.rollout]
    past = [rollout for rollout in world.rollouts.values() if rollout.task == task.name]
    return max(past, key=lambda rollout: rollout.attempt, default=None)


def refuse_active(state: TaskState, message: str) -> None:
    if state.rollout is not None:
        raise Refusal("conflict", message, hint=f"Wait for its end, or end it: changeover rollback {state.name}")


def refuse_candidate(world: World, state: TaskState, candidate: str) -> None:
    if candidate not in world.deployments:
        raise Refusal(
            "not_found",
            f"there is no deployment {candidate}; there are: {listed(world.deployments)}",
            hint="Name one of them, or declare it",
        )
    if candidate in (state.stable, *state.stable_pool):
        raise Refusal("invalid", f"{candidate} is the stable of {state.name} itself", hint="Name another deployment as the candidate")
    spoken, wanted = _dialect(world, candidate), _dialect(world, state.stable)
    if spoken is not wanted:
        raise Refusal(
            "invalid",
            f"{candidate} speaks {API_NAMES[spoken]}, the stable {state.stable} speaks {API_NAMES[wanted]}, and nothing is translated",
            hint="Name a candidate that speaks the stable's API; give the other API a task of its own",
        )
    if (state.stable, candidate) in state.blocked:
        raise Refusal(
            "conflict",
            f"{state.stable} -> {candidate} was rolled back for {state.name} and is blocked",
            hint=f"Release it first: {announcement.release_command(state.name, candidate)}",
        )


def _dialect(world: World, deployment: str) -> Dialect:
    account = world.accounts.get(world.deployments[deployment].account) if deployment in world.deployments else None
    return Dialect.OPENAI if account is None else dialect_of(account.kind)


def _new_rollout(state: TaskState, request: RolloutRequest, order: Order, now: float) -> Rollout:
    return Rollout(
        id=request.id,
        task=state.name,
        attempt=state.attempts + 1,
        salt=request.salt,
        stable=state.stable,
        candidate=request.candidate,
        candidate_pool=request.candidate_pool,
        stable_pool=state.stable_pool,
        plan=request.plan,
        started_at=now,
        progress=unstarted(now),
        started_by=order.actor,
        retry_of=request.retry_of,
    )
