"""Requests as the store would hand them over: enrolled, drawn to a side, with the probability they had."""

from random import Random

from changeover.exchange.observation import Observation, Outcome
from changeover.traffic.table import Side


def row(
    number: int, side: Side | None, p: float, *, error: bool = False, outcome: Outcome = Outcome.ANSWERED, forced: bool = False
) -> Observation:
    """Request ``number``. An error was answered by a stand-in."""
    return Observation(
        request_id=f"r{number}",
        unit=f"u{number}",
        started_at=float(number),
        outcome=outcome,
        revision=1,
        latency_ms=1.0,
        side=side,
        candidate_probability=p,
        assigned="assigned",
        served="stand-in" if error else "assigned",
        forced=forced,
    )


def beta(dice: Random, mean: float, sd: float) -> float:
    """A score from 0 to 1 with this mean and sd."""
    size = mean * (1 - mean) / sd**2 - 1
    return dice.betavariate(mean * size, (1 - mean) * size)
