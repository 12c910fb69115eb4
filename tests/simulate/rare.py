"""Errors and content filters: two rollouts a run, one with the candidate at the margin, one with equal sides."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from changeover.evidence.units import is_comparable
from changeover.exchange.observation import Observation, Outcome
from changeover.gates.assess import Judge
from changeover.gates.criteria import Criteria, ErrorsCriterion, SafetyCriterion
from changeover.gates.levels import Proven
from changeover.gates.rare import RareFold, RareQuestion
from changeover.gates.safety import FILTER
from changeover.gates.streams import FILTERS, OUTCOMES, FilterStream, Row
from tests.simulate.findings import Findings, finding
from tests.simulate.looks import SplitLooks, quiet_requests
from tests.simulate.rivals import naive, naive_split, threshold_checks
from tests.simulate.traffic import CANDIDATE, Plan, Traffic, begin, counted, draw_traffic, observed

MAX_RATIO: Final = 1.5
ERRORS_BASE: Final = 0.01
ERRORS_POINTS: Final = 0.5
FILTER_BASE: Final = 0.004
FILTER_POINTS: Final = 0.2
"""At these shares both margins, the ratio's and the points', are the same: both nulls hold, and no wider one hides."""

CHI_SQUARED: Final = 10.827566170662733
"""Of one degree of freedom at .001, the level of the split's own check."""

FRAIL: Final = 0.2
FRAIL_FACTOR: Final = 3.0
STURDY_FACTOR: Final = 0.5
"""A fifth of all users have six times the events of the others; the mean stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of the two streams of rare events."""

    name: str
    stream: str
    base: float
    criteria: Criteria
    event: dict[str, Any]
    happened: Callable[[Observation], bool]
    fold: Callable[[Judge], RareFold]
    question: Callable[[Judge], RareQuestion]
    checks_split: bool = False


def _errors_fold(judge: Judge) -> RareFold:
    assert judge.outcomes.errors is not None
    return judge.outcomes.errors.fold


def _errors_question(judge: Judge) -> RareQuestion:
    assert judge.outcomes.errors is not None
    return judge.outcomes.errors.question()


def _filters(judge: Judge) -> FilterStream:
    found = judge.streams[FILTERS]
    assert isinstance(found, FilterStream)
    return found


ERRORS: Final = Kind(
    name="errors",
    stream=OUTCOMES,
    base=ERRORS_BASE,
    criteria=Criteria(errors=ErrorsCriterion(max_ratio=MAX_RATIO, margin_points=ERRORS_POINTS)),
    event={"outcome": Outcome.FAILED, "served": None},
    happened=lambda row: row.is_error,
    fold=_errors_fold,
    question=_errors_question,
    checks_split=True,
)
FILTERED: Final = Kind(
    name=FILTER,
    stream=FILTERS,
    base=FILTER_BASE,
    criteria=Criteria(safety=SafetyCriterion(max_ratio=MAX_RATIO, margin_points=FILTER_POINTS)),
    event={"filtered": True},
    happened=lambda row: row.filtered is True,
    fold=lambda judge: _filters(judge).filters.fold,
    question=lambda judge: _filters(judge).filters.question(),
)


def run_rare(dice: Random, plan: Plan, kind: Kind) -> Findings:
    """Wrong passes and fails come from the rollout at the margin; false trips and false alarms from the equal one."""
    at_margin = _Rollout(dice, plan, kind, ratio=MAX_RATIO)
    equal = _Rollout(dice, plan, kind, ratio=1.0)
    peeked, checked = naive(*at_margin.harms, ratio=MAX_RATIO), threshold_checks(*at_margin.harms, limit=MAX_RATIO * kind.base)
    found = {
        kind.name: finding(
            ours=(at_margin.proven.passed_at is not None, equal.proven.tripped_at is not None),
            failed=at_margin.proven.failed_at is not None,
            naive=(peeked.passed, naive(*equal.harms).tripped),
            checks=(checked.passed, threshold_checks(*equal.harms, limit=MAX_RATIO * kind.base).tripped),
        )
    }
    if kind.checks_split:
        found["sample ratio"] = finding(
            ours=(None, equal.judge.outcomes.sample_ratio.alarmed_at is not None),
            naive=(None, naive_split(equal.traffic.sides, equal.traffic.ps, chi_squared=CHI_SQUARED)),
        )
    return found


class _Rollout:
    """One rollout, looked at whenever its verdict could have changed."""

    def __init__(self, dice: Random, plan: Plan, kind: Kind, *, ratio: float) -> None:
        self.traffic = draw_traffic(dice, plan)
        events = _events(dice, self.traffic, base=kind.base, ratio=ratio)
        self.harms = (self.traffic.sides, [float(event) for event in events])
        self.judge = begin(kind.criteria)
        for _, judge in looks(self.judge, kind, counted(self.traffic, _rows(self.traffic, kind, events))):
            self.judge = judge
        self.proven: Proven = kind.fold(self.judge).proven


def looks(judge: Judge, kind: Kind, rows: Sequence[Row]) -> Iterator[tuple[tuple[int, int], Judge]]:
    """The stretches of requests between two looks, each with the judge after it."""
    ps = {row.candidate_probability for row, _ in rows if is_comparable(row.candidate_probability)}
    events = [number for number, (row, _) in enumerate(rows) if kind.happened(row)]
    split = SplitLooks([row.side is CANDIDATE for row, _ in rows], [row.candidate_probability for row, _ in rows])
    position = 0
    while position < len(rows):
        cut = min(len(rows), position + quiet_requests(kind.fold(judge), kind.question(judge), ps))
        ahead = bisect_left(events, position)
        if ahead < len(events):
            cut = min(cut, events[ahead] + 1)
        if kind.checks_split:
            cut = min(cut, split.next_cut(judge.outcomes.sample_ratio, position))
        judge = judge.add(judge.summarise(kind.stream, rows[position:cut]))
        yield (position, cut), judge
        position = cut


def _events(dice: Random, traffic: Traffic, *, base: float, ratio: float) -> list[bool]:
    chance = dice.random
    if traffic.users is None:
        factors = [1.0] * len(traffic.sides)
    else:
        factors = [FRAIL_FACTOR if trait < FRAIL else STURDY_FACTOR for trait in traffic.traits]
    return [
        chance() < base * level * factor * (ratio if side else 1.0)
        for side, level, factor in zip(traffic.sides, traffic.levels, factors, strict=True)
    ]


def _rows(traffic: Traffic, kind: Kind, events: Sequence[bool]) -> list[Row]:
    nothing: dict[str, Any] = {"filtered": False}
    return [(observed(traffic, number, **(kind.event if event else nothing)), None) for number, event in enumerate(events)]
