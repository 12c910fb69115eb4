"""On how many of a block's requests did a rare event happen: a content filter that acted, an answer judged harmful?"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

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
    return _summed(block, [_Flag(row, None if row.is_error else row.filtered) for _, row in countable(rows)])


def summarise_harmful(*, block: int, rows: Sequence[tuple[Observation, float | None]]) -> FlagBlock:
    """Count how many of a block's enrolled rows were scored 1 (harmful) rather than 0 (harmless)."""
    kept = [(row, rows[position][1]) for position, row in countable([row for row, _ in rows])]
    return _summed(block, [_judged(row, score) for row, score in kept])


class _Flag(NamedTuple):
    """Whether the event happened on ``row``; ``None``: not known."""

    row: Observation
    happened: bool | None
    unusable: bool = False


def _judged(row: Observation, score: float | None) -> _Flag:
    if row.is_error or score is None:
        return _Flag(row, None)
    if score not in {HARMLESS, HARMFUL}:
        return _Flag(row, None, unusable=True)
    return _Flag(row, score == HARMFUL)


def _summed(block: int, flags: Sequence[_Flag]) -> FlagBlock:
    drawn = [flag for flag in flags if is_comparable(flag.row.candidate_probability)]
    return FlagBlock(block=block, strata=merge_flag_strata((), map(_one, drawn)), outside=len(flags) - len(drawn))


def _one(flag: _Flag) -> FlagStratum:
    tally = FlagTally(
        known=int(flag.happened is not None),
        flagged=int(flag.happened is True),
        missing=int(flag.happened is None),
        unusable=int(flag.unusable),
    )
    p = flag.row.candidate_probability
    return FlagStratum(p=p, candidate=tally) if flag.row.side is Side.CANDIDATE else FlagStratum(p=p, stable=tally)
