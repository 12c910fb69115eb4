"""Scores come late by their own clock: people's days after the application's, each into the block of its request."""

from collections.abc import Sequence
from typing import Any

import msgspec

from changeover.adapters.memory import MemoryStore
from changeover.evidence.score import Score
from changeover.evidence.scores import ScoreBlock
from changeover.exchange.observation import Observation
from changeover.gates.criteria import Criteria, ErrorsCriterion, EvidenceRules, QualityCriterion, SafetyCriterion, ScoreSource
from changeover.ports.store import EvidenceRow
from changeover.rollout.plan import Plan
from tests.integration.controller.stage import BLOCK_S, STEPS, TASK, Stage
from tests.integration.controller.test_evidence import kept
from tests.integration.controller.test_rollouts import in_loop

DAY_S = 86_400.0
HALF_HOUR_S = 1800.0
RULES = EvidenceRules(block_s=HALF_HOUR_S, blocks_min=3, score_timeout_s=60.0, human_timeout_s=7 * DAY_S)


def plan() -> Plan:
    """People score quality, the application says what was harmful."""
    criteria = Criteria(
        quality=QualityCriterion(score="rating", scale_low=0, scale_high=1, margin=0.02, source=ScoreSource.HUMAN),
        errors=ErrorsCriterion(max_ratio=1.5, margin_points=2),
        safety=SafetyCriterion(harmful="harm"),
    )
    return Plan(steps=STEPS, criteria=criteria, evidence=RULES)


def staged() -> Stage:
    stage = Stage(MemoryStore())
    stage.begin(plan())
    return stage


def rows_of(stage: Stage) -> list[Observation]:
    found = stage.store.rows(task=TASK, attempt=1, since=0, until=stage.clock.now(), score=None)
    return [row.observation for row in found]


def rate(stage: Stage, rows: list[Observation], *, name: str = "rating", value: float = 0.6) -> None:
    stage.store.add_scores([Score(request_id=row.request_id, name=name, value=value, scorer="anna") for row in rows])


def block(stage: Stage, number: int) -> ScoreBlock:
    return msgspec.json.decode(bytes(kept(stage, "scores")[number].content), type=ScoreBlock)


async def later(stage: Stage, seconds: float) -> dict[str, int]:
    stage.clock.advance(seconds)
    stage.acknowledge()
    stage.report([])
    return (await stage.assessor.assess(stage.rollout)).closed


@in_loop
async def test_a_persons_score_that_comes_three_days_late_enters_the_block_of_its_request() -> None:
    stage = staged()
    for _ in range(2):
        await stage.serve(requests=50, scored=False)
        await later(stage, HALF_HOUR_S - BLOCK_S)
    first, second = rows_of(stage)[:50], rows_of(stage)[50:]
    rate(stage, [*first[1:], *second])
    closed = await later(stage, 3 * DAY_S)
    assert closed["scores"] == 0, "the first block waits for one score, and later blocks for the first"
    assert closed["harmful"] >= 2, "what the application says is overdue after a minute, and waits for nobody"
    rate(stage, first[:1], value=0.9)
    closed = await later(stage, 60.0)
    assert closed["scores"] >= 2
    summary = block(stage, 0)
    tallies = [tally for here in summary.strata for tally in (here.stable, here.candidate)]
    assert (sum(tally.scored for tally in tallies), sum(tally.missing for tally in tallies)) == (50, 0)
    assert abs(summary.centre_next.total - (49 * 0.6 + 0.9)) < 1e-9


@in_loop
async def test_a_score_that_never_comes_counts_as_the_worst_once_its_own_time_is_over() -> None:
    stage = staged()
    await stage.serve(requests=50, scored=False)
    rate(stage, rows_of(stage)[1:])
    assert (await later(stage, 7 * DAY_S))["scores"] == 0
    assert (await later(stage, HALF_HOUR_S))["scores"] >= 1
    tallies = [tally for here in block(stage, 0).strata for tally in (here.stable, here.candidate)]
    assert (sum(tally.scored for tally in tallies), sum(tally.missing for tally in tallies)) == (49, 1)
    assert abs(sum(tally.gains.mean * tally.gains.count for tally in tallies) - 49 * 0.6) < 1e-9


@in_loop
async def test_what_comes_after_its_time_is_kept_and_not_used() -> None:
    stage = staged()
    await stage.serve(requests=50, scored=False)
    rate(stage, rows_of(stage)[1:])
    await later(stage, 8 * DAY_S)
    before = kept(stage, "scores")[0]
    rate(stage, rows_of(stage)[:1])
    stage.restart()
    await later(stage, 120.0)
    assert kept(stage, "scores")[0] == before


@in_loop
async def test_waiting_for_people_reads_a_block_once_a_minute_not_at_every_tick() -> None:
    stage = staged()
    await stage.serve(requests=50, scored=False)
    await later(stage, HALF_HOUR_S)
    rows, asked = stage.store.rows, 0

    def counted(**query: Any) -> Sequence[EvidenceRow]:
        nonlocal asked
        asked += query["score"] == "rating"
        return rows(**query)

    stage.store.rows = counted
    for _ in range(480):
        stage.clock.advance(0.25)
        await stage.assessor.assess(stage.rollout)
    assert 1 <= asked <= 3
