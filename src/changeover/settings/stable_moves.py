"""May a file move what a task trusts? Never back over what a rollout has decided, unless it is told to."""

from collections.abc import Iterable

from changeover.rollout import announcement
from changeover.rollout.amendment import Effect
from changeover.rollout.commands import standing_promotion
from changeover.rollout.state import Phase, Rollout
from changeover.rollout.world import TaskState, World
from changeover.settings.declared import DeclaredTask


def effect_of(world: World, state: TaskState, task: DeclaredTask, *, told: bool) -> tuple[Effect | None, str]:
    """What becomes of the task's stable, and why; ``None`` where the file says what the store has. ``told``: the file is
    to win over what a rollout decided.
    """
    if (state.stable, state.stable_pool) == (task.stable, task.stable_pool):
        return None, ""
    blocked = _blocked(state, task)
    if blocked:
        return ("refused" if told else "kept"), blocked
    decided = "" if task.stable == state.stable else _decided(world, state, task)
    if decided and not told:
        return "kept", f"{decided}; to move it all the same: changeover apply --stable {state.name}"
    active = [] if state.rollout is None else [world.rollouts[state.rollout]]
    why = busy_words(active) or split_words(state)
    if why:
        return "refused", why
    return "changed", "" if task.stable == state.stable else "all its traffic moves at once, without a trial"


def against_adding(world: World, past: TaskState, task: DeclaredTask) -> str:
    """Why the task may not be added; empty where it may. ``past`` is what it was under its name before."""
    if task.name in world.rollouts:
        return f"a rollout is called {task.name}: a task of that name could not be told from it; give it another"
    blocked = [name for name in trusted_by(task) if (past.stable, name) in past.blocked]
    if blocked:
        return (
            f"{past.stable} -> {blocked[0]} was rolled back when the task was here before: add it with stable {past.stable}, then release"
        )
    return ""


def trusted_by(task: DeclaredTask | TaskState) -> tuple[str, ...]:
    """The stable, or all of its pool."""
    return task.stable_pool or (task.stable,)


def split_words(state: TaskState) -> str:
    """Why a split set by hand stands in the way; empty where there is none."""
    if state.split is None:
        return ""
    return f"it is split by hand with {state.split.candidate}; end that (changeover rollback {state.name}), then apply again"


def busy_words(rollouts: Iterable[Rollout], *, more: str = "") -> str:
    """Why rollouts under way stand in the way; empty where there are none."""
    found = list(rollouts)
    if not found:
        return ""
    names = ", ".join(rollout.id for rollout in found)
    ways = " or ".join(dict.fromkeys(f"changeover rollback {rollout.task}" for rollout in found))
    rests = "rests" if len(found) == 1 else "rest"
    return f"rollout {names} {rests} on it: let it finish or roll it back ({ways}), then apply again{more and f'; {more}'}"


def rollout_members(rollout: Rollout) -> tuple[str, ...]:
    """Every deployment that the two sides of a rollout are made of."""
    return (rollout.stable, *rollout.stable_pool, rollout.candidate, *rollout.candidate_pool)


def _blocked(state: TaskState, task: DeclaredTask) -> str:
    found = [name for name in trusted_by(task) if name not in trusted_by(state) and (state.stable, name) in state.blocked]
    if not found:
        return ""
    release = announcement.release_command(state.name, found[0])
    return (
        f"{state.stable} -> {found[0]} was rolled back and is blocked; to allow it: {release}, then changeover apply --stable {state.name}"
    )


def _decided(world: World, state: TaskState, task: DeclaredTask) -> str:
    """What a rollout decided that the file would undo."""
    promoted = standing_promotion(world, state, gone_too=True)
    if promoted is not None:
        return f"promoted by rollout {promoted.id}"
    mine = [each for each in world.rollouts.values() if each.task == state.name and each.attempt > state.settled]
    taken_back = [each for each in mine if (each.stable, each.candidate) == (state.stable, task.stable)]
    latest = max(taken_back, key=lambda rollout: rollout.attempt, default=None)
    if latest is None or latest.progress.phase not in (Phase.ROLLING_BACK, Phase.ROLLED_BACK, Phase.COMPLETED):
        return ""
    return f"{task.stable} was rolled back by rollout {latest.id}"
