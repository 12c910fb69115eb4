"""Money, input and output tokens: the candidate dearer by exactly the accepted ratio, on every one of the three."""

from collections.abc import Sequence
from functools import cache
from math import exp, isclose, sinh, sqrt
from random import Random
from typing import Any, Final

from changeover.evidence.cost_ratio import one_sided_multiplier, standard_errors
from changeover.evidence.interval import SIDE_MIN, STRATUM_MIN
from changeover.evidence.units import is_comparable
from changeover.exchange.observation import Observation, Tokens
from changeover.gates.assess import Judge
from changeover.gates.cost import INPUT, MEASURES, MONEY, OUTPUT, CostGate
from changeover.gates.criteria import CostCriterion, Criteria
from changeover.gates.levels import ALPHA_PASS, ALPHA_TRIP_COST
from changeover.gates.streams import COST, CostStream, Row
from changeover.traffic.table import Side
from tests.simulate.findings import Findings, finding
from tests.simulate.rivals import naive, threshold_checks
from tests.simulate.traffic import Plan, Traffic, begin, draw_traffic, enrolments, observed

CRITERION: Final = CostCriterion()
RATIOS: Final = {MONEY: 1.10, INPUT: 1.10, OUTPUT: 1.25}
MEAN_LOG: Final = {INPUT: 7.0, OUTPUT: 6.0}
SIGMA: Final = 0.7
"""Of the logarithm of tokens."""
PRICES: Final = {INPUT: 2.5e-6, OUTPUT: 1e-5}
USER_SPREAD: Final = 1.2
"""A sticky user's tokens are up to 1.8 times, or down to 1/1.8 of, the usual, always."""

STRETCH: Final = 250
STICKY_BLOCK: Final = 100
NEARLY: Final = 1e-9
AGREES: Final = 1e-6

Values = tuple[float, float, float]
"""Money, input and output tokens of one request, in the order of ``MEASURES``."""


def run_cost(dice: Random, plan: Plan) -> Findings:
    traffic = draw_traffic(dice, plan)
    base = _base(dice, traffic)
    rows: list[Row] = [(_row(traffic, number, values), None) for number, values in enumerate(base)]
    judge = begin(Criteria(cost=CRITERION))
    gate = _gate(_judged(judge, rows) if traffic.users is None else _judged_by_block(judge, rows))
    return {
        measure.name: _found(gate, index, traffic, [_measured(row, index) for row, _ in rows], name=measure.name)
        for index, measure in enumerate(MEASURES)
    }


def _found(gate: CostGate, index: int, traffic: Traffic, values: Sequence[float], *, name: str) -> dict[str, bool]:
    ratio, proven = RATIOS[name], gate.proven[index]
    peeked = naive(traffic.sides, values, ratio=ratio)
    checked = threshold_checks(traffic.sides, values, limit=ratio * _usual_mean(index, sticky=traffic.users is not None))
    return finding(
        ours=(proven.passed_at is not None, proven.tripped_at is not None),
        naive=(peeked.passed, peeked.tripped),
        checks=(checked.passed, checked.tripped),
    )


def _judged(judge: Judge, rows: Sequence[Row]) -> Judge:
    """A scale of our own weighs after every request, by the formula and not by the gate's code, and ends the block where
    a verdict is due; the gate then looks for itself. Where the two disagree the simulation is broken, and stops.
    """
    scale = _Scale()
    position = 0
    while position < len(rows):
        cut = scale.weigh(rows, position)
        judge = judge.add(judge.summarise(COST, rows[position:cut]))
        position = cut
        scale.agree(_gate(judge))
    return judge


def _judged_by_block(judge: Judge, rows: list[Row]) -> Judge:
    """Users who come again are weighed with all their requests, which changes with every one of them: looked at in blocks."""
    for found in enrolments(rows, block=STICKY_BLOCK):
        judge = judge.add(judge.summarise(COST, found.rows, later=found.later))
    return judge


class _Side:
    """Count, mean and sum of squared distances of one measure on one side, by Welford's rule."""

    __slots__ = ("count", "m2", "mean")

    def __init__(self) -> None:
        self.count, self.mean, self.m2 = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.m2 += step * (value - self.mean)


