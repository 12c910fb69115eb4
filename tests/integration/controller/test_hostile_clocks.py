"""Data planes whose clocks are wrong: their requests are nowhere or late, nothing crashes, and nothing passes by it."""

from collections.abc import Sequence

import msgspec
import pytest

from changeover.adapters.memory import MemoryStore
from changeover.exchange.observation import Observation
from changeover.gates.verdict import Assessment, Decision
from tests.integration.controller.stage import BLOCK_S, Stage
from tests.integration.controller.test_rollouts import in_loop

YEAR_S = 365 * 86_400.0


class Jumping(Stage):
    """Every request says that it began ``ahead_s`` from when it did; the plane's watermark may be as wrong."""

    ahead_s = 0.0
    watermark_ahead_s = 0.0

    def report(self, observations: Sequence[Observation], *, watermark_at: float | None = None) -> None:
        moved = [msgspec.structs.replace(row, started_at=row.started_at + self.ahead_s) for row in observations]
        super().report(moved, watermark_at=self.clock.now() + self.watermark_ahead_s if watermark_at is None else watermark_at)

    async def assessed(self) -> Assessment:
        return await self.assessor.assess(self.rollout)


@pytest.mark.parametrize("ahead_s", [YEAR_S, -YEAR_S, 3 * BLOCK_S, -3 * BLOCK_S])
def test_requests_at_times_that_are_not_now_pass_nothing_until_the_clock_is_right(ahead_s: float) -> None:
    in_loop(lambda: _served_at_wrong_times(ahead_s))()


async def _served_at_wrong_times(ahead_s: float) -> None:
    stage = Jumping(MemoryStore())
    stage.begin()
    stage.ahead_s = ahead_s
    for _ in range(2):
        await stage.serve()
    found = await stage.assessed()
    assert all(verdict.decision is Decision.UNDECIDED for verdict in found.verdicts)
    assert stage.permille == 100
    stage.ahead_s = 0.0
    for _ in range(6):
        await stage.serve()
    assert (await stage.assessed()).verdicts[0].stable.count > 0


@in_loop
async def test_a_watermark_from_the_future_closes_no_block_that_is_not_over() -> None:
    """Or the requests that are still to come would find their blocks closed, and count for nothing."""
    stage = Jumping(MemoryStore())
    stage.begin()
    stage.watermark_ahead_s = YEAR_S
    for _ in range(4):
        await stage.serve()
    found = await stage.assessed()
    assert found.closed_until <= stage.clock.now()
    assert found.sample_ratio.stable + found.sample_ratio.candidate > 0


@in_loop
async def test_a_watermark_from_the_past_closes_nothing() -> None:
    stage = Jumping(MemoryStore())
    stage.begin()
    stage.watermark_ahead_s = -YEAR_S
    for _ in range(3):
        await stage.serve()
    assert (await stage.assessed()).closed["outcomes"] <= 1
    assert stage.permille == 100
