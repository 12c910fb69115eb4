"""Closed blocks made by hand, and whole rollouts simulated through the code that the product runs."""

from collections.abc import Callable
from random import Random

import msgspec

from changeover.evidence.betting import Centre
from changeover.evidence.blocks import BlockClock
from changeover.evidence.outcomes import OutcomeBlock, OutcomeStratum, OutcomeTally, summarise_outcomes
from changeover.evidence.scores import ScoreBlock, summarise_scores
from changeover.exchange.observation import Observation
from changeover.gates.assess import Judge, Summary
from changeover.gates.criteria import Criteria, ErrorsCriterion, EvidenceRules, QualityCriterion
from changeover.gates.quality import QualityGate
from changeover.gates.streams import OUTCOMES, SCORES, ScoreStream
from changeover.gates.verdict import Assessment, Verdict
from changeover.traffic.table import Side
from tests.unit.evidence.rows import beta, row

QUALITY = QualityCriterion(score="rouge-l", scale_low=0.0, scale_high=1.0, margin=0.02)
ERRORS = ErrorsCriterion(max_ratio=1.5, margin_points=2.0)
BLOCK_S = 10.0
RULES = EvidenceRules(block_s=BLOCK_S, blocks_min=2)


def fresh_judge(*, quality: QualityCriterion | None = QUALITY, errors: ErrorsCriterion | None = ERRORS) -> Judge:
    return Judge.begin(criteria=Criteria(quality=quality, errors=errors), rules=RULES, clock=BlockClock(origin_at=1000.0, block_s=BLOCK_S))


def look(judge: Judge) -> Assessment:
    return judge.assessment(blocks_dwelt=3, served_s=30.0, closed_until=1030.0)


def stored(judge: Judge, block: OutcomeBlock | ScoreBlock) -> bytes:
    """The summary as the store keeps it."""
    stream = OUTCOMES if isinstance(block, OutcomeBlock) else SCORES
    content = msgspec.Raw(msgspec.json.encode(block))
    return msgspec.json.encode(Summary(stream=stream, block=block.block, config=judge.config, content=content))


def add(judge: Judge, *blocks: OutcomeBlock | ScoreBlock) -> Judge:
    """Through storage and back, as in the product; scores of a judge without a quality gate are left out."""
    for block in blocks:
        if isinstance(block, ScoreBlock) and SCORES not in judge.closed:
            continue
        judge = judge.add(stored(judge, block))
    return judge


def verdict_of(judge: Judge, criterion: str) -> Verdict:
    return next(verdict for verdict in look(judge).verdicts if verdict.criterion == criterion)


def outcomes(block: int, *, p: float, stable: tuple[int, int], candidate: tuple[int, int]) -> OutcomeBlock:
    """Each side is (assigned, errors)."""
    tallies = [OutcomeTally(assigned=assigned, errors=errors) for assigned, errors in (stable, candidate)]
    return OutcomeBlock(block=block, strata=(OutcomeStratum(p=p, stable=tallies[0], candidate=tallies[1]),))


def quality_gate(judge: Judge) -> QualityGate:
    found = judge.streams[SCORES]
    assert isinstance(found, ScoreStream)
    return found.quality


Row = tuple[Observation, float | None]


def draw(dice: Random, *, first: int, count: int, p: float, means: tuple[float, float]) -> list[Row]:
    """Requests with scores of sd .13 around the stable's and the candidate's mean."""
    rows: list[Row] = []
    for number in range(first, first + count):
        side = Side.CANDIDATE if dice.random() < p else Side.STABLE
        rows.append((row(number, side, p), beta(dice, means[side is Side.CANDIDATE], 0.13)))
    return rows


class Stream:
    """One rollout's blocks as the controller would close them."""

    def __init__(self, judge: Judge | None = None) -> None:
        self.judge = judge or fresh_judge()
        self.centre = Centre()
        self.block = 0
        self.requests = 0

    def close(self, rows: list[Row], *, criterion: QualityCriterion = QUALITY) -> None:
        found = summarise_outcomes(block=self.block, rows=[one for one, _ in rows])
        summary = summarise_scores(block=self.block, rows=rows, criterion=criterion, centre=self.centre)
        self.judge = add(self.judge, found, summary)
        self.centre = summary.centre_next
        self.block += 1
        self.requests += len(rows)

    def run(
        self, dice: Random, *, p: float, means: tuple[float, float], until: Callable[[Judge], bool], most: int, block: int = 50
    ) -> int | None:
        """Requests until ``until`` holds at a block's end, or ``None`` when ``most`` are not enough."""
        begun = self.requests
        while self.requests - begun < most:
            self.close(draw(dice, first=self.requests, count=block, p=p, means=means))
            if until(self.judge):
                return self.requests - begun
        return None


def quality_block(stream: Stream, rows: list[Row]) -> ScoreBlock:
    return summarise_scores(block=stream.block, rows=rows, criterion=QUALITY, centre=stream.centre)
