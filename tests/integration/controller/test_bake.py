"""The bake, from observations to promotion and back: with users who are known, a controller that stood still, and no traffic."""

import msgspec

from changeover.adapters.memory import MemoryStore
from changeover.rollout.commands import roll_back
from changeover.rollout.plan import Bake
from changeover.rollout.replay import replayed
from changeover.rollout.state import Phase
from tests.integration.controller import test_brake
from tests.integration.controller.stage import BLOCK_S, TASK
from tests.integration.controller.test_replay import exported
from tests.integration.controller.test_rollouts import in_loop

BAKE_BLOCKS = 4


async def baking() -> test_brake.Sticky:
    """Every user is known by now: no block has a new unit any more."""
    stage = test_brake.Sticky(MemoryStore())
    stage.users = 1_000_000
    stage.begin(
        msgspec.structs.replace(test_brake.plan(), bake=Bake(duration_s=BAKE_BLOCKS * BLOCK_S, holdback_permille=50), retain_s=60.0)
    )
    for _ in range(40):
        await stage.serve(requests=400)
        if stage.rollout.progress.phase is Phase.BAKING:
            break
    assert (stage.rollout.progress.phase, stage.permille) == (Phase.BAKING, 950)
    stage.users = 300
    return stage


@in_loop
async def test_users_who_are_known_bake_it_too_and_the_old_version_is_kept_for_its_time() -> None:
    stage = await baking()
    blocks = 0
    while stage.rollout.progress.phase is Phase.BAKING:
        assert stage.permille == 950
        await stage.serve(requests=400)
        blocks += 1
    assert BAKE_BLOCKS <= blocks <= BAKE_BLOCKS + 1
    assert stage.rollout.progress.phase is Phase.COMPLETED
    assert stage.store.world().tasks[TASK].stable == "new"
    assert replayed(exported(stage)).differences == ()
    stage.clock.advance(60.0)
    await stage.controller.tick()
    assert stage.rollout.progress.phase is Phase.RETIRING
    stage.acknowledge()
    stage.report([])
    await stage.controller.tick()
    assert stage.rollout.progress.phase is Phase.RETIRED


@in_loop
async def test_a_night_without_traffic_and_a_controller_that_stood_still_shorten_no_bake() -> None:
    stage = await baking()
    for _ in range(20):
        await stage.serve(requests=0)
    stage.clock.advance(3600.0)
    stage.restart()
    await stage.controller.tick()
    assert stage.rollout.progress.phase is Phase.BAKING
    stage.acknowledge()
    stage.report([])
    await stage.controller.tick()
    assert stage.rollout.progress.phase is Phase.BAKING


@in_loop
async def test_a_candidate_that_breaks_in_its_bake_is_taken_back() -> None:
    stage = await baking()
    await stage.serve(requests=600, errors=(0.0, 0.9))
    assert stage.rollout.progress.phase is Phase.ROLLING_BACK
    assert stage.permille == 0
    await stage.serve(requests=10)
    assert stage.rollout.progress.phase is Phase.ROLLED_BACK


@in_loop
async def test_after_promotion_the_old_version_is_one_word_away() -> None:
    stage = await baking()
    while stage.rollout.progress.phase is Phase.BAKING:
        await stage.serve(requests=400)
    await stage.office.commit(lambda world: roll_back(world, task=TASK, actor="jo", reason="complaints", now=stage.clock.now()))
    task = stage.store.world().tasks[TASK]
    assert (task.stable, task.blocked) == ("old", (("old", "new"),))
    await stage.serve(requests=10)
    assert (stage.rollout.progress.phase, stage.permille) == (Phase.ROLLED_BACK, 0)
    assert replayed(exported(stage)).differences == ()
