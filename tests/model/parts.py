"""The product's functions that the worlds are made of. A test puts a faulty one in the place of one, and the fault must be found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from changeover.adapters.memory import MemoryStore
from changeover.controller.aftermath import acknowledgement, next_event
from changeover.gateway.table_keeper import TableKeeper
from changeover.ports.planes import Acknowledgement, PlaneState
from changeover.rollout import commands
from changeover.rollout.commands import Order, RolloutRequest, move
from changeover.rollout.state import Acknowledged, Event, Rollout
from changeover.rollout.world import Proposal, World
from changeover.traffic.table import RoutingTable
from tests.model.subject import CANDIDATE, NOW, PLAN, STABLE, TASK

SPLIT_PERMILLE: Final = 200

Ask = Callable[[World, Order], Proposal]


def _start(world: World, order: Order) -> Proposal:
    attempt = world.tasks[TASK].attempts + 1
    request = RolloutRequest(task=TASK, candidate=CANDIDATE, plan=PLAN, id=f"r{attempt}", salt=f"s{attempt}")
    return commands.start_rollout(world, request, order=order, now=NOW)


def _retry(world: World, order: Order) -> Proposal:
    attempt = world.tasks[TASK].attempts + 1
    return commands.retry(world, task=TASK, rollout_id=f"r{attempt}", salt=f"s{attempt}", order=order, now=NOW)


def _split(world: World, order: Order) -> Proposal:
    attempt = world.tasks[TASK].attempts + 1
    weights = {STABLE: 1000 - SPLIT_PERMILLE, CANDIDATE: SPLIT_PERMILLE}
    return commands.set_split(world, task=TASK, weights=weights, salt=f"s{attempt}", order=order)


def _override(world: World, order: Order, *gates: str) -> Proposal:
    return commands.override(world, task=TASK, gates=gates, order=order, now=NOW)


def _promote(world: World, order: Order) -> Proposal:
    return commands.promote(world, task=TASK, order=order, now=NOW)


def roll_back(world: World, _order: Order) -> Proposal:
    return commands.roll_back(world, task=TASK, actor="ana", reason="by hand", now=NOW)


def roll_back_further(world: World) -> Proposal:
    return commands.roll_back(world, task=TASK, actor="ana", reason="by hand", now=NOW, further=True)


COMMANDS: Final = MappingProxyType[str, Ask](
    {
        "start": _start,
        "pause": lambda world, order: commands.pause(world, task=TASK, order=order, now=NOW),
        "resume": lambda world, order: commands.resume(world, task=TASK, order=order, now=NOW),
        "override": lambda world, order: _override(world, order, "errors", "dwell"),
        "override data-planes": lambda world, order: _override(world, order, "data-planes"),
        "promote": _promote,
        "promote without": lambda world, order: commands.promote(world, task=TASK, order=order, now=NOW, without=("errors",)),
        "release": lambda world, order: commands.release(world, task=TASK, candidate=CANDIDATE, order=order),
        "retry": _retry,
        "split": _split,
        "unsplit": lambda world, order: commands.set_split(world, task=TASK, weights={STABLE: 1000}, salt="", order=order),
        "roll back": roll_back,
    }
)
"""What people may ask. Every one but rolling back carries the revision it was decided on."""


def decided_on(world: World, *, is_fresh: bool) -> Order:
    """Somebody's order who looked at this world, or at one before it."""
    return Order(actor="ana", reason="because", expected_revision=world.revision if is_fresh else world.revision - 1)


def takes(serving: RoutingTable, offered: RoutingTable) -> bool:
    """Whether a data plane that serves from the one takes the other, by the keeper of its table."""
    keeper = TableKeeper(plane="p", boot="b", link=None, cache=None, on_table=lambda _table: None)  # pyright: ignore[reportArgumentType]
    keeper.table = serving
    return keeper._take(offered)


def hears(before: int, told: int) -> int:
    """Which table a data plane is known to serve from, when one of its acknowledgements arrives: by the store."""
    store = MemoryStore()
    for revision in (before, told):
        store.acknowledge(Acknowledgement(plane="p", boot="b", revision=revision), at=NOW)
    return store.planes()[0].acknowledged_revision


def _nothing(_world: World) -> Proposal | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Each is what it is in the product. ``commits`` says whether a commit under a lease that is held, or is not any more,
    counts. ``looks_back``: a controller's decision is worked out on the world that it looked at, not on the one it changes.
    ``restarted`` is what a control plane changes because it was restarted. ``settles_first``: an alert is struck off before it is sent.
    """

    commands: MappingProxyType[str, Ask] = field(default_factory=lambda: COMMANDS)
    order: Callable[..., Order] = decided_on
    move: Callable[..., Proposal] = move
    acknowledgement: Callable[[Sequence[PlaneState], int, float], Acknowledged | None] = acknowledgement
    next_event: Callable[..., Event | None] = next_event
    takes: Callable[[RoutingTable, RoutingTable], bool] = takes
    hears: Callable[[int, int], int] = hears
    commits: Callable[[bool], bool] = bool
    looks_back: bool = False
    restarted: Callable[[World], Proposal | None] = _nothing
    settles_first: bool = False


PRODUCT: Final = Parts()
__all__ = ["COMMANDS", "PRODUCT", "Parts", "Rollout", "decided_on", "roll_back", "roll_back_further", "takes"]
