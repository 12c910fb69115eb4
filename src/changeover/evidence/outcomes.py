"""How many units did each side get in a block, and how many of them did the assigned deployment not answer?"""

from collections.abc import Iterable, Sequence

import msgspec

from changeover.evidence.units import countable, is_comparable
from changeover.exchange.observation import Observation
from changeover.traffic.table import Side


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
    """

    block: int
    strata: tuple[OutcomeStratum, ...] = ()
    outside: int = 0
    impossible: int = 0
    version: int = 1

    def merged(self, other: "OutcomeBlock") -> "OutcomeBlock":
        """The same block as two replicas saw it."""
        if other.block != self.block:
            raise ValueError(f"found blocks {self.block} and {other.block}; expected two parts of one block")
        return OutcomeBlock(
            block=self.block,
            strata=merge_outcome_strata(self.strata, other.strata),
            outside=self.outside + other.outside,
            impossible=self.impossible + other.impossible,
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


def summarise_outcomes(*, block: int, rows: Sequence[Observation]) -> OutcomeBlock:
    """Count a block's enrolled rows. A unit that is there twice counts once; a row without a side does not count."""
    kept = [row for _, row in countable(rows)]
    return OutcomeBlock(
        block=block,
        strata=merge_outcome_strata((), [_one(row) for row in kept if 0 < row.candidate_probability < 1]),
        outside=sum(not is_comparable(row.candidate_probability) for row in kept),
        impossible=sum(_is_impossible(row) for row in kept),
    )


def _one(row: Observation) -> OutcomeStratum:
    tally = OutcomeTally(assigned=1, errors=int(row.is_error))
    if row.side is Side.CANDIDATE:
        return OutcomeStratum(p=row.candidate_probability, candidate=tally)
    return OutcomeStratum(p=row.candidate_probability, stable=tally)


def _is_impossible(row: Observation) -> bool:
    p = row.candidate_probability
    chance = p if row.side is Side.CANDIDATE else 1 - p
    return not chance > 0
