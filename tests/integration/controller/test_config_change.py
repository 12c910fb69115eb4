"""A release that changes a number of the tests while a rollout runs: it pauses, says what to do, and keeps watching for harm."""

import pytest

from changeover.gates import assess
from changeover.rollout.commands import Order, resume, retry
from changeover.rollout.replay import replayed
from changeover.rollout.state import Phase
from tests.integration.controller.stage import TASK, Stage, memory_stage, plan
from tests.integration.controller.test_replay import exported
from tests.integration.controller.test_rollouts import in_loop

NEW = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _same_release_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assess, "config_hash", assess.config_hash)


def upgrade(stage: Stage) -> str:
    """Another release takes over; returns the configuration of the one before."""
    rollout = stage.rollout
    before = assess.config_hash(rollout.plan.criteria, rollout.plan.evidence)
    assess.config_hash = lambda criteria, rules: NEW
    stage.restart()
    return before


async def running() -> Stage:
    stage = memory_stage()
    stage.begin(plan(quality=False))
    for _ in range(2):
        await stage.serve(requests=400)
    assert stage.rollout.progress.phase is Phase.RUNNING
    return stage


@in_loop
async def test_the_rollout_pauses_and_names_both_configurations_and_the_way_to_a_new_attempt() -> None:
    stage = await running()
    before = upgrade(stage)
    await stage.controller.tick()
    progress = stage.rollout.progress
    assert (progress.phase, progress.permille) == (Phase.PAUSED, 100)
    for word in (before, NEW, "changeover rollout retry mail", "Guardrails watch on"):
        assert word in progress.reason


@in_loop
async def test_healthy_traffic_afterwards_never_passes_and_resuming_pauses_again() -> None:
    stage = await running()
    upgrade(stage)
    for _ in range(20):
        await stage.serve(requests=400)
    assert stage.permille == 100
    found = await stage.assessor.assess(stage.rollout)
    assert {verdict.decision for verdict in found.verdicts} == {"undecided"}
    order = Order(actor="test", reason="go on")
    stage.store.commit(lambda world: resume(world, task=TASK, order=order, now=stage.clock.now()), at=stage.clock.now())
    await stage.serve(requests=400)
    assert stage.rollout.progress.phase is Phase.PAUSED


@in_loop
async def test_harm_proven_by_what_comes_afterwards_still_rolls_back_also_after_another_restart() -> None:
    stage = await running()
    upgrade(stage)
    await stage.serve(requests=400)
    stage.restart()
    for _ in range(20):
        await stage.serve(requests=400, errors=(0.0, 0.2))
        if stage.rollout.progress.phase.is_over:
            break
    assert stage.rollout.progress.phase is Phase.ROLLING_BACK
    assert "errors tripped" in stage.rollout.progress.reason


@in_loop
async def test_a_new_attempt_under_the_new_configuration_decides_again() -> None:
    stage = await running()
    upgrade(stage)
    await stage.serve(requests=400)
    order = Order(actor="test", reason="anew")
    now = stage.clock.now()
    stage.store.commit(lambda world: retry(world, task=TASK, rollout_id="r2", salt="other", order=order, now=now), at=now)
    assert stage.store.world().rollouts["r1"].progress.phase is Phase.SUPERSEDED
    assert (stage.rollout.id, stage.rollout.attempt, stage.permille) == ("r2", 2, 100)
    found = await stage.assessor.assess(stage.rollout)
    assert found.refusal == ""
    assert {verdict.stable.count for verdict in found.verdicts} == {0}
    for _ in range(30):
        await stage.serve(requests=400)
    assert stage.rollout.progress.phase is Phase.COMPLETED


@in_loop
async def test_a_file_of_two_configurations_is_verified_as_far_as_this_program_can() -> None:
    stage = await running()
    upgrade(stage)
    for _ in range(20):
        await stage.serve(requests=400, errors=(0.0, 0.2))
    differences = replayed(exported(stage)).differences
    assert all("cannot be folded" not in difference for difference in differences)


@in_loop
async def test_the_brake_needs_no_configuration() -> None:
    stage = await running()
    upgrade(stage)
    await stage.serve(requests=400, errors=(0.0, 0.95))
    assert stage.rollout.progress.phase is Phase.ROLLING_BACK
    assert "outage brake" in stage.rollout.progress.reason
