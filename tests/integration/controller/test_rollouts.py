"""The controller with its real evidence, gates and machine, over the memory store, with time moved by hand."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps

import msgspec

from changeover.exchange.observation import Observation
from changeover.rollout.commands import roll_back
from changeover.rollout.state import Phase, Rollout
from changeover.rollout.world import RolloutMoved, World, apply
from changeover.traffic.table import Side
from tests.integration.controller.stage import BLOCK_S, Stage, memory_stage, plan


def in_loop(test: Callable[[], Coroutine[object, object, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


async def serve_until_end(
    stage: Stage, *, blocks: int, quality: tuple[float, float] = (0.6, 0.6), errors: tuple[float, float] = (0, 0)
) -> Rollout:
    for _ in range(blocks):
        if stage.rollout.progress.phase.is_over:
            break
        await stage.serve(quality=quality, errors=errors)
    return stage.rollout


@in_loop
async def test_an_equal_candidate_is_promoted_step_by_step() -> None:
    stage = memory_stage()
    stage.begin()
    weights = [stage.permille]
    for _ in range(60):
        await stage.serve()
        if stage.permille != weights[-1]:
            weights.append(stage.permille)
        if stage.rollout.progress.phase.is_over:
            break
    assert stage.rollout.progress.phase is Phase.COMPLETED
    assert weights[:3] == [100, 500, 1000]
    assert stage.store.world().tasks["mail"].stable == "new"


@in_loop
async def test_a_worse_candidate_is_rolled_back_by_its_scores() -> None:
    stage = memory_stage()
    stage.begin()
    rollout = await serve_until_end(stage, blocks=60, quality=(0.6, 0.5))
    assert rollout.progress.phase is Phase.ROLLING_BACK
    assert "quality" in rollout.progress.reason
    assert stage.permille == 0
    assert stage.store.world().tasks["mail"].stable == "old"


@in_loop
async def test_a_failing_candidate_is_rolled_back_by_its_errors() -> None:
    stage = memory_stage()
    stage.begin(plan(quality=False))
    rollout = await serve_until_end(stage, blocks=60, errors=(0.0, 0.3))
    assert rollout.progress.phase is Phase.ROLLING_BACK
    assert "errors" in rollout.progress.reason


@in_loop
async def test_a_total_outage_of_the_provider_promotes_nothing() -> None:
    stage = memory_stage()
    stage.begin(plan(quality=False))
    for _ in range(40):
        await stage.serve(errors=(1.0, 1.0))
    assert stage.permille == 100
    assert stage.rollout.progress.phase is Phase.RUNNING


@in_loop
async def test_an_outage_stops_quality_from_passing_too() -> None:
    stage = memory_stage()
    stage.begin()
    for _ in range(40):
        await stage.serve(errors=(1.0, 1.0))
    assert stage.permille == 100
    verdicts = {verdict.criterion: verdict.decision for verdict in (await stage.assessor.assess(stage.rollout)).verdicts}
    assert set(verdicts.values()) == {"undecided"}


@in_loop
async def test_without_scores_nothing_advances() -> None:
    stage = memory_stage()
    stage.begin()
    for _ in range(20):
        await stage.serve(scored=False)
    assert stage.permille == 100
    verdicts = {verdict.criterion: verdict for verdict in (await stage.assessor.assess(stage.rollout)).verdicts}
    assert verdicts["quality"].decision == "undecided"
    assert verdicts["quality"].problems


@in_loop
async def test_an_unacknowledged_weight_serves_no_dwell() -> None:
    stage = memory_stage()
    stage.acknowledge = lambda: None
    stage.begin()
    for _ in range(20):
        await stage.serve()
    assert stage.permille == 100
    assert stage.rollout.progress.acknowledged_at is None
    assert (await stage.assessor.assess(stage.rollout)).blocks == 0


@in_loop
async def test_a_block_stays_open_while_a_request_of_it_is_in_flight() -> None:
    stage = memory_stage()
    stage.begin()
    began = stage.clock.now()
    stage.acknowledge()
    stage.clock.advance(5 * BLOCK_S)
    stage.report([], watermark_at=began + 1.5 * BLOCK_S)
    assert (await stage.assessor.assess(stage.rollout)).closed_until == began + BLOCK_S
    stage.report([])
    assert (await stage.assessor.assess(stage.rollout)).closed_until == began + 5 * BLOCK_S


@in_loop
async def test_a_block_waits_for_its_scores_until_their_time_out() -> None:
    stage = memory_stage()
    began = stage.clock.now()
    stage.begin(plan(score_timeout_s=30.0))
    await stage.serve(requests=40, scored=False)
    assert (await stage.assessor.assess(stage.rollout)).closed_until == began
    stage.clock.advance(30.0)
    stage.report([])
    assert (await stage.assessor.assess(stage.rollout)).closed_until > began


@in_loop
async def test_a_new_controller_comes_to_the_same_assessment() -> None:
    stage = memory_stage()
    stage.begin()
    for _ in range(6):
        await stage.serve(quality=(0.6, 0.59), errors=(0.01, 0.01))
    before = await stage.assessor.assess(stage.rollout)
    stage.restart()
    assert await stage.assessor.assess(stage.rollout) == before


@in_loop
async def test_a_roll_back_by_hand_wins_and_nothing_puts_the_candidate_back() -> None:
    stage = memory_stage()
    stage.begin()
    for _ in range(3):
        await stage.serve()
    await stage.office.commit(lambda world: roll_back(world, task="mail", actor="jo", reason="page says no", now=stage.clock.now()))
    assert stage.permille == 0
    for _ in range(5):
        await stage.serve()
    assert stage.permille == 0
    assert stage.rollout.progress.phase is Phase.ROLLED_BACK


@in_loop
async def test_a_sticky_unit_counts_once_per_rollout() -> None:
    stage = memory_stage()
    stage.begin()
    await stage.serve(requests=40)
    rows = stage.store.rows(task="mail", attempt=stage.rollout.attempt, since=0, until=stage.clock.now(), score=None)
    first = rows[0].observation
    again = [
        msgspec.structs.replace(first, request_id=f"again-{number}", sticky=True, unit="u", started_at=stage.clock.now())
        for number in range(5)
    ]
    stage.clock.advance(2 * BLOCK_S)
    stage.report(again)
    assessment = await stage.assessor.assess(stage.rollout)
    errors = next(verdict for verdict in assessment.verdicts if verdict.criterion == "errors")
    assert errors.stable.count + errors.candidate.count == 41


@in_loop
async def test_the_log_replays_to_the_state_and_every_move_has_its_evidence() -> None:
    stage = memory_stage()
    stage.begin()
    await serve_until_end(stage, blocks=60)
    world = World()
    for change in stage.store.changes():
        world = apply(world, change)
    assert world == stage.store.world()
    moves = [change.body for change in stage.store.changes() if isinstance(change.body, RolloutMoved)]
    assert all(move.verdicts and move.evidence_hash for move in moves if move.event == "assessed")


@in_loop
async def test_an_unequal_split_pauses_and_accuses_the_plumbing() -> None:
    stage = memory_stage()
    stage.begin()
    await stage.serve()
    honest = stage._request

    def mostly_stable(at: float, errors: tuple[float, float]) -> Observation:
        row = honest(at, errors)
        while row.side is Side.CANDIDATE and stage.dice.random() < 0.7:
            row = honest(at, errors)
        return row

    stage._request = mostly_stable
    for _ in range(30):
        await stage.serve()
    assert stage.rollout.progress.phase is Phase.PAUSED
    assert "sample" in stage.rollout.progress.reason
