"""One simulated rollout until its answer: requests drawn, summed up, stored, folded and looked at as the product does."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from changeover.evidence.blocks import BlockClock
from changeover.evidence.planner import Need
from changeover.exchange.observation import Observation, Outcome
from changeover.gates.assess import Judge
from changeover.gates.cost import MONEY
from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.gates.errors import NAME as ERRORS
from changeover.gates.levels import Proven
from changeover.gates.quality import NAME as QUALITY
from changeover.gates.streams import LATENCY, CostStream, LatencyStream, OutcomeStream, Row, ScoreStream
from changeover.gates.verdict import Decision, Verdict
from changeover.traffic.table import Side

RULES: Final = EvidenceRules()
BLOCK: Final = 20
"""Requests in a block, unless a case says otherwise."""
Draw = Callable[[Random, bool], dict[str, Any]]
Crossed = Callable[[Judge], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``draw`` gives what a request of a side (true: the candidate) shows, and its score; ``crossed`` whether the answer is
    there; ``certain`` cases need one run, and ``baseline`` requests of the stable are known before the start (the same in
    every run of ``one_baseline``). ``reference`` is
    the median that was measured elsewhere, ``n80`` its four fifths, 0 where there is none.
    """

    name: str
    criteria: Criteria
    p: float
    draw: Draw
    crossed: Crossed
    reference: float = 0.0
    n80: float = 0.0
    forecast: Need | None = None
    block: int = BLOCK
    most: int = 400_000
    baseline: int = 200
    certain: bool = False
    one_baseline: bool = False


def run(case: Case, dice: Random) -> int:
    """Requests until the answer; ``case.most`` where it never came."""
    judge = _informed(Random(0), case) if case.one_baseline else _uncached(dice, case)
    streams = tuple(judge.streams)
    seen = 0
    while seen < case.most:
        rows = [
            request(dice, number, case, side=Side.CANDIDATE if dice.random() < case.p else Side.STABLE)
            for number in range(seen, seen + case.block)
        ]
        for stream in streams:
            judge = judge.add(judge.summarise(stream, rows))
        seen += case.block
        if case.crossed(judge):
            return seen
    return case.most


def _uncached(dice: Random, case: Case) -> Judge:
    """A judge who knows the stable's own traffic from before."""
    judge = Judge.begin(criteria=case.criteria, rules=RULES, clock=BlockClock(origin_at=0.0, block_s=RULES.block_s))
    rows = [request(dice, number, case, side=Side.STABLE) for number in range(case.baseline)]
    for name in [name for name, stream in judge.streams.items() if stream.learns and rows]:
        judge = judge.informed(name, rows)
    return judge


_KNOWN: Final[dict[str, Judge]] = {}


def _informed(dice: Random, case: Case) -> Judge:
    if case.name not in _KNOWN:
        _KNOWN[case.name] = _uncached(dice, case)
    return _KNOWN[case.name]


def request(dice: Random, number: int, case: Case, *, side: Side) -> Row:
    """One request with what it shows, and its score."""
    shown = case.draw(dice, side is Side.CANDIDATE)
    score = shown.pop("score", None)
    fields: dict[str, Any] = {"latency_ms": 1.0, "served": "assigned", **shown}
    name = f"r{number}"
    found = Observation(
        request_id=name,
        unit=name,
        started_at=float(number),
        outcome=Outcome.ANSWERED,
        revision=1,
        side=side,
        candidate_probability=case.p,
        assigned="assigned",
        **fields,
    )
    return found, score


def verdict(judge: Judge, name: str) -> Verdict:
    look = judge.assessment(blocks_dwelt=0, served_s=0.0, closed_until=0.0)
    return next(one for one in look.verdicts if one.criterion == name)


def passed(name: str) -> Crossed:
    """The cheap question first: a verdict costs as much as many looks."""
    return lambda judge: _proven(judge, name).passed_at is not None and verdict(judge, name).decision is Decision.PASS


def tripped(name: str) -> Crossed:
    return lambda judge: _proven(judge, name).tripped_at is not None and verdict(judge, name).tripped


def _proven(judge: Judge, name: str) -> Proven:
    for stream in judge.streams.values():
        match stream:
            case ScoreStream() if name == QUALITY:
                return stream.quality.proven
            case OutcomeStream() if name == ERRORS and stream.errors is not None:
                return stream.errors.proven
            case CostStream() if name == MONEY:
                return stream.cost.proven[0]
            case LatencyStream() if name.startswith(LATENCY):
                return stream.latency.levels[0].proven
            case _:
                continue
    raise AssertionError(name)
