"""Which requests may count? Those drawn to a side, one per unit, where both sides had a fair chance."""

from collections.abc import Sequence
from typing import Final

import xxhash

from changeover.exchange.observation import Observation
from changeover.traffic.table import Side

STABLE: Final = Side.STABLE
CANDIDATE: Final = Side.CANDIDATE
"""By names of their own for loops over requests: reaching a member through its class costs more than comparing it."""

PROBABILITY_MIN: Final = 0.05
PROBABILITY_MAX: Final = 0.95
"""A comparison counts a request only when each side could have got it with at least this chance."""

MARK_BITS: Final = 52
"""A mark is a whole number that JSON carries without loss."""
_HASH_BITS: Final = 64


def is_comparable(p: float) -> bool:
    return PROBABILITY_MIN <= p <= PROBABILITY_MAX


def countable(observations: Sequence[Observation]) -> list[tuple[int, Observation]]:
    """The positions and rows that were drawn to a side, the first of each unit. A row without a unit is its own."""
    drawn = [(position, row) for position, row in enumerate(observations) if row.side is not None and not row.forced]
    units = [row.unit or row.request_id for _, row in drawn]
    if len(set(units)) == len(units):
        return drawn
    first: dict[str, tuple[int, Observation]] = {}
    for unit, found in zip(units, drawn, strict=True):
        first.setdefault(unit, found)
    return list(first.values())


def mark_of(observation: Observation) -> int:
    """By what a unit is told from others in a summary: part of a hash of its salted hash. No unit can be had from it."""
    unit = observation.unit or observation.request_id
    return xxhash.xxh3_64_intdigest(unit.encode("utf-8", "surrogatepass")) >> (_HASH_BITS - MARK_BITS)
