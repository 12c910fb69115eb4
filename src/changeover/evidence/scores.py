"""What do a block's scores say about quality? Counts, moments and the bets at the block's frozen centre."""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import NamedTuple, Protocol

import msgspec

from changeover.evidence.betting import NOTHING_BET, BetSums, Centre, Stake, bet_sums, weighted
from changeover.evidence.moments import Moments, moments_of
from changeover.evidence.units import CANDIDATE, STABLE, countable, is_comparable
from changeover.exchange.observation import Observation
from changeover.traffic.table import Side


class Scale(Protocol):
    """The numbers of a quality criterion that a summary needs. ``margin_share`` is the margin on 0 to 1."""

    @property
    def scale_low(self) -> float: ...
    @property
    def scale_high(self) -> float: ...
    @property
    def margin_share(self) -> float: ...


class ScoreTally(msgspec.Struct, frozen=True, kw_only=True):
    """One side. ``gains`` are the scores on 0 to 1 as they enter the tests, one per unit.

    ``scored`` have a usable score; ``unanswered`` were not answered by the assigned deployment and have the lowest
    score; ``missing`` were answered and no usable score came in time: the lowest score too. ``unusable`` counts those
    of the missing whose score was not a number, or outside the scale.
    """

    scored: int = 0
    unanswered: int = 0
    missing: int = 0
    unusable: int = 0
    gains: Moments = Moments()

    def merged(self, other: "ScoreTally") -> "ScoreTally":
        return ScoreTally(
            scored=self.scored + other.scored,
            unanswered=self.unanswered + other.unanswered,
            missing=self.missing + other.missing,
            unusable=self.unusable + other.unusable,
            gains=self.gains.merged(other.gains),
        )


class ScoreStratum(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides among the units that had probability ``p`` of being the candidate's."""

    p: float
    stable: ScoreTally = ScoreTally()
    candidate: ScoreTally = ScoreTally()


class ScoreBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A closed block, as it is stored. Only units with a probability from 0.05 to 0.95 are in it; ``outside`` counts
    the others. ``centre`` was frozen before the block's first outcome, ``centre_next`` is for the block after it;
    ``delta`` is the margin on 0 to 1 that the sums were made with.
    """

    block: int
    delta: float
    centre: Centre
    centre_next: Centre
    sums: BetSums = NOTHING_BET
    strata: tuple[ScoreStratum, ...] = ()
    outside: int = 0
    version: int = 1

    def merged(self, other: "ScoreBlock") -> "ScoreBlock":
        """The same block as two replicas saw it. The sums add because the centre was frozen."""
        if (other.block, other.centre, other.delta) != (self.block, self.centre, self.delta):
            raise ValueError(
                f"found blocks {self.block} and {other.block}; expected two parts of one block, with one centre and one margin"
            )
        return ScoreBlock(
            block=self.block,
            delta=self.delta,
            centre=self.centre,
            centre_next=self.centre_next.after(
                total=other.centre_next.total - other.centre.total, count=other.centre_next.count - other.centre.count
            ),
            sums=self.sums.plus(other.sums),
            strata=merge_score_strata(self.strata, other.strata),
            outside=self.outside + other.outside,
        )


def merge_score_strata(left: Iterable[ScoreStratum], right: Iterable[ScoreStratum]) -> tuple[ScoreStratum, ...]:
    """Counts added and moments merged by ``p``."""
    by_p = {stratum.p: stratum for stratum in left}
    for stratum in right:
        known = by_p.get(stratum.p, ScoreStratum(p=stratum.p))
        by_p[stratum.p] = ScoreStratum(
            p=stratum.p, stable=known.stable.merged(stratum.stable), candidate=known.candidate.merged(stratum.candidate)
        )
    return tuple(by_p[p] for p in sorted(by_p))


def summarise_scores(*, block: int, rows: Sequence[tuple[Observation, float | None]], criterion: Scale, centre: Centre) -> ScoreBlock:
    """Sum up a block's enrolled rows, each with its score or ``None``, at ``centre``: the one after the block before
    (``ScoreBlock.centre_next``), or a new ``Centre()``. A unit that is there twice counts once.
    """
    kept = [(row, rows[position][1]) for position, row in countable([row for row, _ in rows])]
    drawn = [_graded(row, score, criterion) for row, score in kept if is_comparable(row.candidate_probability)]
    middle = centre.value
    stakes = (Stake(one.p, weighted(one.side, p=one.p, gain=one.gain, centre=middle)) for one in drawn)
    return ScoreBlock(
        block=block,
        delta=criterion.margin_share,
        centre=centre,
        centre_next=centre.after(total=sum(one.gain for one in drawn), count=len(drawn)),
        sums=bet_sums(stakes, delta=criterion.margin_share),
        strata=tuple(_stratum(p, drawn) for p in sorted({one.p for one in drawn})),
        outside=len(kept) - len(drawn),
    )


class _Graded(NamedTuple):
    p: float
    side: Side
    gain: float
    kind: str


def _graded(row: Observation, score: float | None, criterion: Scale) -> _Graded:
    side = CANDIDATE if row.side is CANDIDATE else STABLE
    p = row.candidate_probability
    if row.is_error:
        return _Graded(p, side, 0.0, "unanswered")
    if score is None:
        return _Graded(p, side, 0.0, "missing")
    if not isfinite(score) or not criterion.scale_low <= score <= criterion.scale_high:
        return _Graded(p, side, 0.0, "unusable")
    return _Graded(p, side, (score - criterion.scale_low) / (criterion.scale_high - criterion.scale_low), "scored")


def _stratum(p: float, drawn: Sequence[_Graded]) -> ScoreStratum:
    here = [one for one in drawn if one.p == p]
    return ScoreStratum(
        p=p,
        stable=_tally([one for one in here if one.side is STABLE]),
        candidate=_tally([one for one in here if one.side is CANDIDATE]),
    )


def _tally(graded: Sequence[_Graded]) -> ScoreTally:
    kinds = [one.kind for one in graded]
    return ScoreTally(
        scored=kinds.count("scored"),
        unanswered=kinds.count("unanswered"),
        missing=kinds.count("missing") + kinds.count("unusable"),
        unusable=kinds.count("unusable"),
        gains=moments_of(one.gain for one in graded),
    )
