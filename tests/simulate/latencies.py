"""Latency: every request of the candidate slower by exactly the accepted ratio, looked at when blocks end."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, hypot, sqrt
from random import Random
from typing import Final

from changeover.gates.assess import Judge
from changeover.gates.criteria import Criteria, LatencyCriterion
from changeover.gates.latency_wording import verdict_name
from changeover.gates.streams import LATENCY, LatencyStream, Row
from tests.simulate.findings import Findings, finding
from tests.simulate.rivals import naive, threshold_checks
from tests.simulate.traffic import TENTH, Plan, Traffic, begin, draw_traffic, enrolments, observed

CRITERION: Final = LatencyCriterion()
MEDIAN_MS: Final = 1500.0
SIGMA: Final = 0.75
"""Of the logarithm of latency."""
NORMAL_QUANTILES: Final = {0.5: 0.0, 0.95: 1.6448536269514722, 0.99: 2.3263478740408408}
USER_SPREAD: Final = 1.0

BASELINE: Final = 2000
"""Requests of the stable alone, before the start, that thresholds are frozen from."""

GRID: Final = 200

NAIVE_EVERY: Final = 20
"""The naive test is spared some looks here, which flatters it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spells:
    """Each deployment's own congestion: an AR(1) on the logarithm of latency, of standard deviation ``sd``, which keeps
    ``kept`` of itself every ``requests`` requests.
    """

    sd: float = 0.15
    kept: float = 0.9
    requests: int = 100

    def path(self, dice: Random, steps: int) -> list[float]:
        push, at = self.sd * sqrt(1 - self.kept**2), dice.gauss(0.0, self.sd)
        found: list[float] = []
        for _ in range(steps):
            found.append(at)
            at = self.kept * at + dice.gauss(0.0, push)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """``block`` requests lie in a block of time; thresholds are frozen, or run with the stable's own requests."""

    plan: Plan
    block: int = 500
    frozen: bool = True
    spells: Spells | None = None


def run_latency(dice: Random, times: Times) -> Findings:
    traffic = draw_traffic(dice, times.plan)
    found = _latencies(dice, traffic, times)
    rows: list[Row] = [(observed(traffic, number, latency_ms=latency), None) for number, latency in enumerate(found)]
    judge = begin(Criteria(latency=CRITERION))
    if times.frozen:
        judge = judge.informed(LATENCY, _before(dice))
    stream = _judged(judge, rows, block=times.block).streams[LATENCY]
    assert isinstance(stream, LatencyStream)
    return {
        verdict_name(level.quantile): _found(
            level.quantile, traffic, found, times=times, ours=(level.proven.passed_at, level.proven.tripped_at)
        )
        for level in stream.latency.levels
    }


def _judged(judge: Judge, rows: list[Row], *, block: int) -> Judge:
    """Blocks of time hold the same number of requests; of sticky users those count that are new."""
    for found in enrolments(rows, block=block):
        judge = judge.add(judge.summarise(LATENCY, found.rows))
    return judge


def _found(
    quantile: float, traffic: Traffic, latencies: Sequence[float], *, times: Times, ours: tuple[float | None, float | None]
) -> dict[str, bool]:
    limit = MEDIAN_MS * exp(SIGMA * NORMAL_QUANTILES[quantile])
    beyond = limit * CRITERION.max_ratio
    slow = [float(time > (beyond if side else limit)) for side, time in zip(traffic.sides, latencies, strict=True)]
    peeked = naive(traffic.sides, slow, every=NAIVE_EVERY)
    checked = threshold_checks(traffic.sides, slow, limit=_usual_share(quantile, times))
    return finding(
        ours=(ours[0] is not None, ours[1] is not None),
        naive=(peeked.passed, peeked.tripped),
        checks=(checked.passed, checked.tripped),
    )


def _usual_share(quantile: float, times: Times) -> float:
    """The share of the stable's requests that are slower than the limit, before the start: users and spells widen it."""
    sd = SIGMA if times.spells is None else hypot(SIGMA, times.spells.sd)
    places = [(i + 0.5) / GRID - 0.5 for i in range(GRID)] if times.plan.sticky else [0.0]
    reach = SIGMA * NORMAL_QUANTILES[quantile]
    return sum(erfc((reach - USER_SPREAD * place) / sd / sqrt(2)) / 2 for place in places) / len(places)


def _latencies(dice: Random, traffic: Traffic, times: Times) -> list[float]:
    gauss, requests = dice.gauss, len(traffic.sides)
    own = [0.0] * requests if traffic.users is None else [USER_SPREAD * (trait - 0.5) for trait in traffic.traits]
    if times.spells is not None:
        length = times.spells.requests
        paths = [times.spells.path(dice, requests // length + 1) for _ in range(2)]
        own = [more + paths[side][number // length] for number, (more, side) in enumerate(zip(own, traffic.sides, strict=True))]
    factors = (MEDIAN_MS, MEDIAN_MS * CRITERION.max_ratio)
    return [
        factors[side] * level * exp(more + SIGMA * gauss(0.0, 1.0))
        for side, level, more in zip(traffic.sides, traffic.levels, own, strict=True)
    ]


def _before(dice: Random) -> list[Row]:
    alone = draw_traffic(dice, Plan(requests=BASELINE, stages=TENTH))
    return [(observed(alone, number, latency_ms=MEDIAN_MS * exp(SIGMA * dice.gauss(0.0, 1.0))), None) for number in range(BASELINE)]
