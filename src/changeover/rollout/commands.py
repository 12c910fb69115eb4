"""What may people and the controller ask of the world? Each function answers with a proposal, or refuses.

Every proposal is made from the world it is given, so a store may call these inside the transaction that commits.
"""

from collections.abc import Iterable, Mapping

import msgspec

from changeover.gates.verdict import Assessment
from changeover.rollout import announcement
from changeover.rollout.machine import advance, unstarted
from changeover.rollout.plan import Plan, percent
from changeover.rollout.preflight import Preflight
from changeover.rollout.refusal import NothingToDo, Refusal
from changeover.rollout.requirement import plan_faults
from changeover.rollout.state import Assessed, Command, Event, Pause, Phase, Resume, RollBack, Rollout, Started
from changeover.rollout.world import (
    Applied,
    PairReleased,
    PromotionUndone,
    Proposal,
    RolloutMoved,
    RolloutStarted,
    Seeded,
    Split,
    SplitSet,
    TaskState,
    World,
)
from changeover.traffic.table import WEIGHT_FULL_PERMILLE
from changeover.versions import Account, Deployment
from changeover.versions.dialect import API_NAMES, Dialect, dialect_of

__all__ = [
    "NothingToDo",
    "Order",
    "Refusal",
    "RolloutRequest",
    "amend",
    "move",
    "pause",
    "refuse_stale",
    "release",
    "resume",
    "roll_back",
    "seed",
    "set_split",
    "standing_promotion",
    "start_rollout",
    "take_over",
]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, why, and the world's revision that was looked at (``None``: whatever it is now)."""

    actor: str
    reason: str
    expected_revision: int | None = None


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


def seed(
    world: World,
    *,
    accounts: Iterable[Account],
    deployments: Iterable[Deployment],
    tasks: Iterable[TaskState],
    actor: str,
    reason: str,
) -> Proposal:
    """``take_over`` of accounts, deployments and tasks alone."""
    content = Seeded(accounts=tuple(accounts), deployments=tuple(deployments), tasks=tuple(tasks))
    return take_over(world, content, actor=actor, reason=reason)


def take_over(world: World, content: Seeded, *, actor: str, reason: str) -> Proposal:
    """Fill the empty world with what the file declares. A world that holds anything wins over the file."""
    if world.revision:
        raise NothingToDo(
            f"the store is at revision {world.revision}, seeding needs the empty one", hint="The store wins; the file changes nothing here"
        )
    return Proposal(actor=actor, reason=reason, body=content)


def amend(world: World, content: Applied, *, order: Order) -> Proposal:
    """Take over what a file declares, as it was worked out from this very world."""
    refuse_stale(world, order)
    moved = {task.name for task in content.tasks} | {*content.removed_tasks} or {"all"}
    return Proposal(actor=order.actor, reason=order.reason, body=content, commands=tuple(map(_publish, sorted(moved))))


def refuse_stale(world: World, order: Order) -> None:
    """Raise a `Refusal` if the state moved on since it was looked at."""
    expected = order.expected_revision
    if expected is not None and expected != world.revision:
        raise Refusal(
            "stale",
            f"decided on revision {expected}, the present one is {world.revision}",
            hint="Look again (changeover status) and repeat",
        )


def set_split(world: World, *, task: str, weights: Mapping[str, int], salt: str, order: Order) -> Proposal:
    """Split a task by hand: ``weights`` in tenths of a percent by deployment, the stable's among them, summing to 1000.

    All for the stable removes the split. A changed weight for the same candidate keeps attempt and salt, so that
    raising it only moves units one way (rule I9); another candidate gets its own.
    """
    state = _task(world, task, order)
    _refuse_active(state, f"task {task} is in rollout {state.rollout}, its split is not set by hand")
    candidate, permille = _split_weights(world, state, weights)
    if candidate is None:
        split = None
    elif state.split is not None and state.split.candidate == candidate:
        split = msgspec.structs.replace(state.split, permille=permille)
    else:
        split = Split(candidate=candidate, permille=permille, attempt=state.attempts + 1, salt=salt)
    if split == state.split:
        raise NothingToDo(f"task {task} is split like that already")
    return _proposal(order, SplitSet(task=task, split=split), _publish(task))


