"""What is simulated? Every criterion, under every way that traffic comes. A cell's name and seed give the same runs again."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from changeover.gates.cost import INPUT, MONEY, OUTPUT
from changeover.gates.latency_wording import verdict_name
from changeover.gates.levels import (
    ALPHA_PASS,
    ALPHA_SAMPLE_RATIO,
    ALPHA_TRIP_COST,
    ALPHA_TRIP_ERRORS,
    ALPHA_TRIP_FILTER,
    ALPHA_TRIP_LATENCY,
    ALPHA_TRIP_OUTAGE,
    ALPHA_TRIP_QUALITY,
)
from tests.simulate.costs import run_cost
from tests.simulate.findings import Findings
from tests.simulate.latencies import Spells, Times, run_latency
from tests.simulate.paired import ALPHA_TRIP, run_accuracy, run_paired_scores
from tests.simulate.rare import ERRORS, FILTERED, Kind, run_rare
from tests.simulate.scores import run_quality
from tests.simulate.traffic import EVEN, RAMP, TENTH, Plan

TRIP_LEVELS: Final = {
    "quality": ALPHA_TRIP_QUALITY,
    "errors": ALPHA_TRIP_ERRORS,
    "filter": ALPHA_TRIP_FILTER,
    "sample ratio": ALPHA_SAMPLE_RATIO,
    MONEY: ALPHA_TRIP_COST,
    INPUT: ALPHA_TRIP_COST,
    OUTPUT: ALPHA_TRIP_COST,
    "accuracy": ALPHA_TRIP,
    "paired scores": ALPHA_TRIP,
    **{verdict_name(quantile): ALPHA_TRIP_LATENCY + ALPHA_TRIP_OUTAGE for quantile in (0.5, 0.95, 0.99)},
}
"""What each criterion may trip wrongly; every one of them passes wrongly in at most ``ALPHA_PASS``."""

PASS_LEVEL: Final = ALPHA_PASS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """``run`` is one rollout (two for rare events). ``claimed`` is false where the product says itself that its level does not
    hold: shown, and held to nothing.
    """

    name: str
    traffic: str
    requests: int
    run: Callable[[Random], Findings]
    claimed: bool = True


def _plans(requests: int) -> dict[str, tuple[str, Plan]]:
    return {
        "even": ("50:50", Plan(requests=requests)),
        "tenth": ("10 %", Plan(requests=requests, stages=TENTH)),
        "ramp": ("10, 50, 100 %, drifting", Plan(requests=requests, stages=RAMP, drifts=True)),
        "sticky": ("50:50, sticky Zipf users", Plan(requests=requests, stages=EVEN, sticky=True)),
        "sticky-ramp": ("10, 50, 100 %, drifting, sticky", Plan(requests=requests, stages=RAMP, drifts=True, sticky=True)),
    }


def _quality(shape: str, requests: int) -> Cell:
    said, plan = _plans(requests)[shape]
    return Cell(name=f"quality-{shape}", traffic=said, requests=requests, run=lambda dice: run_quality(dice, plan))


def _rare(kind: Kind, shape: str, requests: int) -> Cell:
    said, plan = _plans(requests)[shape]
    return Cell(name=f"{kind.name}-{shape}", traffic=said, requests=requests, run=lambda dice: run_rare(dice, plan, kind))


def _cost(shape: str, requests: int) -> Cell:
    said, plan = _plans(requests)[shape]
    return Cell(name=f"cost-{shape}", traffic=said, requests=requests, run=lambda dice: run_cost(dice, plan))


def _latency(shape: str, requests: int, *, frozen: bool = True) -> Cell:
    said, plan = _plans(requests)[shape]
    times = Times(plan=plan, frozen=frozen)
    return Cell(name=f"latency-{shape}", traffic=said, requests=requests, run=lambda dice: run_latency(dice, times))


def _spells(name: str, said: str, times: Times, *, claimed: bool = True) -> Cell:
    return Cell(
        name=f"latency-{name}", traffic=said, requests=times.plan.requests, run=lambda dice: run_latency(dice, times), claimed=claimed
    )


def _all() -> tuple[Cell, ...]:
    day, busy = Spells(requests=20), Spells()
    return (
        *(_quality(shape, 8_000) for shape in ("even", "tenth", "ramp", "sticky")),
        _quality("sticky-ramp", 16_000),
        *(_rare(ERRORS, shape, 10_000) for shape in ("even", "tenth", "ramp", "sticky", "sticky-ramp")),
        *(_rare(FILTERED, shape, 14_000) for shape in ("even", "tenth", "ramp", "sticky")),
        *(_cost(shape, 6_000) for shape in ("even", "tenth", "ramp", "sticky")),
        _cost("sticky-ramp", 8_000),
        *(_latency(shape, 12_000) for shape in ("even", "tenth")),
        _latency("ramp", 16_000, frozen=False),
        _latency("sticky", 16_000),
        _spells("spells", "50:50, slow spells, 2,000 requests a block", Times(plan=Plan(requests=40_000), block=2000, spells=busy)),
        _spells("spells-day", "50:50, slow spells, a day of 48 blocks", Times(plan=Plan(requests=19_200), block=400, spells=day)),
        _spells(
            "spells-tenth",
            "10 %, slow spells, a day of 48 blocks",
            Times(plan=Plan(requests=19_200, stages=TENTH), block=400, spells=day),
        ),
        _spells(
            "spells-short",
            "50:50, spells ten times as long as a block",
            Times(plan=Plan(requests=20_000), block=100, spells=busy),
            claimed=False,
        ),
        Cell(name="accuracy", traffic="every item answered by both", requests=3_000, run=lambda dice: run_accuracy(dice, 3_000)),
        Cell(name="paired-scores", traffic="every item answered by both", requests=3_000, run=lambda dice: run_paired_scores(dice, 3_000)),
    )


CELLS: Final = {cell.name: cell for cell in _all()}
