"""A clock that jumps by an hour, either way, and a controller that stood still for one: a rollout waits, and nothing is lost.

The product's controller, office and assessor over the store, in process; time is moved by hand.
"""

from collections.abc import Awaitable, Callable

import pytest

from changeover.rollout.state import Phase
from changeover.rollout.world import World, apply
from tests.integration.controller.stage import BLOCK_S, STEPS, Stage, memory_stage, plan
from tests.integration.controller.test_rollouts import in_loop

HOUR_S = 3600.0
TICKS = 8
WALK_MAX = 60
JUMPS = [HOUR_S, -HOUR_S]
STEP_NUMBERS = range(len(STEPS) - 1)


async def walked_to(step: int) -> Stage:
    """A rollout that stands on this step, with traffic so far."""
    stage = memory_stage()
    stage.begin(plan(quality=False))
    for _ in range(WALK_MAX):
        if stage.rollout.progress.step >= step:
            return stage
        await stage.serve(requests=600)
    raise AssertionError(f"step {step} was not reached")


async def ticked(stage: Stage, *, requests: int | None = None) -> None:
    """So many looks in a row; with traffic at the time that the clock shows, where ``requests`` says so."""
    for _ in range(TICKS):
        if requests is None:
            stage.clock.advance(0.25)
            await stage.controller.tick()
        else:
            await stage.serve(requests=requests)


def standing(stage: Stage) -> tuple[int, int]:
    return stage.rollout.progress.step, stage.permille


def assert_nothing_is_lost(stage: Stage) -> None:
    """The log makes the state, and every event is there."""
    replayed = World()
    for change in stage.store.changes():
        replayed = apply(replayed, change)
    assert replayed == stage.store.world()
    assert list(stage.store.verify()) == []


async def goes_on(stage: Stage) -> None:
    for _ in range(WALK_MAX):
        if stage.rollout.progress.phase is Phase.COMPLETED:
            return
        await stage.serve(requests=600)
    raise AssertionError(f"it stands at {stage.rollout.progress}")


@pytest.mark.parametrize("step", STEP_NUMBERS)
@pytest.mark.parametrize("jump_s", JUMPS)
def test_a_clock_that_jumps_advances_nothing(jump_s: float, step: int) -> None:
    @in_loop
    async def jumps() -> None:
        stage = await walked_to(step)
        before, events = standing(stage), stage.store.world().revision
        stage.clock.advance(jump_s)
        await ticked(stage)
        assert standing(stage) == before
        assert stage.rollout.progress.phase in (Phase.RUNNING, Phase.PAUSED)
        assert stage.store.world().revision >= events
        stage.clock.advance(-jump_s)
        await goes_on(stage)
        assert_nothing_is_lost(stage)

    jumps()


@pytest.mark.parametrize("jump_s", JUMPS)
def test_after_a_jump_rolling_back_works_at_once(jump_s: float) -> None:
    @in_loop
    async def jumps() -> None:
        from changeover.rollout.commands import roll_back

        stage = await walked_to(2)
        stage.clock.advance(jump_s)
        await stage.controller.tick()
        stage.store.commit(
            lambda world: roll_back(world, task="mail", actor="ana", reason="the clock", now=stage.clock.now()), at=stage.clock.now()
        )
        assert stage.permille == 0
        stage.acknowledge()
        await stage.controller.tick()
        assert stage.rollout.progress.phase is Phase.ROLLED_BACK
        assert_nothing_is_lost(stage)

    jumps()


def test_a_clock_that_was_set_back_moves_no_step_by_evidence_of_before() -> None:
    """Requests go on at the times that the clock shows now, which are before the weight was acknowledged."""

    @in_loop
    async def goes_back() -> None:
        stage = await walked_to(2)
        await stage.controller.tick()
        before = standing(stage)
        stage.clock.advance(-HOUR_S)
        await ticked(stage, requests=200)
        assert standing(stage)[0] <= before[0] + 1, "an acknowledgement may still be taken; no evidence of before may count"
        reached = standing(stage)
        await ticked(stage, requests=200)
        assert standing(stage) == reached
        assert_nothing_is_lost(stage)

    goes_back()


@pytest.mark.parametrize("step", STEP_NUMBERS)
def test_a_controller_that_stood_still_for_an_hour_takes_no_step_on_time_that_nobody_watched(step: int) -> None:
    @in_loop
    async def stands_still() -> None:
        stage = await walked_to(step)
        before = standing(stage)
        stage.clock.advance(HOUR_S)
        stage.restart()
        await ticked(stage)
        assert standing(stage) == before
        stage.report([])
        await stage.controller.tick()
        assert standing(stage)[0] <= before[0] + 1
        await goes_on(stage)
        assert_nothing_is_lost(stage)

    stands_still()


def test_a_controller_that_stood_still_while_traffic_went_on_takes_one_step_at_a_time() -> None:
    """What was served meanwhile counts for the weight it was served at, and for no later one."""

    @in_loop
    async def stands_still() -> None:
        stage = await walked_to(1)
        hour: Callable[[], Awaitable[None]] = stage.controller.tick

        async def asleep() -> None:
            return

        stage.controller.tick = asleep  # type: ignore[method-assign]
        for _ in range(int(HOUR_S / BLOCK_S / 10)):
            await stage.serve(requests=100)
        stage.controller.tick = hour  # type: ignore[method-assign]
        await ticked(stage)
        assert standing(stage) == (2, 500), "from 10 % to 50 %, which nobody has acknowledged yet"
        await goes_on(stage)
        assert_nothing_is_lost(stage)

    stands_still()
