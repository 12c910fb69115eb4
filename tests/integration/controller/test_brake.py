"""The outage brake, from observations to the rollback, at every weight."""

from collections.abc import Sequence

import msgspec

from changeover.adapters.memory import MemoryStore
from changeover.gates.criteria import Criteria, ErrorsCriterion, EvidenceRules
from changeover.ports.store import EvidenceRow
from changeover.rollout.commands import Order, pause
from changeover.rollout.plan import Plan
from changeover.rollout.replay import replayed
from changeover.rollout.state import Phase
from changeover.rollout.world import RolloutMoved
from changeover.traffic.table import Side
from tests.integration.controller.stage import BLOCK_S, STEPS, TASK, Stage
from tests.integration.controller.test_replay import exported
from tests.integration.controller.test_rollouts import in_loop

USERS = 300


def plan() -> Plan:
    return Plan(
        steps=STEPS,
        criteria=Criteria(errors=ErrorsCriterion(max_ratio=1.5, margin_points=2)),
        evidence=EvidenceRules(block_s=BLOCK_S, blocks_min=3),
    )


class Sticky(Stage):
    """The same users come again and again: after the first block nobody is new."""

    users = USERS

    def _unit(self) -> str | None:
        return f"user-{self.requests % self.users}"


def sticky() -> Sticky:
    stage = Sticky(MemoryStore())
    stage.begin(plan())
    return stage


def hold(stage: Stage) -> None:
    stage.store.commit(
        lambda world: pause(world, task=TASK, order=Order(actor="test", reason="wait"), now=stage.clock.now()), at=stage.clock.now()
    )


@in_loop
async def test_a_candidate_that_breaks_for_users_who_were_counted_before_is_rolled_back_by_the_brake() -> None:
    stage = sticky()
    for _ in range(4):
        await stage.serve(requests=400)
    assert stage.rollout.progress.phase is Phase.RUNNING
    await stage.serve(requests=600, errors=(0.0, 0.9))
    progress = stage.rollout.progress
    assert (progress.phase, progress.permille) == (Phase.ROLLING_BACK, 0)
    assert progress.reason.startswith("outage brake: ")
    last = stage.store.changes()[-1].body
    assert isinstance(last, RolloutMoved)
    assert last.brake is not None
    assert last.brake.candidate_errors > last.brake.candidate_requests / 2
    assert not any(verdict.tripped for verdict in last.verdicts)


@in_loop
async def test_at_a_weight_of_100_with_no_stable_left_its_last_block_counts() -> None:
    stage = sticky()
    stage.users = 1_000_000
    for _ in range(40):
        await stage.serve(requests=400)
        if stage.permille == 1000:
            break
    assert stage.permille == 1000
    hold(stage)
    await stage.serve(requests=400)
    assert stage.rollout.progress.phase is Phase.PAUSED
    assert {row.observation.side for row in _last_block(stage)} == {Side.CANDIDATE}
    await stage.serve(requests=400, errors=(0.0, 0.7))
    assert stage.rollout.progress.phase is Phase.ROLLING_BACK
    assert stage.permille == 0
    assert "outage brake" in stage.rollout.progress.reason


@in_loop
async def test_when_both_sides_are_down_it_leaves_them_alone() -> None:
    stage = sticky()
    for _ in range(3):
        await stage.serve(requests=400)
    stage.restart()
    await stage.serve(requests=400, errors=(0.9, 0.9))
    assert stage.rollout.progress.phase is Phase.RUNNING


@in_loop
async def test_what_the_brake_rested_on_can_be_recomputed() -> None:
    stage = sticky()
    for _ in range(4):
        await stage.serve(requests=400)
    await stage.serve(requests=600, errors=(0.0, 0.9))
    file = exported(stage)
    assert replayed(file).differences == ()
    last = file.moves[-1].body
    assert isinstance(last, RolloutMoved)
    assert last.brake is not None
    painted = msgspec.structs.replace(last, brake=msgspec.structs.replace(last.brake, candidate_errors=1))
    told = msgspec.structs.replace(file, moves=(*file.moves[:-1], msgspec.structs.replace(file.moves[-1], body=painted)))
    assert any("outage brake.candidate_errors" in difference for difference in replayed(told).differences)


def _last_block(stage: Stage) -> Sequence[EvidenceRow]:
    now = stage.clock.now()
    return stage.store.rows(task=TASK, attempt=stage.rollout.attempt, since=now - BLOCK_S, until=now, score=None)
