"""What may people and the controller ask of the world? Each function answers with a proposal, or refuses.

Every proposal is made from the world it is given, so a store may call these inside the transaction that commits.
"""

from collections.abc import Iterable, Mapping

import msgspec

from changeover.rollout.going_on import approve, override, pause, promote, resume
from changeover.rollout.movement import move
from changeover.rollout.order import Order, listed, refuse_stale, task_of
from changeover.rollout.plan import percent
from changeover.rollout.refusal import NothingToDo, Refusal
from changeover.rollout.starting import RolloutRequest, refuse_active, refuse_candidate, retry, start_rollout
from changeover.rollout.state import Command, Phase, RollBack, Rollout
from changeover.rollout.world import Applied, PairReleased, Proposal, Seeded, Split, SplitSet, TaskState, World
from changeover.traffic.table import WEIGHT_FULL_PERMILLE
from changeover.versions import Account, Deployment

__all__ = [
    "NothingToDo",
    "Order",
    "Refusal",
    "RolloutRequest",
    "amend",
    "approve",
    "move",
    "override",
    "pause",
    "promote",
    "refuse_stale",
    "release",
    "resume",
    "retry",
    "roll_back",
    "seed",
    "set_split",
    "standing_promotion",
    "start_rollout",
    "take_over",
]


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


def set_split(world: World, *, task: str, weights: Mapping[str, int], salt: str, order: Order) -> Proposal:
    """Split a task by hand: ``weights`` in tenths of a percent by deployment, the stable's among them, summing to 1000.

    All for the stable removes the split. A changed weight for the same candidate keeps attempt and salt, so that
    raising it only moves units one way (rule I9); another candidate gets its own.
    """
    state = task_of(world, task, order)
    refuse_active(state, f"task {task} is in rollout {state.rollout}, its split is not set by hand")
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


def roll_back(world: World, *, task: str, actor: str, reason: str, now: float, further: bool = False) -> Proposal:
    """All traffic of ``task`` to its stable, from every state. It takes no revision, and reads no evidence: rolling back always
    wins (rule I1).

    An active rollout is rolled back; else a split set by hand ends; else, when the present stable came by a promotion,
    that promotion is undone while what it replaced is kept: the deployment it replaced is the stable again. Where something
    has been taken back since, that wants the word ``further``: the button may have been pressed twice.
    """
    order = Order(actor=actor, reason=reason or "rolled back by hand")
    state = task_of(world, task, order)
    if state.rollout is None and state.split is not None:
        return _proposal(order, SplitSet(task=task, split=None), _publish(task))
    promoted = None if state.rollout is not None else standing_promotion(world, state)
    if promoted is not None and not further and _was_taken_back_since(world, state, promoted):
        raise _one_step_back(state, promoted)
    rollout_id = state.rollout if promoted is None else promoted.id
    if rollout_id is not None:
        return move(world, rollout_id=rollout_id, event=RollBack(reason=order.reason), now=now, actor=actor, reason=order.reason)
    raise _nothing_to_roll_back(world, state)


def _was_taken_back_since(world: World, state: TaskState, promoted: Rollout) -> bool:
    """A later rollout was rolled back, or a later split ended."""
    later = [each for each in world.rollouts.values() if each.task == state.name and each.attempt > promoted.attempt]
    splits = state.attempts - promoted.attempt - len(later)
    return splits > 0 or any(each.progress.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK) for each in later)


def _one_step_back(state: TaskState, promoted: Rollout) -> NothingToDo:
    hint = f"To take back the promotion of {promoted.candidate} by {promoted.id} too: changeover rollback {state.name} --further"
    return NothingToDo(f"rolled back already: {state.stable} serves all of {state.name}", hint=hint)


def _nothing_to_roll_back(world: World, state: TaskState) -> NothingToDo:
    message = f"nothing to roll back: {state.stable} serves all of {state.name}"
    last = _last_promotion(world, state)
    if last is None or last.progress.phase is not Phase.RETIRED or last.candidate != state.stable:
        return NothingToDo(message)
    hint = f"{last.stable} is kept no longer; to go back to it by steps: changeover rollout start {state.name} --to {last.stable}"
    return NothingToDo(message, hint=hint)


def release(world: World, *, task: str, candidate: str, order: Order) -> Proposal:
    """Let a pair that was rolled back be started again. The pair is the task's present stable with ``candidate``."""
    state = task_of(world, task, order)
    if (state.stable, candidate) not in state.blocked:
        blocked = ", ".join(f"{stable} -> {name}" for stable, name in state.blocked) or "none"
        raise NothingToDo(f"{state.stable} -> {candidate} is not blocked for {task}; blocked: {blocked}")
    return _proposal(order, PairReleased(task=task, stable=state.stable, candidate=candidate))


def _split_weights(world: World, state: TaskState, weights: Mapping[str, int]) -> tuple[str | None, int]:
    """The candidate and its weight, after every check; no candidate when the stable gets all."""
    total = sum(weights.values())
    if total != WEIGHT_FULL_PERMILLE or min(weights.values(), default=0) < 0:
        written = ", ".join(f"{name} {percent(weight)}" for name, weight in weights.items()) or "no weights"
        raise Refusal("invalid", f"found {written}, which makes {percent(total)}", hint="Weights are from 0 % to 100 % and sum to 100 %")
    others = {name: weight for name, weight in weights.items() if name != state.stable}
    if len(weights) - len(others) != 1 or len(others) > 1:
        raise Refusal(
            "invalid", f"found weights for {listed(weights)}", hint=f"Name the stable {state.stable} and at most one other deployment"
        )
    for name in others:
        refuse_candidate(world, state, name)
    return next(((name, weight) for name, weight in others.items() if weight), (None, 0))


def standing_promotion(world: World, state: TaskState, *, gone_too: bool = False) -> Rollout | None:
    """The task's last promotion, while it stands and what it replaced is still declared (``gone_too``: or not). Only the last:
    pressing the button twice must not go back two versions.
    """
    latest = _last_promotion(world, state)
    if latest is None or not latest.progress.phase.is_promoted:
        return None
    if latest.candidate != state.stable or latest.attempt <= state.settled:
        return None
    return latest if gone_too or {latest.stable, *latest.stable_pool} <= world.deployments.keys() else None


def _last_promotion(world: World, state: TaskState) -> Rollout | None:
    """Whatever became of it since."""
    found = [each for each in world.rollouts.values() if each.task == state.name and _went_through(each)]
    return max(found, key=lambda rollout: rollout.attempt, default=None)


def _went_through(rollout: Rollout) -> bool:
    phase = rollout.progress.phase
    return phase.is_promoted or phase is Phase.RETIRED or rollout.progress.was_promoted


def _proposal(order: Order, body: SplitSet | PairReleased, *commands: Command) -> Proposal:
    return Proposal(actor=order.actor, reason=order.reason, body=body, commands=commands)


def _publish(task: str) -> Command:
    return Command(kind="publish_table", subject=task)