class _Scale:
    """Standard errors above the accepted ratio of every measure, kept up request by request."""

    def __init__(self) -> None:
        self.strata: dict[float, _Stratum] = {}
        self.settled: set[tuple[int, bool]] = set()

    def weigh(self, rows: Sequence[Row], start: int) -> int:
        """Take in requests up to the first with which a verdict is due, or a stretch of them; returns where it ended."""
        end = min(len(rows), start + STRETCH)
        for number in range(start, end):
            row = rows[number][0]
            if not is_comparable(row.candidate_probability):
                continue
            sides = self.strata.setdefault(row.candidate_probability, ([_Side() for _ in MEASURES], [_Side() for _ in MEASURES]))
            for index, side in enumerate(sides[row.side is Side.CANDIDATE]):
                side.add(_measured(row, index))
            if self._is_due():
                return number + 1
        return end

    def agree(self, gate: CostGate) -> None:
        large = self._large()
        units = _units(large)
        for index, measure in enumerate(MEASURES):
            means = gate.means(measure)
            theirs = None if means is None else standard_errors(means, ratio=RATIOS[measure.name])
            ours = None if units is None else _weighed(large, units, index)
            same = theirs == ours if theirs is None or ours is None else isclose(theirs, ours, rel_tol=AGREES, abs_tol=AGREES)
            assert same, f"{measure.name}: the gate has {theirs} standard errors, the simulation {ours}"
            proven = gate.proven[index]
            self.settled |= {(index, False)} if proven.passed_at is not None else set()
            self.settled |= {(index, True)} if proven.failed_at is not None else set()

    def _is_due(self) -> bool:
        large = self._large()
        units = _units(large)
        if units is None:
            return False
        to_pass, to_fail = _multipliers(units)
        for index in range(len(MEASURES)):
            errors = _weighed(large, units, index)
            if (errors <= -to_pass and (index, False) not in self.settled) or (errors >= to_fail and (index, True) not in self.settled):
                return True
        return False

    def _large(self) -> list["_Stratum"]:
        return [sides for sides in self.strata.values() if sides[0][0].count >= STRATUM_MIN and sides[1][0].count >= STRATUM_MIN]


_Stratum = tuple[list[_Side], list[_Side]]
"""Every measure of the stable, and of the candidate."""


def _units(large: Sequence[_Stratum]) -> int | None:
    stable = candidate = 0
    for sides in large:
        stable += sides[0][0].count
        candidate += sides[1][0].count
    return None if stable < SIDE_MIN or candidate < SIDE_MIN else stable + candidate


def _weighed(large: Sequence[_Stratum], units: int, index: int) -> float:
    ratio, theta, variance = RATIOS[MEASURES[index].name], 0.0, 0.0
    for stable, candidate in large:
        ours, theirs = stable[index], candidate[index]
        share = (ours.count + theirs.count) / units
        theta += share * (theirs.mean - ratio * ours.mean)
        spread = theirs.m2 / (theirs.count - 1) / theirs.count + ratio * ratio * ours.m2 / (ours.count - 1) / ours.count
        variance += share * share * spread
    return theta / sqrt(variance)


@cache
def _multipliers(units: int) -> tuple[float, float]:
    passing, failing = (one_sided_multiplier(units, alpha=alpha) for alpha in (ALPHA_PASS, ALPHA_TRIP_COST))
    return passing * (1 - NEARLY), failing * (1 - NEARLY)


def _gate(judge: Judge) -> CostGate:
    found = judge.streams[COST]
    assert isinstance(found, CostStream)
    return found.cost


def _base(dice: Random, traffic: Traffic) -> list[tuple[float, float]]:
    """Input and output tokens as the stable would use them."""
    gauss = dice.gauss
    own = [0.0] * len(traffic.sides) if traffic.users is None else [USER_SPREAD * (trait - 0.5) for trait in traffic.traits]
    return [
        (level * exp(MEAN_LOG[INPUT] + more + gauss(0.0, SIGMA)), level * exp(MEAN_LOG[OUTPUT] + more + gauss(0.0, SIGMA)))
        for level, more in zip(traffic.levels, own, strict=True)
    ]


def _row(traffic: Traffic, number: int, base: tuple[float, float]) -> Observation:
    read, written = base
    money = read * PRICES[INPUT] + written * PRICES[OUTPUT]
    if traffic.sides[number]:
        read, written, money = RATIOS[INPUT] * read, RATIOS[OUTPUT] * written, RATIOS[MONEY] * money
    answer: dict[str, Any] = {"tokens": Tokens(prompt=round(read), completion=round(written)), "cost_usd": money}
    return observed(traffic, number, **answer)


def _measured(row: Observation, index: int) -> float:
    if index == 0:
        return row.cost_usd or 0.0
    assert row.tokens is not None
    return float((row.tokens.prompt if index == 1 else row.tokens.completion) or 0)


@cache
def _usual_mean(index: int, *, sticky: bool) -> float:
    """The stable's before the start."""
    by_user = 2 * sinh(USER_SPREAD / 2) / USER_SPREAD if sticky else 1.0
    means = {name: by_user * exp(mean + SIGMA * SIGMA / 2) for name, mean in MEAN_LOG.items()}
    return (means[INPUT] * PRICES[INPUT] + means[OUTPUT] * PRICES[OUTPUT], means[INPUT], means[OUTPUT])[index]
