"""What the controller makes of observations: one summary a block and stream, the same again after every restart."""

from typing import Any

import msgspec

from changeover.adapters.memory import MemoryStore
from changeover.evidence.latency import LatencyBlock
from changeover.evidence.scores import ScoreBlock
from changeover.exchange.observation import Observation, Tokens
from changeover.gates.assess import Summary
from changeover.gates.criteria import (
    CostCriterion,
    Criteria,
    ErrorsCriterion,
    EvidenceRules,
    LatencyCriterion,
    QualityCriterion,
    SafetyCriterion,
)
from changeover.gates.streams import streams_for
from changeover.rollout.plan import Plan
from changeover.rollout.world import RolloutMoved
from tests.integration.controller.stage import BLOCK_S, STEPS, Stage
from tests.integration.controller.test_rollouts import in_loop

CRITERIA = Criteria(
    quality=QualityCriterion(score="rouge-l", scale_low=0, scale_high=1, margin=0.02),
    errors=ErrorsCriterion(max_ratio=1.5, margin_points=2),
    latency=LatencyCriterion(max_ratio=1.1),
    cost=CostCriterion(),
    safety=SafetyCriterion(harmful="harm"),
)
ALL_STREAMS = {stream.name for stream in streams_for(CRITERIA)}
PROMPT = {stream.name for stream in streams_for(CRITERIA) if stream.score is None}


def plan(criteria: Criteria = CRITERIA) -> Plan:
    return Plan(steps=STEPS, criteria=criteria, evidence=EvidenceRules(block_s=BLOCK_S, blocks_min=3, score_timeout_s=5.0))


class Measured(Stage):
    """Every request has a time, tokens, a price and a filter's word."""

    def _request(self, at: float, errors: tuple[float, float]) -> Observation:
        return msgspec.structs.replace(
            super()._request(at, errors),
            latency_ms=self.dice.lognormvariate(6.0, 0.5),
            tokens=Tokens(prompt=100 + self.dice.randrange(50), completion=200 + self.dice.randrange(100)),
            cost_usd=0.001 * self.dice.lognormvariate(0, 0.3),
            filtered=False,
        )


def measured() -> Measured:
    return Measured(MemoryStore())


def kept(stage: Stage, stream: str) -> list[Summary]:
    found = stage.store.summaries(rollout=stage.rollout.id, stream=stream)
    assert [block for block, _ in found] == list(range(len(found)))
    return [msgspec.json.decode(body, type=Summary) for _, body in found]


@in_loop
async def test_every_stream_keeps_one_summary_a_block_under_one_configuration() -> None:
    stage = measured()
    stage.begin(plan())
    for _ in range(4):
        await stage.serve(requests=60)
    assessment = await stage.assessor.assess(stage.rollout)
    for stream in ALL_STREAMS:
        summaries = kept(stage, stream)
        assert len(summaries) == assessment.closed[stream] > 0, stream
        assert {summary.config for summary in summaries} == {assessment.config_hash}
    assert {assessment.closed[stream] for stream in PROMPT} == {4}


@in_loop
async def test_a_restart_comes_to_the_same_assessment_of_every_criterion() -> None:
    stage = measured()
    stage.begin(plan())
    before = await stage.assessor.assess(stage.rollout)
    for _ in range(4):
        await stage.serve(requests=60, quality=(0.6, 0.59))
        before = await stage.assessor.assess(stage.rollout)
        stage.restart()
        assert await stage.assessor.assess(stage.rollout) == before
    assert set(before.closed) == ALL_STREAMS


@in_loop
async def test_a_crash_between_two_streams_of_a_block_loses_and_doubles_nothing() -> None:
    """Each summary is its own transaction; after any of them the process may be gone."""
    whole, broken = measured(), measured()
    for stage in (whole, broken):
        stage.begin(plan())
    saves = 0
    save = broken.store.save_summary

    class KilledError(Exception):
        pass

    def save_and_die(**asked: Any) -> None:
        nonlocal saves
        saves += 1
        save(**asked)
        raise KilledError

    for _ in range(3):
        await whole.serve(requests=60)
        broken.store.save_summary = save_and_die
        while True:
            try:
                await broken.assessor.assess(broken.rollout)
                await broken.serve(requests=60) if broken.requests < whole.requests else None
            except KilledError:
                broken.restart()
                continue
            break
    broken.store.save_summary = save
    assert saves >= 3 * len(PROMPT)
    for stream in ALL_STREAMS:
        assert kept(broken, stream) == kept(whole, stream), stream


