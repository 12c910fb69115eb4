"""The surroundings of a small world: who acts in it, what is on its way, and what may go wrong.

Every commit is the product's own, on the world as it is then (`moves`). What is ours here is the weather: looks that are committed late,
tables and acknowledgements that come late, twice, in another order or never, a lease that is taken over, a process that dies at any point.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Literal, NamedTuple, TypeVar

from changeover.ports.planes import PLANE_SILENT_S, PlaneState
from changeover.rollout.state import Phase
from changeover.traffic.table import RoutingTable
from tests.model.explorer import Broken
from tests.model.moves import Moves, Outcome
from tests.model.parts import PRODUCT, Parts
from tests.model.rules import Deed
from tests.model.shelf import WorldShelf
from tests.model.subject import LOOK_AGE_MAX, NOW, SERVED_MAX, TASK, TICK_S, seeded

T = TypeVar("T")

Feature = Literal["leaders", "operators", "planes", "crash", "provider"]
FEATURES: Final[tuple[Feature, ...]] = ("leaders", "operators", "planes", "crash", "provider")
FINDINGS: Final = ("pass", "undecided", "broken", "fail", "trip", "alarm")
FEW_COMMANDS: Final = ("start", "roll back")
ATTEMPTS_MAX: Final = 2
TABLES_MAX: Final = 3
"""So many tables may still arrive: the present one and those before it."""
STRUCK: Final = 3


class Table(NamedTuple):
    """A routing table: its place in the order of those that play a part, and the first world with these routes."""

    rank: int
    view: int


class Plane(NamedTuple):
    """A data plane. ``heard`` is what the store knows of it. ``is_excused``: it was silent and has not caught up since."""

    serves: Table
    heard: int
    is_silent: bool = False
    is_excused: bool = False


class Look(NamedTuple):
    """What a controller has decided and not committed yet, with the table it saw, and the world where that plays a part."""

    deed: Deed
    table: int
    world: int


class Leader(NamedTuple):
    """A control plane's controller. ``leads`` is what it thinks, ``holds`` what the lease says."""

    leads: bool
    holds: bool
    look: Look | None = None


class State(NamedTuple):
    """``tables``: those that may still arrive at a data plane, the present one last. ``fresh``: for each operator, whether what it
    looked at is the present revision. ``alert``: of one alert that is followed, whether it is owed (1) or was sent and is owed
    still (2); struck off before it was sent (3), it exists in memory alone.
    """

    world: int
    tables: tuple[Table, ...]
    planes: tuple[Plane, ...]
    leaders: tuple[Leader, ...]
    fresh: tuple[bool, ...]
    alert: int = 0

    @property
    def table(self) -> Table:
        return self.tables[-1]


Next = tuple[str, State]


