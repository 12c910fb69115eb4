"""Each fault that other products have had, planted in one function: the search finds it, and says how it comes about."""

import sys
from collections.abc import Sequence
from types import MappingProxyType

import msgspec
import pytest

from changeover.controller.aftermath import next_event
from changeover.ports.planes import PlaneState
from changeover.rollout import commands
from changeover.rollout.commands import NothingToDo, Order
from changeover.rollout.moves import next_step
from changeover.rollout.state import Acknowledged, Assessed, Event, Phase, Rollout
from changeover.rollout.world import Proposal, RolloutMoved, RolloutStarted, World
from tests.model.explorer import Broken
from tests.model.parts import COMMANDS, PRODUCT, Ask, Parts
from tests.model.small_worlds import explore, stage
from tests.model.subject import NOW, TASK, assessment

PASSED = assessment("pass", served=0, ago=0).verdicts


def with_command(name: str, ask: Ask) -> Parts:
    return Parts(commands=MappingProxyType({**COMMANDS, name: ask}))


def decided_on_anything(_world: World, *, is_fresh: bool) -> Order:
    return Order(actor="ana", reason="because", expected_revision=None)


def promote_whatever_it_is(world: World, order: Order) -> Proposal:
    """Finishing starts the last attempt again where it was rolled back."""
    last = max(world.rollouts.values(), key=lambda rollout: rollout.attempt, default=None)
    if last is None or last.progress.phase is not Phase.ROLLED_BACK:
        return COMMANDS["promote"](world, order)
    progress = msgspec.structs.replace(last.progress, phase=Phase.RUNNING, permille=950, step=2)
    return Proposal(actor="ana", reason="r", body=RolloutStarted(rollout=msgspec.structs.replace(last, progress=progress)))


def roll_back_unless_finishing(world: World, order: Order) -> Proposal:
    """An abort after a promotion is swallowed."""
    if any(rollout.progress.finishing is not None for rollout in world.rollouts.values()):
        raise NothingToDo("it is being promoted")
    return COMMANDS["roll back"](world, order)


def one_step_on(world: World) -> Proposal | None:
    """Who is started ticks at once, without a look at when the last tick was."""
    name = world.tasks[TASK].rollout
    if name is None or world.rollouts[name].progress.phase is not Phase.RUNNING:
        return None
    after, owed = next_step(world.rollouts[name], "tick", NOW)
    body = RolloutMoved(rollout=name, event="assessed", progress=after.progress)
    return Proposal(actor="controller", reason="r", body=body, commands=owed)


def retired_at_once(rollout: Rollout, planes: Sequence[PlaneState], *, revision: int, now: float) -> Event | None:
    if rollout.progress.phase is Phase.RETIRING:
        return Acknowledged()
    return next_event(rollout, planes, revision=revision, now=now)


def move_by_the_absence_of_harm(world: World, *, rollout_id: str, event: Event, now: float, actor: str) -> Proposal:
    """What is undecided counts as passed."""
    if isinstance(event, Assessed) and not any(verdict.tripped for verdict in event.assessment.verdicts):
        event = Assessed(assessment=msgspec.structs.replace(event.assessment, verdicts=PASSED))
    return commands.move(world, rollout_id=rollout_id, event=event, now=now, actor=actor)


def acknowledged_by_anybody(_planes: Sequence[PlaneState], _revision: int, _now: float) -> Acknowledged:
    return Acknowledged()


FAULTS = [
    ("no compare-and-swap by people", ("operators",), Parts(order=decided_on_anything), "commands meet their revision"),
    ("no compare-and-swap by the controller", ("crash",), Parts(looks_back=True), "I1 rolled back stays out"),
    ("a promote that clears a rollback", ("operators",), with_command("promote", promote_whatever_it_is), "I1 rolled back stays out"),
    (
        "a rollback that a promote swallows",
        ("operators",),
        with_command("roll back", roll_back_unless_finishing),
        "I1 the way back is open",
    ),
    ("no revision fence", ("planes",), Parts(takes=lambda _serving, _offered: True), "I3 a table's revision only grows"),
    ("a tick on restart", ("crash",), Parts(restarted=one_step_on), "I2 one step on its own evidence"),
    ("a deletion before all know", ("planes",), Parts(next_event=retired_at_once), "I8 retired is known"),
    ("a commit without a lease", ("leaders",), Parts(commits=lambda _holds: True), "I7 who lost the lease commits nothing"),
    ("an alert struck off before it is sent", ("crash",), Parts(settles_first=True), "I13 nothing owed is lost"),
    ("no news is good news", ("provider",), Parts(move=move_by_the_absence_of_harm), "I2 one step on its own evidence"),
    ("an acknowledgement that nobody gave", ("planes",), Parts(acknowledgement=acknowledged_by_anybody), "I2 acknowledged is served"),
]


@pytest.mark.parametrize(("features", "parts", "rule"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_a_planted_fault_is_found(features: tuple[str, ...], parts: Parts, rule: str) -> None:
    with pytest.raises(Broken) as found:
        explore(stage(*features, parts=parts))
    sys.stdout.write(f"{found.value}\n")
    assert found.value.rule == rule
    assert found.value.trace
    assert parts != PRODUCT
