"""One commit in a small world: the product decides and applies, every rule is asked, and the answer is kept."""

from dataclasses import dataclass, field
from typing import NamedTuple

from changeover.rollout.commands import Refusal
from changeover.rollout.state import Acknowledged, Assessed, Event, RetentionPassed
from changeover.rollout.world import Proposal, World, apply
from tests.model.explorer import Broken
from tests.model.parts import Parts, roll_back_further
from tests.model.rules import STEP_RULES, WORLD_RULES, Deed, Step, way_back_is_open
from tests.model.shelf import WorldShelf
from tests.model.subject import NOW, assessment, change_of


class Outcome(NamedTuple):
    """The world after a commit. ``moved``: it has another routing table; ``told``: an alert is owed."""

    world: int
    moved: bool
    told: bool


@dataclass(slots=True)
class Moves:
    shelf: WorldShelf
    parts: Parts
    _known: dict[tuple[int, Deed, int], Outcome | None] = field(default_factory=dict[tuple[int, Deed, int], Outcome | None])
    _sound: set[int] = field(default_factory=set[int])

    def commit(self, number: int, deed: Deed, *, seen: int) -> Outcome | None:
        """``None`` where it is refused. ``seen`` is the world that it was decided on, where that is not the present one."""
        key = (number, deed, seen)
        if key not in self._known:
            self._known[key] = self._committed(number, deed, seen)
        return self._known[key]

    def check(self, number: int) -> None:
        if number in self._sound:
            return
        world = self.shelf[number]
        for rule, holds in WORLD_RULES.items():
            _refuse(rule, holds(world))
        _refuse("I1 the way back is open", way_back_is_open(world, self._rolled_back, _further_back))
        self._sound.add(number)

    def _committed(self, number: int, deed: Deed, seen: int) -> Outcome | None:
        before = self.shelf[number]
        try:
            proposal = self._decided(self.shelf[seen], deed)
        except Refusal:
            return None
        if proposal is None:
            return None
        after = apply(before, change_of(before, proposal))
        step = Step(before=before, after=after, deed=deed, commands=proposal.commands)
        for rule, holds in STEP_RULES.items():
            _refuse(rule, holds(step), str(deed))
        told = any(command.kind == "alert" for command in proposal.commands)
        return Outcome(self.shelf.number(after), after.table_revision != before.table_revision, told)

    def _decided(self, world: World, deed: Deed) -> Proposal | None:
        if deed.kind == "restart":
            return self.parts.restarted(world)
        if deed.kind in self.parts.commands:
            return self.parts.commands[deed.kind](world, self.parts.order(world, is_fresh=deed.is_fresh))
        return self.parts.move(world, rollout_id=deed.rollout, event=_event(deed), now=NOW, actor="controller")

    def _rolled_back(self, world: World) -> World:
        proposal = self._decided(world, Deed("roll back", is_fresh=False))
        assert proposal is not None
        return apply(world, change_of(world, proposal))


def _further_back(world: World) -> World:
    return apply(world, change_of(world, roll_back_further(world)))


def _event(deed: Deed) -> Event:
    match deed.kind:
        case "assessed":
            return Assessed(assessment(deed.finding, served=deed.served, ago=deed.ago))  # pyright: ignore[reportArgumentType]
        case "acknowledged":
            return Acknowledged(silent=deed.silent)
        case _:
            return RetentionPassed()


def _refuse(rule: str, fault: str, *trace: str) -> None:
    if fault:
        raise Broken(rule, fault, trace)