@in_loop
async def test_a_sticky_unit_counts_once_in_every_stream() -> None:
    stage = measured()
    stage.begin(plan())
    await stage.serve(requests=40)
    first = stage.store.rows(task="mail", attempt=1, since=0, until=stage.clock.now(), score=None)[0].observation
    assessment = await stage.assessor.assess(stage.rollout)
    for _ in range(2):
        again = msgspec.structs.replace(first, request_id=f"again-{stage.clock.now()}", sticky=True, unit="u", started_at=stage.clock.now())
        stage.clock.advance(2 * BLOCK_S)
        stage.report([again])
        assessment = await stage.assessor.assess(stage.rollout)
    counts = {verdict.criterion: verdict.stable.count + verdict.candidate.count for verdict in assessment.verdicts}
    assert counts["errors"] == counts["cost"] == 41


@in_loop
async def test_bets_and_thresholds_start_from_what_the_stable_did_the_day_before() -> None:
    stage = measured()
    for _ in range(3):
        await stage.serve(requests=200, quality=(0.6, 0.6))
    stage.begin(plan())
    await stage.serve(requests=60)
    first = msgspec.json.decode(bytes(kept(stage, "scores")[0].content), type=ScoreBlock)
    assert abs(first.centre.start - 0.6) < 0.02
    latency = msgspec.json.decode(bytes(kept(stage, "latency")[0].content), type=LatencyBlock)
    assert latency.frozen
    assert latency.limits_ms is not None
    assert 300 < latency.limits_ms[0] < 500 < latency.limits_ms[1] < latency.limits_ms[2]


@in_loop
async def test_what_is_older_than_a_day_or_of_another_stable_is_not_asked() -> None:
    stage = measured()
    await stage.serve(requests=600)
    stage.clock.advance(24 * 3600 + 1)
    foreign = [msgspec.structs.replace(stage._request(stage.clock.now(), (0, 0)), assigned="earlier") for _ in range(600)]
    stage.clock.advance(60)
    stage.report(foreign)
    stage.store.add_scores([stage._score(row, (0.9, 0.9)) for row in foreign])
    stage.begin(plan())
    await stage.serve(requests=60)
    first = msgspec.json.decode(bytes(kept(stage, "scores")[0].content), type=ScoreBlock)
    assert first.centre.start == 0.5
    assert not msgspec.json.decode(bytes(kept(stage, "latency")[0].content), type=LatencyBlock).frozen


@in_loop
async def test_evidence_of_another_configuration_decides_nothing_and_moves_nothing() -> None:
    stage = measured()
    stage.begin(plan())
    await stage.serve(requests=60)
    rollout = stage.rollout
    widened = msgspec.structs.replace(rollout, plan=plan(msgspec.structs.replace(CRITERIA, errors=ErrorsCriterion(margin_points=50))))
    stage.restart()
    found = await stage.assessor.assess(widened)
    assert all(verdict.decision == "undecided" and not verdict.tripped for verdict in found.verdicts)
    assert all("start a new attempt" in verdict.sentence for verdict in found.verdicts)
    assert found.blocks == 0


@in_loop
async def test_a_move_names_its_evidence_to_the_block() -> None:
    stage = measured()
    stage.begin(plan(Criteria(errors=ErrorsCriterion(max_ratio=1.5, margin_points=2))))
    for _ in range(30):
        await stage.serve(requests=200, errors=(0.0, 0.4))
        if stage.rollout.progress.phase.is_over:
            break
    last = stage.store.changes()[-1].body
    assert isinstance(last, RolloutMoved)
    assert last.event == "assessed"
    assert last.closed == {"outcomes": len(kept(stage, "outcomes"))}
    assert last.config_hash == kept(stage, "outcomes")[0].config
    assert last.sample_ratio is not None
