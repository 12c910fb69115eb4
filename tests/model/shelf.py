"""Worlds as small numbers: two that differ in nothing a rule or a machine reads are one.

Three things are left out, each because nothing decides by it. *Words* (reasons, the numbers in a hold's sentence). *Revisions*: a
world is held at revision 1, so whoever looked at it expects 1, and whoever looked before expects 0; that tables differ is for the
stage to know, which numbers them by their order. *The date*: the present is always ``NOW``; a tick makes everything older by a block
instead. An age past ``AGE_MAX`` ticks, which is above every limit of the plan, stays at it. So pauses and looks may be repeated for
ever and the worlds stay few.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from changeover.rollout.plan import AnalysisStep
from changeover.rollout.record import Hold, Override
from changeover.rollout.state import Phase, Progress, Rollout
from changeover.rollout.world import World, routing_table
from changeover.traffic.table import Route, RoutingTable
from tests.model.subject import AGE_MAX, NOW, PLAN, TASK, TICK_S

OLDEST: Final = NOW - AGE_MAX * TICK_S
TIMED_STEPS: Final = frozenset(index for index, step in enumerate(PLAN.steps) if isinstance(step, AnalysisStep))


@dataclass(slots=True)
class WorldShelf:
    """Every world seen so far, by number."""

    _worlds: list[World] = field(default_factory=list[World])
    _numbers: dict[bytes, int] = field(default_factory=dict[bytes, int])
    _older: dict[int, int] = field(default_factory=dict[int, int])
    _views: dict[int, int] = field(default_factory=dict[int, int])
    _first: dict[Route, int] = field(default_factory=dict[Route, int])
    _tables: dict[tuple[int, int], RoutingTable] = field(default_factory=dict[tuple[int, int], RoutingTable])

    def __getitem__(self, number: int) -> World:
        return self._worlds[number]

    def __len__(self) -> int:
        return len(self._worlds)

    def number(self, world: World) -> int:
        plain = _plain(world)
        key = msgspec.json.encode(plain)
        known = self._numbers.setdefault(key, len(self._worlds))
        if known == len(self._worlds):
            self._worlds.append(plain)
        return known

    def older(self, number: int) -> int:
        """The same world a tick later."""
        if number not in self._older:
            world = self._worlds[number]
            aged = {name: _aged(rollout) for name, rollout in world.rollouts.items()}
            self._older[number] = self.number(msgspec.structs.replace(world, rollouts=aged))
        return self._older[number]

    def table(self, number: int, revision: int) -> RoutingTable:
        """The world's routing table under this number of the stage's."""
        if (number, revision) not in self._tables:
            self._tables[number, revision] = msgspec.structs.replace(routing_table(self._worlds[number]), revision=revision)
        return self._tables[number, revision]

    def view(self, number: int) -> int:
        """The first world seen with the same routing table."""
        if number not in self._views:
            self._views[number] = self._first.setdefault(self.route(number), number)
        return self._views[number]

    def route(self, number: int) -> Route:
        return self.table(number, 1).routes[TASK]

    def active(self, number: int) -> Rollout | None:
        world = self._worlds[number]
        name = world.tasks[TASK].rollout
        return None if name is None else world.rollouts[name]


def _plain(world: World) -> World:
    rollouts = {name: msgspec.structs.replace(each, progress=_plain_progress(each.progress)) for name, each in world.rollouts.items()}
    return msgspec.structs.replace(world, revision=1, table_revision=1, rollouts=rollouts)


def _plain_progress(progress: Progress) -> Progress:
    """What no decision reads is left out: when a weight was set, when somebody gave a word, words that were for another step, how long
    a step that waits for no date has lasted, and nearly all about an attempt that is over.
    """
    phase = progress.phase
    if phase.is_over:
        return _plain_end(progress)
    hold = progress.hold and Hold(kind=progress.hold.kind, value="", comparator="", limit="")
    return msgspec.structs.replace(
        progress,
        reason="",
        passed=(),
        hold=hold,
        overrides=_plain_overrides(progress),
        finishing=progress.finishing and msgspec.structs.replace(progress.finishing, at=NOW),
        weight_set_at=OLDEST,
        step_entered_at=progress.step_entered_at if progress.step in TIMED_STEPS else OLDEST,
    )


def _plain_end(progress: Progress) -> Progress:
    kept = Progress(
        phase=progress.phase,
        step=progress.step if progress.phase in (Phase.COMPLETED, Phase.RETIRING, Phase.RETIRED) else 0,
        permille=progress.permille,
        weight_set_at=OLDEST,
        step_entered_at=OLDEST,
        was_promoted=progress.was_promoted,
        overrides=_plain_overrides(progress) if progress.phase in (Phase.RETIRING, Phase.RETIRED) else (),
    )
    return msgspec.structs.replace(kept, finished_at=progress.finished_at) if progress.phase is Phase.COMPLETED else kept


def _plain_overrides(progress: Progress) -> tuple[Override, ...]:
    found = {each.gates: msgspec.structs.replace(each, at=NOW) for each in progress.overrides if each.step == progress.step}
    return tuple(found[gates] for gates in sorted(found))


def _aged(rollout: Rollout) -> Rollout:
    before = rollout.progress
    progress = msgspec.structs.replace(
        before,
        weight_set_at=_older(before.weight_set_at),
        step_entered_at=_older(before.step_entered_at),
        acknowledged_at=None if before.acknowledged_at is None else _older(before.acknowledged_at),
        finished_at=None if before.finished_at is None else _older(before.finished_at),
    )
    return msgspec.structs.replace(rollout, progress=progress)


def _older(at: float) -> float:
    return max(OLDEST, at - TICK_S)