@dataclass(slots=True)
class Stage:
    """A small world with these features; what is not among them is ideal: at once, in order, never away, always good. ``commands`` are
    those that people give; ``may_be_silent``: data planes are cut off so long that nobody waits for them.
    """

    features: frozenset[str]
    commands: tuple[str, ...] = FEW_COMMANDS
    may_be_silent: bool = True
    parts: Parts = PRODUCT
    shelf: WorldShelf = field(default_factory=WorldShelf)
    moves: Moves = field(init=False)
    takes: Callable[[Table, Table], bool] = field(init=False)
    hears: Callable[[int, int], int] = field(init=False)

    def __post_init__(self) -> None:
        self.moves = Moves(self.shelf, self.parts)
        self.takes = functools.cache(lambda serving, offered: self.parts.takes(self._table(serving), self._table(offered)))
        self.hears = functools.cache(self.parts.hears)

    def initial(self) -> State:
        world = self.shelf.number(seeded())
        table = Table(1, self.shelf.view(world))
        return State(
            world=world,
            tables=(table,),
            planes=(Plane(table, 1),) * (2 if "planes" in self.features else 1),
            leaders=(Leader(leads=True, holds=True), *([Leader(leads=False, holds=False)] if "leaders" in self.features else [])),
            fresh=(False, False) if "operators" in self.features else (),
        )

    def successors(self, state: State) -> Iterator[Next]:
        """Everything that may happen next. What changes nothing is left out."""
        found = chain(
            self._time(state), self._people(state), self._controllers(state), self._planes(state), self._crashes(state), self._alerts(state)
        )
        for label, after in found:
            plain = _plain(after)
            if plain != state:
                yield label, plain

    def check(self, state: State) -> None:
        self.moves.check(state.world)
        for plane in state.planes:
            if plane.serves.rank < state.table.rank or plane.is_excused:
                self._check_plane(state, plane)

    def _time(self, state: State) -> Iterator[Next]:
        leaders = tuple(leader._replace(look=self._older(leader.look)) for leader in state.leaders)
        yield "a tick", state._replace(world=self.shelf.older(state.world), leaders=leaders)

    def _people(self, state: State) -> Iterator[Next]:
        for number, is_fresh in enumerate(state.fresh):
            if not is_fresh:
                yield "an operator looks", state._replace(fresh=_with(state.fresh, number, True))
        attempts = self.shelf[state.world].tasks[TASK].attempts
        for kind in self.commands:
            if kind in ("start", "retry", "split") and attempts >= ATTEMPTS_MAX:
                continue
            for is_fresh in sorted({*state.fresh} or {True}):
                deed = Deed(kind, is_fresh=is_fresh)
                yield from self._after(state, deed, str(deed))

    def _controllers(self, state: State) -> Iterator[Next]:
        for number, leader in enumerate(state.leaders):
            if leader.leads and leader.look is None:
                for look in self._looks(state):
                    yield f"controller {number} looks: {look.deed}", _leader(state, number, leader._replace(look=look))
            elif leader.look is not None:
                yield from self._committed(state, number, leader, leader.look)
            if not leader.holds:
                others = tuple(each._replace(holds=False) for each in state.leaders)
                yield (
                    f"controller {number} takes the lease",
                    _leader(state._replace(leaders=others), number, Leader(leads=True, holds=True)),
                )

    def _looks(self, state: State) -> Iterator[Look]:
        """What a controller may find to do: more than it would do first."""
        kept = state.world if self.parts.looks_back else -1
        told = _told(state.planes)
        active = self.shelf.active(state.world)
        if active is not None:
            since = active.progress.acknowledged_at
            served = 0 if since is None else min(int((NOW - since) / TICK_S), SERVED_MAX)
            for finding in FINDINGS if "provider" in self.features else ("pass",):
                yield Look(Deed("assessed", active.id, finding, served), 0, kept)
            event = self.parts.acknowledgement(told, state.table.rank, NOW) if since is None else None
            if event is not None:
                yield Look(Deed("acknowledged", active.id, silent=event.silent), state.table.rank, kept)
        for rollout in self.shelf[state.world].rollouts.values():
            event = self.parts.next_event(rollout, told, revision=state.table.rank, now=NOW)
            if event is not None:
                kind = str(event.__struct_config__.tag)
                deed = Deed(kind, rollout.id, silent=getattr(event, "silent", ()))
                yield Look(deed, state.table.rank if kind == "acknowledged" else 0, kept)

    def _committed(self, state: State, number: int, leader: Leader, look: Look) -> Iterator[Next]:
        """A controller commits what it has decided: under its lease, and what it heard of data planes about that table alone."""
        label = f"controller {number} commits: {look.deed}"
        if not self.parts.commits(leader.holds):
            yield f"{label}, refused", _leader(state, number, Leader(leads=False, holds=leader.holds))
            return
        done = _leader(state, number, leader._replace(look=None))
        is_late = look.table and look.table != state.table.rank and not self.parts.looks_back
        found = [] if is_late else list(self._after(done, look.deed, label, seen=look.world))
        if found and not leader.holds:
            raise Broken("I7 who lost the lease commits nothing", str(look.deed), (label,))
        yield from found or [(f"{label}, nothing to do", done)]

    def _after(self, state: State, deed: Deed, label: str, *, seen: int = -1) -> Iterator[Next]:
        """The state after a commit; where processes die, also with its alert followed."""
        outcome = self.moves.commit(state.world, deed, seen=state.world if seen < 0 else seen)
        if outcome is None:
            return
        after = self._with_outcome(state, outcome)
        yield label, after
        if "crash" in self.features and outcome.told and not state.alert:
            yield f"{label}; its alert is followed", after._replace(alert=1)

    def _with_outcome(self, state: State, outcome: Outcome) -> State:
        after = state._replace(world=outcome.world, fresh=(False,) * len(state.fresh))
        if not outcome.moved:
            return after
        table = Table(state.table.rank + 1, self.shelf.view(outcome.world))
        after = after._replace(tables=(*state.tables, table)[-TABLES_MAX:])
        return after if "planes" in self.features else after._replace(planes=(Plane(table, table.rank),))

    def _planes(self, state: State) -> Iterator[Next]:
        for number, plane in enumerate(state.planes if "planes" in self.features else ()):
            for label, after in self._plane(state, plane):
                yield f"data plane {number} {label}", state._replace(planes=_with(state.planes, number, after))

    def _plane(self, state: State, plane: Plane) -> Iterator[tuple[str, Plane]]:
        """Any table that was ever sent may arrive now, and any acknowledgement that was ever made."""
        for table in state.tables:
            if table != plane.serves and self.takes(plane.serves, table):
                if table.rank < plane.serves.rank:
                    raise Broken("I3 a table's revision only grows", f"from {plane.serves.rank} to {table.rank}", ("an old table arrives",))
                is_excused = plane.is_excused and (plane.is_silent or table.rank < state.table.rank)
                yield f"takes table {table.rank}", plane._replace(serves=table, is_excused=is_excused)
            if table.rank <= plane.serves.rank:
                yield f"is heard to serve table {table.rank}", plane._replace(heard=self.hears(plane.heard, table.rank))
        if not self.may_be_silent:
            return
        if plane.is_silent:
            yield "is back", plane._replace(is_silent=False, is_excused=plane.serves.rank < state.table.rank)
        else:
            yield "falls silent", plane._replace(is_silent=True, is_excused=True)

    def _crashes(self, state: State) -> Iterator[Next]:
        """A control plane dies and is started again: what it had in memory is gone."""
        if "crash" not in self.features:
            return
        if state.alert == STRUCK:
            raise Broken("I13 nothing owed is lost", "an alert was struck off and never sent", ("a crash",))
        for number, leader in enumerate(state.leaders):
            after = _leader(state, number, Leader(leads=leader.holds, holds=leader.holds))
            yield "a crash", after
            yield from self._after(after, Deed("restart"), "a crash, and what the restart does")

    def _alerts(self, state: State) -> Iterator[Next]:
        match state.alert, self.parts.settles_first:
            case (1, False):
                yield "the alert is sent", state._replace(alert=2)
            case (2, False):
                yield "the alert is struck off", state._replace(alert=0)
            case (1, True):
                yield "the alert is struck off", state._replace(alert=STRUCK)
            case (3, _):
                yield "the alert is sent", state._replace(alert=0)
            case _:
                return

    def _older(self, look: Look | None) -> Look | None:
        if look is None:
            return None
        world = look.world if look.world < 0 else self.shelf.older(look.world)
        if look.deed.kind != "assessed":
            return look._replace(world=world)
        if look.deed.ago >= LOOK_AGE_MAX:
            return None
        return look._replace(deed=look.deed._replace(ago=look.deed.ago + 1), world=world)

    def _table(self, table: Table) -> RoutingTable:
        return self.shelf.table(table.view, table.rank)

    def _check_plane(self, state: State, plane: Plane) -> None:
        """What the store believes of data planes is so: nobody that was heard of serves from a table of before."""
        route = self.shelf.route(plane.serves.view)
        for name, rollout in self.shelf[state.world].rollouts.items():
            phase, progress = rollout.progress.phase, rollout.progress
            if not plane.is_excused and not phase.is_over and progress.acknowledged_at is not None:
                raise Broken("I2 acknowledged is served", f"{name} is acknowledged, and a data plane serves from an older table")
            has_traffic = route.salt == rollout.salt and route.candidate_permille > 0
            if phase is Phase.ROLLED_BACK and has_traffic and not plane.is_excused:
                raise Broken("I1 rolled back is known", f"{name} is rolled back, and a data plane gives it {route.candidate_permille}")
            overridden = any("data-planes" in each.gates for each in progress.overrides)
            if phase is Phase.RETIRED and route.stable == rollout.stable and not overridden:
                raise Broken("I8 retired is known", f"{rollout.stable} is retired, and a data plane serves from it")


