"""Who asks, and for what of the world? What every command checks first."""

from collections.abc import Iterable

import msgspec

from changeover.rollout.refusal import Refusal
from changeover.rollout.state import Rollout
from changeover.rollout.world import TaskState, World


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, why, and the world's revision that was looked at (``None``: whatever it is now)."""

    actor: str
    reason: str
    expected_revision: int | None = None


def refuse_stale(world: World, order: Order) -> None:
    """Raise a `Refusal` if the state moved on since it was looked at."""
    expected = order.expected_revision
    if expected is not None and expected != world.revision:
        raise Refusal(
            "stale",
            f"decided on revision {expected}, the present one is {world.revision}",
            hint="Look again (changeover status) and repeat",
        )


def task_of(world: World, name: str, order: Order) -> TaskState:
    """The task, as the order means it.

    Raises:
        Refusal: there is none of that name, or the order is about an older world.
    """
    refuse_stale(world, order)
    state = world.tasks.get(name)
    if state is None:
        raise Refusal("not_found", f"there is no task {name}; there are: {listed(world.tasks)}", hint="Name one of them")
    return state


def active_of(world: World, task: str, order: Order) -> Rollout:
    """The task's active rollout.

    Raises:
        Refusal: as ``task_of``, or it is in none.
    """
    state = task_of(world, task, order)
    if state.rollout is None:
        raise Refusal("conflict", f"task {task} is in no rollout", hint=f"Start one: changeover rollout start {task} --to DEPLOYMENT")
    return world.rollouts[state.rollout]


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
