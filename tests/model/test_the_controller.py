"""The controller of the small worlds does what the product's does: the product's own tick, in every tenth state, finds no other way."""

import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

import msgspec
import pytest
from structlog.testing import capture_logs

from changeover.adapters.memory import HandClock
from changeover.controller.loop import Controller
from changeover.gates.verdict import Assessment
from changeover.ports.planes import PlaneState
from changeover.rollout.state import Rollout
from changeover.rollout.world import Change, Proposal, World, apply
from tests.model.explorer import Search
from tests.model.small_worlds import stage
from tests.model.stage import Stage, State, _told
from tests.model.subject import NOW, SERVED_MAX, TICK_S, assessment, change_of

EVERY = 10


@dataclass
class OneWorld:
    """A store and its office, as the controller sees them."""

    present: World
    heard: Sequence[PlaneState]

    def __post_init__(self) -> None:
        self.made: list[World] = []

    def world(self) -> World:
        return self.present

    def planes(self) -> Sequence[PlaneState]:
        return self.heard

    async def read(self, query: Callable[["OneWorld"], object]) -> object:
        return query(self)

    async def commit(self, decide: Callable[[World], Proposal]) -> Change:
        change = change_of(self.present, decide(self.present))
        self.present = apply(self.present, change)
        self.made.append(self.present)
        return change


class Assessor:
    def __init__(self, finding: str) -> None:
        self.finding = finding

    async def assess(self, rollout: Rollout) -> Assessment:
        since = rollout.progress.acknowledged_at
        served = 0 if since is None else min(int((NOW - since) / TICK_S), SERVED_MAX)
        return assessment(self.finding, served=served, ago=0)  # pyright: ignore[reportArgumentType]


class NoOutbox:
    async def turn(self) -> None:
        return


def ticked(of: Stage, state: State, finding: str) -> list[World]:
    """The worlds that one tick of the product's controller makes."""
    rank = state.table.rank
    world = msgspec.structs.replace(of.shelf[state.world], revision=rank, table_revision=rank)
    office = OneWorld(world, _told(state.planes))
    _run(Controller(office, Assessor(finding), HandClock(NOW), NoOutbox()).tick())  # pyright: ignore[reportArgumentType]
    return office.made


def _run(coroutine: Coroutine[object, object, None]) -> None:
    """Nothing in it waits."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


@pytest.mark.parametrize(("features", "findings"), [(("planes",), ("pass",)), (("operators", "provider"), ("undecided", "trip", "alarm"))])
def test_what_a_tick_does_is_what_the_small_world_says_may_be_done(features: tuple[str, ...], findings: tuple[str, ...]) -> None:
    of, states = stage(*features), list[State]()
    Search(of.successors, states.append).run(of.initial())
    with capture_logs():
        ticks = sum(_compared(of, state, finding) for state in states[::EVERY] for finding in findings)
    sys.stdout.write(f"{' and '.join(features)}: {len(states[::EVERY])} states, {ticks} commits by ticks\n")
    assert ticks


def _compared(of: Stage, state: State, finding: str) -> int:
    """How many commits a tick made."""
    looks = [look for look in of._looks(state) if look.deed.finding in ("", finding)]
    may = {outcome.world for look in looks if (outcome := of.moves.commit(state.world, look.deed, seen=state.world)) is not None}
    made = ticked(of, state, finding)
    assert bool(made) == bool(may)
    assert not made or of.shelf.number(made[0]) in may
    return len(made)