@functools.cache
def _told(planes: tuple[Plane, ...]) -> Sequence[PlaneState]:
    """What the store knows of the data planes."""
    return [
        PlaneState(
            plane=f"p{number}",
            boot="b",
            acknowledged_revision=plane.heard,
            seen_at=NOW - (PLANE_SILENT_S + 1 if plane.is_silent else 0),
            watermark_at=NOW,
        )
        for number, plane in enumerate(planes)
    ]


def _leader(state: State, number: int, leader: Leader) -> State:
    return state._replace(leaders=_with(state.leaders, number, leader))


def _with(values: tuple[T, ...], number: int, value: T) -> tuple[T, ...]:
    return (*values[:number], value, *values[number + 1 :])


def _plain(state: State) -> State:
    """Tables are numbered by their order, and two of a kind have no order. A table older than all that may still arrive is as good
    as the oldest of those but one.
    """
    tables, planes, leaders = state.tables, state.planes, state.leaders
    if len(planes) == 1:
        tables = tables[-1:]
    ranks = {table.rank for table in tables}
    ranks |= {plane.serves.rank for plane in planes} | {plane.heard for plane in planes}
    ranks |= {leader.look.table for leader in leaders if leader.look is not None and leader.look.table}
    place = {rank: number for number, rank in enumerate(sorted(ranks), start=1)}
    place[0] = 0
    return state._replace(
        tables=tuple([Table(place[rank], view) for rank, view in tables]),
        planes=tuple(sorted([_numbered(plane, place) for plane in planes])),
        leaders=leaders if len(leaders) == 1 and leaders[0].look is None else _sorted(leaders, place),
        fresh=tuple(sorted(state.fresh)),
    )


def _numbered(plane: Plane, place: dict[int, int]) -> Plane:
    (rank, view), heard, is_silent, is_excused = plane
    return Plane(Table(place[rank], view), place[heard], is_silent, is_excused)


def _sorted(leaders: tuple[Leader, ...], place: dict[int, int]) -> tuple[Leader, ...]:
    numbered = [
        leader if leader.look is None else leader._replace(look=leader.look._replace(table=place[leader.look.table])) for leader in leaders
    ]
    return tuple(sorted(numbered, key=lambda leader: (not leader.holds, leader.look or ())))
