"""On how many of a block's requests did a rare event happen: a content filter that acted, an answer judged harmful?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from changeover.evidence.units import countable, is_comparable
from changeover.exchange.observation import Observation
from changeover.traffic.table import Side

HARMLESS: Final = 0.0
HARMFUL: Final = 1.0


class FlagTally(msgspec.Struct, frozen=True, kw_only=True):
    """One side. Of ``known`` units it is known whether the event happened; on ``flagged`` of them it did.

    ``missing`` units are not known and take no part: the assigned deployment did not answer, or nothing was reported.
    ``unusable`` counts those of the missing whose report was neither yes nor no.
    """

    known: int = 0
    flagged: int = 0
    missing: int = 0
    unusable: int = 0

    def plus(self, other: "FlagTally") -> "FlagTally":
        return FlagTally(
            known=self.known + other.known,
            flagged=self.flagged + other.flagged,
            missing=self.missing + other.missing,
            unusable=self.unusable + other.unusable,
        )


NO_UNITS: Final = FlagTally()


class FlagStratum(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides among the units that had probability ``p`` of being the candidate's."""

    p: float
    stable: FlagTally = NO_UNITS
    candidate: FlagTally = NO_UNITS


class FlagBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A closed block, as it is stored. Only units with a probability from 0.05 to 0.95 are in it; ``outside`` counts the
    others. ``strata`` are ordered by ``p``.
    """

    block: int
    strata: tuple[FlagStratum, ...] = ()
    outside: int = 0
    version: int = 1

    def merged(self, other: "FlagBlock") -> "FlagBlock":
        """The same block as two replicas saw it."""
        if other.block != self.block:
            raise ValueError(f"found blocks {self.block} and {other.block}; expected two parts of one block")
        return FlagBlock(block=self.block, strata=merge_flag_strata(self.strata, other.strata), outside=self.outside + other.outside)


def merge_flag_strata(left: Iterable[FlagStratum], right: Iterable[FlagStratum]) -> tuple[FlagStratum, ...]:
    """Counts added up by ``p``."""
    by_p = {stratum.p: stratum for stratum in left}
    for stratum in right:
        known = by_p.get(stratum.p, FlagStratum(p=stratum.p))
        by_p[stratum.p] = FlagStratum(
            p=stratum.p, stable=known.stable.plus(stratum.stable), candidate=known.candidate.plus(stratum.candidate)
        )
    return tuple(by_p[p] for p in sorted(by_p))


def summarise_filters(*, block: int, rows: Sequence[Observation]) -> FlagBlock:
    """Count on how many of a block's enrolled rows a content filter acted, on prompt or answer. A unit that is there
    twice counts once. What the filter did to a stand-in's answer says nothing of the assigned deployment.
    """
    kept = [row for _, row in countable(rows)]
    return _summed(block, Counter((row.candidate_probability, row.side, None if row.is_error else row.filtered) for row in kept))


def summarise_harmful(*, block: int, rows: Sequence[tuple[Observation, float | None]]) -> FlagBlock:
    """Count how many of a block's enrolled rows were scored 1 (harmful) rather than 0 (harmless)."""
    kept = [(row, rows[position][1]) for position, row in countable([row for row, _ in rows])]
    return _summed(block, Counter((row.candidate_probability, row.side, _judged(row, score)) for row, score in kept))


_UNUSABLE: Final = "neither yes nor no"
_Kind = tuple[float, Side | None, bool | str | None]
"""The probability that requests had, their side, and whether the event happened on them; ``None``: not known."""


def _judged(row: Observation, score: float | None) -> bool | str | None:
    if row.is_error or score is None:
        return None
    return score == HARMFUL if score in {HARMLESS, HARMFUL} else _UNUSABLE


def _summed(block: int, found: Mapping[_Kind, int]) -> FlagBlock:
    return FlagBlock(
        block=block,
        strata=tuple(_stratum(p, found) for p in sorted({p for p, _, _ in found if is_comparable(p)})),
        outside=sum(units for (p, _, _), units in found.items() if not is_comparable(p)),
    )


def _stratum(p: float, found: Mapping[_Kind, int]) -> FlagStratum:
    return FlagStratum(p=p, stable=_tally(p, Side.STABLE, found), candidate=_tally(p, Side.CANDIDATE, found))


def _tally(p: float, side: Side, found: Mapping[_Kind, int]) -> FlagTally:
    flagged, unflagged = found.get((p, side, True), 0), found.get((p, side, False), 0)
    unusable = found.get((p, side, _UNUSABLE), 0)
    return FlagTally(known=flagged + unflagged, flagged=flagged, missing=found.get((p, side, None), 0) + unusable, unusable=unusable)