def start_rollout(world: World, request: RolloutRequest, *, order: Order, now: float) -> Proposal:
    """Begin an attempt and take its first step. A split set by hand ends with it."""
    state = _task(world, request.task, order)
    _refuse_active(state, f"task {request.task} is in rollout {state.rollout} already, it has one at a time")
    for member in request.candidate_pool or (request.candidate,):
        _refuse_candidate(world, state, member)
    faults = plan_faults(request.plan)
    if faults:
        raise Refusal("invalid", f"the plan cannot be started: {'; '.join(faults)}", hint="Change its steps or criteria and start again")
    if request.id in world.rollouts:
        raise Refusal("conflict", f"a rollout {request.id} exists already", hint="Start it under another name")
    rollout, commands = advance(_new_rollout(state, request, now), Started(), now)
    return _proposal(order, RolloutStarted(rollout=rollout, preflight=request.preflight), *commands)


def roll_back(world: World, *, task: str, actor: str, reason: str, now: float) -> Proposal:
    """All traffic of ``task`` to its stable, from every state. It takes no revision: rolling back always wins (rule I1).

    An active rollout is rolled back; else a split set by hand ends; else, when the present stable came by a promotion,
    that promotion is undone: the deployment it replaced is the stable again.
    """
    order = Order(actor=actor, reason=reason or "rolled back by hand")
    state = _task(world, task, order)
    if state.rollout is not None:
        event = RollBack(reason=order.reason)
        return move(world, rollout_id=state.rollout, event=event, now=now, actor=actor, reason=order.reason)
    if state.split is not None:
        return _proposal(order, SplitSet(task=task, split=None), _publish(task))
    promoted = standing_promotion(world, state)
    if promoted is not None:
        return _proposal(
            order, PromotionUndone(task=task, rollout=promoted.id), _publish(task), announcement.undone(promoted, order.reason)
        )
    raise NothingToDo(f"nothing to roll back: {state.stable} serves all of {task}")


def pause(world: World, *, task: str, order: Order, now: float) -> Proposal:
    """Keep the weight and let nothing advance."""
    rollout = _active(world, task, order)
    if rollout.progress.phase is Phase.PAUSED:
        raise NothingToDo(f"rollout {rollout.id} is paused already: {rollout.progress.reason}")
    event = Pause(reason=order.reason or f"paused by {order.actor}")
    return move(world, rollout_id=rollout.id, event=event, now=now, actor=order.actor, reason=order.reason)


def resume(world: World, *, task: str, order: Order, now: float) -> Proposal:
    """Go on from where it was paused. The deadline of an analysis starts anew."""
    rollout = _active(world, task, order)
    if rollout.progress.phase is not Phase.PAUSED:
        raise NothingToDo(f"rollout {rollout.id} is not paused")
    return move(world, rollout_id=rollout.id, event=Resume(), now=now, actor=order.actor, reason=order.reason)


def release(world: World, *, task: str, candidate: str, order: Order) -> Proposal:
    """Let a pair that was rolled back be started again. The pair is the task's present stable with ``candidate``."""
    state = _task(world, task, order)
    if (state.stable, candidate) not in state.blocked:
        blocked = ", ".join(f"{stable} -> {name}" for stable, name in state.blocked) or "none"
        raise NothingToDo(f"{state.stable} -> {candidate} is not blocked for {task}; blocked: {blocked}")
    return _proposal(order, PairReleased(task=task, stable=state.stable, candidate=candidate))


