"""Whole rollouts of every criterion through the real summaries and gates, from rows that anything may have happened to."""

from collections.abc import Callable, Sequence
from random import Random

import msgspec

from changeover.evidence.blocks import BlockClock
from changeover.exchange.observation import Observation, Outcome, Tokens
from changeover.gates.assess import Judge
from changeover.gates.criteria import (
    CostCriterion,
    Criteria,
    ErrorsCriterion,
    EvidenceRules,
    LatencyCriterion,
    QualityCriterion,
    SafetyCriterion,
)
from changeover.gates.verdict import Assessment, Decision, Verdict
from changeover.traffic.table import Side

CRITERIA = Criteria(
    quality=QualityCriterion(score="rubric", scale_low=0.0, scale_high=1.0, margin=0.2),
    errors=ErrorsCriterion(max_ratio=3.0, margin_points=8.0),
    latency=LatencyCriterion(quantiles=(0.5, 0.9), max_ratio=2.0),
    cost=CostCriterion(max_ratio=2.0, input_ratio=2.0, output_ratio=2.0),
    safety=SafetyCriterion(max_ratio=3.0, margin_points=8.0, harmful="harm"),
)
BLOCK_S = 10.0
RULES = EvidenceRules(block_s=BLOCK_S, blocks_min=6)
BLOCKS = 8
PER_BLOCK = 120
BEFORE = 600

QUALITY, ERRORS, FILTER, HARMFUL = "quality", "errors", "filter", "harmful"
LATENCY = ("latency p50", "latency p90")
COST = ("cost", "input tokens", "output tokens")
ALL = (QUALITY, ERRORS, *LATENCY, *COST, FILTER, HARMFUL)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A request and the scores it got."""

    row: Observation
    rubric: float | None = 0.7
    harm: float | None = 0.0


def measured(number: int, dice: Random, *, p: float = 0.5) -> Measured:
    side = Side.CANDIDATE if dice.random() < p else Side.STABLE
    name = "new" if side is Side.CANDIDATE else "old"
    row = Observation(
        request_id=f"r{number}",
        unit=f"u{number}",
        started_at=float(number) * BLOCK_S / PER_BLOCK,
        outcome=Outcome.ANSWERED,
        revision=1,
        latency_ms=dice.lognormvariate(6.0, 0.4),
        side=side,
        candidate_probability=p,
        assigned=name,
        served=name,
        filtered=False,
        tokens=Tokens(prompt=100 + dice.randrange(50), completion=40 + dice.randrange(30)),
        cost_usd=0.001 * dice.lognormvariate(0.0, 0.3),
    )
    return Measured(row=row, rubric=0.5 + 0.4 * dice.random())


def healthy(dice: Random, *, blocks: int = BLOCKS, per_block: int = PER_BLOCK) -> list[list[Measured]]:
    """Blocks on which every criterion passes: sides alike, no event, wide margins."""
    return [[measured(block * per_block + number, dice) for number in range(per_block)] for block in range(blocks)]


STABLE_BEFORE = [measured(-number, Random(9 + number), p=0.0) for number in range(BEFORE)]
"""What the stable did before the rollout: thresholds of latency are frozen from it."""


def judged(blocks: Sequence[Sequence[Measured]], *, looked: Callable[[Assessment], None] = lambda _: None) -> Assessment:
    """Every stream's summaries made, stored as bytes and folded, block by block, as the controller does; a look at each end."""
    judge = Judge.begin(criteria=CRITERIA, rules=RULES, clock=BlockClock(origin_at=0.0, block_s=BLOCK_S))
    judge = judge.informed("latency", [(one.row, None) for one in STABLE_BEFORE])
    assessment = look(judge)
    for block in blocks:
        for name, stream in judge.streams.items():
            judge = judge.add(judge.summarise(name, [(one.row, _score(one, stream.score)) for one in block]))
        assessment = look(judge)
        looked(assessment)
    return assessment


def look(judge: Judge) -> Assessment:
    return judge.assessment(blocks_dwelt=0, served_s=0.0, closed_until=0.0)


def verdicts(assessment: Assessment, *names: str) -> list[Verdict]:
    return [verdict for verdict in assessment.verdicts if verdict.criterion in names]


def passed(assessment: Assessment) -> set[str]:
    return {verdict.criterion for verdict in assessment.verdicts if verdict.decision is Decision.PASS}


def changed(one: Measured, **fields: object) -> Measured:
    """With these fields of the request replaced."""
    return msgspec.structs.replace(one, row=msgspec.structs.replace(one.row, **fields))


def _score(one: Measured, name: str | None) -> float | None:
    return {"rubric": one.rubric, "harm": one.harm}.get(name or "")
