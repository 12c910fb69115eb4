"""Which requests may count? Those drawn to a side, one per unit, where both sides had a fair chance."""

from collections.abc import Sequence
from typing import Final

from changeover.exchange.observation import Observation

PROBABILITY_MIN: Final = 0.05
PROBABILITY_MAX: Final = 0.95
"""A comparison counts a request only when each side could have got it with at least this chance."""


def is_comparable(p: float) -> bool:
    return PROBABILITY_MIN <= p <= PROBABILITY_MAX


def countable(observations: Sequence[Observation]) -> list[tuple[int, Observation]]:
    """The positions and rows that were drawn to a side, the first of each unit. A row without a unit is its own."""
    seen: set[str] = set()
    kept: list[tuple[int, Observation]] = []
    for position, observation in enumerate(observations):
        unit = observation.unit or observation.request_id
        if observation.side is None or observation.forced or unit in seen:
            continue
        seen.add(unit)
        kept.append((position, observation))
    return kept
