"""How many units did each side get in a block, and how many of them did the assigned deployment not answer?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from changeover.evidence.traffic import NO_TRAFFIC, Traffic, traffic_of
from changeover.evidence.units import countable, is_comparable
from changeover.exchange.observation import Observation
from changeover.traffic.table import Side

VERSION: Final = 2


class OutcomeTally(msgspec.Struct, frozen=True, kw_only=True):
    """One side: units assigned, and those among them that are errors."""

    assigned: int = 0
    errors: int = 0

    def plus(self, other: "OutcomeTally") -> "OutcomeTally":
        return OutcomeTally(assigned=self.assigned + other.assigned, errors=self.errors + other.errors)


class OutcomeStratum(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides among the units that had probability ``p`` (between 0 and 1) of being the candidate's."""

    p: float
    stable: OutcomeTally = OutcomeTally()
    candidate: OutcomeTally = OutcomeTally()


class OutcomeBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A closed block, as it is stored. ``strata`` are ordered by ``p``.

    ``outside`` counts units whose probability lay outside 0.05 to 0.95; those strictly between 0 and 1 still have a
    stratum, for the sample-ratio check alone. ``impossible`` counts units on a side that they had no chance of.

    ``stable_traffic`` and ``candidate_traffic`` are about requests, not units: all of them, under whatever probability, and
    with the later ones of sticky units. No test may use them; the outage brake does. Version 1 had none.
    """

    block: int
    strata: tuple[OutcomeStratum, ...] = ()
    outside: int = 0
    impossible: int = 0
    stable_traffic: Traffic = NO_TRAFFIC
    candidate_traffic: Traffic = NO_TRAFFIC
    version: int = VERSION

    def merged(self, other: "OutcomeBlock") -> "OutcomeBlock":
        """The same block as two replicas saw it."""
        if other.block != self.block:
            raise ValueError(f"found blocks {self.block} and {other.block}; expected two parts of one block")
        return OutcomeBlock(
            block=self.block,
            strata=merge_outcome_strata(self.strata, other.strata),
            outside=self.outside + other.outside,
            impossible=self.impossible + other.impossible,
            stable_traffic=self.stable_traffic.plus(other.stable_traffic),
            candidate_traffic=self.candidate_traffic.plus(other.candidate_traffic),
        )


def merge_outcome_strata(left: Iterable[OutcomeStratum], right: Iterable[OutcomeStratum]) -> tuple[OutcomeStratum, ...]:
    """Counts added up by ``p``."""
    by_p = {stratum.p: stratum for stratum in left}
    for stratum in right:
        known = by_p.get(stratum.p, OutcomeStratum(p=stratum.p))
        by_p[stratum.p] = OutcomeStratum(
            p=stratum.p, stable=known.stable.plus(stratum.stable), candidate=known.candidate.plus(stratum.candidate)
        )
    return tuple(by_p[p] for p in sorted(by_p))


def summarise_outcomes(*, block: int, rows: Sequence[Observation], later: Sequence[Observation] = ()) -> OutcomeBlock:
    """Count a block's enrolled rows. A unit that is there twice counts once; a row without a side does not count.

    ``later`` are the block's other requests, of units that were enrolled before: they count as traffic alone.
    """
    kept = countable(rows)
    found = Counter((row.candidate_probability, row.side, row.is_error) for _, row in kept)
    others = [row for row in (*_without(rows, kept), *later) if not row.forced]
    repeats = found + Counter((row.candidate_probability, row.side, row.is_error) for row in others)
    drawn = [row for _, row in kept]
    return OutcomeBlock(
        block=block,
        strata=tuple(_stratum(p, found) for p in sorted({p for p, _, _ in found if 0 < p < 1})),
        outside=sum(units for (p, _, _), units in found.items() if not is_comparable(p)),
        impossible=sum(units for (p, side, _), units in found.items() if _is_impossible(p, side)),
        stable_traffic=_traffic(Side.STABLE, repeats, [drawn, others]),
        candidate_traffic=_traffic(Side.CANDIDATE, repeats, [drawn, others]),
    )


_Kind = tuple[float, Side | None, bool]
"""The probability that requests had, their side, and whether they are errors."""


def _without(rows: Sequence[Observation], kept: Sequence[tuple[int, Observation]]) -> list[Observation]:
    """The rows that do not count as a unit's first. There are none among those that were enrolled."""
    if len(kept) == len(rows):
        return []
    positions = {position for position, _ in kept}
    return [row for position, row in enumerate(rows) if position not in positions]


def _traffic(side: Side, found: Mapping[_Kind, int], rows: Sequence[Sequence[Observation]]) -> Traffic:
    return traffic_of(
        (row for part in rows for row in part if row.side is side),
        requests=sum(count for (_, drawn, _), count in found.items() if drawn is side),
        errors=sum(count for (_, drawn, is_error), count in found.items() if drawn is side and is_error),
    )


def _stratum(p: float, found: Mapping[_Kind, int]) -> OutcomeStratum:
    return OutcomeStratum(p=p, stable=_tally(p, Side.STABLE, found), candidate=_tally(p, Side.CANDIDATE, found))


def _tally(p: float, side: Side, found: Mapping[_Kind, int]) -> OutcomeTally:
    good, bad = found.get((p, side, False), 0), found.get((p, side, True), 0)
    return OutcomeTally(assigned=good + bad, errors=bad)


def _is_impossible(p: float, side: Side | None) -> bool:
    return not (p if side is Side.CANDIDATE else 1 - p) > 0