def move(world: World, *, rollout_id: str, event: Event, now: float, actor: str, reason: str = "") -> Proposal:
    """Take one transition of a rollout; without a ``reason`` the machine's own is recorded.

    Raises:
        NothingToDo: the event changes nothing where the rollout stands.
        Refusal: there is no such rollout.
    """
    before = world.rollouts.get(rollout_id)
    if before is None:
        raise Refusal("not_found", f"there is no rollout {rollout_id}", hint="List them: changeover rollout ls")
    after, commands = advance(before, event, now)
    if after == before:
        raise NothingToDo(f"rollout {rollout_id} stays as it is: {before.progress.phase}, step {before.progress.step + 1}")
    body = RolloutMoved(rollout=rollout_id, event=str(event.__struct_config__.tag), progress=after.progress)
    if isinstance(event, Assessed):
        body = _resting_on(event.assessment, body)
    return Proposal(actor=actor, reason=reason or after.progress.reason, body=body, commands=commands)


def _resting_on(found: Assessment, body: RolloutMoved) -> RolloutMoved:
    return msgspec.structs.replace(
        body,
        verdicts=found.verdicts,
        evidence_hash=found.evidence_hash,
        sample_ratio=found.sample_ratio,
        config_hash=found.config_hash,
        closed=found.closed,
        brake=found.brake,
    )


def _task(world: World, name: str, order: Order) -> TaskState:
    refuse_stale(world, order)
    state = world.tasks.get(name)
    if state is None:
        raise Refusal("not_found", f"there is no task {name}; there are: {_listed(world.tasks)}", hint="Name one of them")
    return state


def _active(world: World, task: str, order: Order) -> Rollout:
    state = _task(world, task, order)
    if state.rollout is None:
        raise Refusal("conflict", f"task {task} is in no rollout", hint=f"Start one: changeover rollout start {task} --to DEPLOYMENT")
    return world.rollouts[state.rollout]


def _refuse_active(state: TaskState, message: str) -> None:
    if state.rollout is not None:
        raise Refusal("conflict", message, hint=f"Wait for its end, or end it: changeover rollback {state.name}")


def _refuse_candidate(world: World, state: TaskState, candidate: str) -> None:
    if candidate not in world.deployments:
        raise Refusal(
            "not_found",
            f"there is no deployment {candidate}; there are: {_listed(world.deployments)}",
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


def _split_weights(world: World, state: TaskState, weights: Mapping[str, int]) -> tuple[str | None, int]:
    """The candidate and its weight, after every check; no candidate when the stable gets all."""
    total = sum(weights.values())
    if total != WEIGHT_FULL_PERMILLE or min(weights.values(), default=0) < 0:
        written = ", ".join(f"{name} {percent(weight)}" for name, weight in weights.items()) or "no weights"
        raise Refusal("invalid", f"found {written}, which makes {percent(total)}", hint="Weights are from 0 % to 100 % and sum to 100 %")
    others = {name: weight for name, weight in weights.items() if name != state.stable}
    if len(weights) - len(others) != 1 or len(others) > 1:
        raise Refusal(
            "invalid", f"found weights for {_listed(weights)}", hint=f"Name the stable {state.stable} and at most one other deployment"
        )
    for name in others:
        _refuse_candidate(world, state, name)
    return next(((name, weight) for name, weight in others.items() if weight), (None, 0))


def standing_promotion(world: World, state: TaskState, *, gone_too: bool = False) -> Rollout | None:
    """The task's last promotion, while it stands and what it replaced is still declared (``gone_too``: or not). Only the last:
    pressing the button twice must not go back two versions.
    """
    completed = [each for each in world.rollouts.values() if each.task == state.name and each.progress.phase is Phase.COMPLETED]
    latest = max(completed, key=lambda rollout: rollout.attempt, default=None)
    if latest is None or latest.candidate != state.stable or latest.attempt <= state.settled:
        return None
    return latest if gone_too or {latest.stable, *latest.stable_pool} <= world.deployments.keys() else None


def _new_rollout(state: TaskState, request: RolloutRequest, now: float) -> Rollout:
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
    )


def _proposal(order: Order, body: SplitSet | RolloutStarted | PromotionUndone | PairReleased, *commands: Command) -> Proposal:
    return Proposal(actor=order.actor, reason=order.reason, body=body, commands=commands)


def _publish(task: str) -> Command:
    return Command(kind="publish_table", subject=task)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
