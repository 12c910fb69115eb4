"""How many of a block's requests were slow? Counts above a threshold that was fixed before, for each quantile.

Whoever is slower than the stable's quantile c counts on the stable's side, whoever is slower than the accepted ratio
times c on the candidate's. If the candidate is exactly that much slower, both shares are the same.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import inf
from typing import Final, NamedTuple, Protocol

import msgspec

from changeover.evidence.histogram import EMPTY, NOTHING_COUNTED, LogHistogram, RunningHistogram, histogram_of
from changeover.evidence.units import CANDIDATE, countable, is_comparable
from changeover.exchange.observation import Observation

UNANSWERED_MS: Final = 600_000.0
"""What a request is taken to have lasted that the assigned deployment never answered: the patience of common clients."""

THRESHOLD_UNITS_MIN: Final = 500
"""Requests of the stable before its quantiles are good for thresholds."""


class Slowness(Protocol):
    """The numbers of a latency criterion that a summary needs."""

    @property
    def quantiles(self) -> tuple[float, ...]: ...
    @property
    def max_ratio(self) -> float: ...


class LatencyTally(msgspec.Struct, frozen=True, kw_only=True):
    """One side. ``count`` units have a time; ``unanswered`` of them were not answered by the assigned deployment and
    count as slower than anything. ``unusable`` had a time that is none and count for nothing.

    ``tested`` units fell into a block with thresholds. For each quantile, in the criterion's order, ``above`` counts
    those of them over the threshold and ``beyond`` those over the accepted ratio times the threshold.
    """

    count: int = 0
    unanswered: int = 0
    unusable: int = 0
    tested: int = 0
    above: tuple[int, ...] = ()
    beyond: tuple[int, ...] = ()
    times: LogHistogram = EMPTY

    def merged(self, other: "LatencyTally") -> "LatencyTally":
        return self.counted(other, times=self.times.merged(other.times))

    def counted(self, other: "LatencyTally", *, times: LogHistogram = EMPTY) -> "LatencyTally":
        """The counts of both; their times are whoever's asks."""
        return LatencyTally(
            count=self.count + other.count,
            unanswered=self.unanswered + other.unanswered,
            unusable=self.unusable + other.unusable,
            tested=self.tested + other.tested,
            above=_added(self.above, other.above),
            beyond=_added(self.beyond, other.beyond),
            times=times,
        )


NO_UNITS: Final = LatencyTally()


class LatencyStratum(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides among the units that had probability ``p`` of being the candidate's."""

    p: float
    stable: LatencyTally = NO_UNITS
    candidate: LatencyTally = NO_UNITS


class LatencyBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A closed block, as it is stored. Only units with a probability from 0.05 to 0.95 are in it; ``outside`` counts the
    others. ``limits_ms`` are the thresholds for ``quantiles``, fixed before the block's first request: for the whole
    rollout if ``frozen``, else from the blocks before; ``None`` while there are none, and nothing is tested.
    """

    block: int
    quantiles: tuple[float, ...]
    max_ratio: float
    limits_ms: tuple[float, ...] | None = None
    frozen: bool = False
    strata: tuple[LatencyStratum, ...] = ()
    outside: int = 0
    version: int = 1

    def merged(self, other: "LatencyBlock") -> "LatencyBlock":
        """The same block as two replicas saw it."""
        if _question(other) != _question(self):
            raise ValueError(
                f"found blocks {self.block} and {other.block}; expected two parts of one block, with one ratio and the same thresholds"
            )
        return msgspec.structs.replace(self, strata=merge_latency_strata(self.strata, other.strata), outside=self.outside + other.outside)

    @property
    def sides(self) -> tuple[LatencyTally, LatencyTally]:
        """Stable and candidate, whatever their probability."""
        return both_sides(self.strata)


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """The stable's quantiles that the next block is held against, known before its first request.

    ``frozen_ms`` never change. Without them thresholds run: ``stable`` holds the stable's times up to the end of the
    block before.
    """

    frozen_ms: tuple[float, ...] | None = None
    stable: RunningHistogram = NOTHING_COUNTED

    @property
    def frozen(self) -> bool:
        return self.frozen_ms is not None

    def limits(self, quantiles: Sequence[float]) -> tuple[float, ...] | None:
        """In milliseconds; ``None`` while the stable has too few requests."""
        return _limits(self.stable.whole(), quantiles) if self.frozen_ms is None else self.frozen_ms

    def after(self, block: LatencyBlock) -> "Thresholds":
        """Those for the block that follows ``block``. Folding stored blocks in order gives the same again."""
        if block.frozen:
            return Thresholds(frozen_ms=block.limits_ms)
        stable = self.stable
        for stratum in block.strata:
            stable = stable.plus(stratum.stable.times)
        return Thresholds(stable=stable)


NO_THRESHOLDS: Final = Thresholds()
"""Nothing is known of the stable yet: they will run with its own requests."""


def frozen_thresholds(rows: Sequence[Observation], *, criterion: Slowness) -> Thresholds:
    """From what the stable did before the start. With too few requests nothing is frozen."""
    known = histogram_of(time for time in map(time_ms_of, rows) if time is not None)
    return Thresholds(frozen_ms=_limits(known, criterion.quantiles))


def summarise_latency(*, block: int, rows: Sequence[Observation], criterion: Slowness, thresholds: Thresholds) -> LatencyBlock:
    """Count a block's enrolled rows against ``thresholds``: those after the block before (``Thresholds.after``). A unit
    that is there twice counts once.
    """
    kept = [row for _, row in countable(rows)]
    by_p: dict[float, tuple[list[Observation], list[Observation]]] = {}
    for row in kept:
        by_p.setdefault(row.candidate_probability, ([], []))[row.side is CANDIDATE].append(row)
    compared = sorted(p for p in by_p if is_comparable(p))
    empty = LatencyBlock(
        block=block,
        quantiles=criterion.quantiles,
        max_ratio=criterion.max_ratio,
        limits_ms=thresholds.limits(criterion.quantiles),
        frozen=thresholds.frozen,
        outside=len(kept) - sum(len(side) for p in compared for side in by_p[p]),
    )
    strata = tuple(LatencyStratum(p=p, stable=_tally(by_p[p][0], empty), candidate=_tally(by_p[p][1], empty)) for p in compared)
    return msgspec.structs.replace(empty, strata=strata)


def merge_latency_strata(left: Iterable[LatencyStratum], right: Iterable[LatencyStratum]) -> tuple[LatencyStratum, ...]:
    """Counts and histograms added up by ``p``."""
    by_p = {stratum.p: stratum for stratum in left}
    for stratum in right:
        known = by_p.get(stratum.p)
        if known is not None:
            stable, candidate = known.stable.merged(stratum.stable), known.candidate.merged(stratum.candidate)
            by_p[stratum.p] = LatencyStratum(p=stratum.p, stable=stable, candidate=candidate)
        else:
            by_p[stratum.p] = stratum
    return tuple(by_p[p] for p in sorted(by_p))


def count_latency_strata(left: Iterable[LatencyStratum], right: Iterable[LatencyStratum]) -> tuple[LatencyStratum, ...]:
    """Counts added up by ``p``, without any times."""
    by_p = {stratum.p: stratum for stratum in left}
    for stratum in right:
        stable, candidate = NO_UNITS, NO_UNITS
        if (known := by_p.get(stratum.p)) is not None:
            stable, candidate = known.stable, known.candidate
        by_p[stratum.p] = LatencyStratum(p=stratum.p, stable=stable.counted(stratum.stable), candidate=candidate.counted(stratum.candidate))
    return tuple([by_p[p] for p in sorted(by_p)])


class StratumTimes(NamedTuple):
    """Both sides' times so far among the units that had probability ``p`` of being the candidate's."""

    p: float
    stable: RunningHistogram = NOTHING_COUNTED
    candidate: RunningHistogram = NOTHING_COUNTED


def add_times(left: Sequence[StratumTimes], right: Iterable[LatencyStratum]) -> tuple[StratumTimes, ...]:
    """The times of a block's strata, added up by ``p``."""
    by_p = {times.p: times for times in left}
    for stratum in right:
        p, stable, candidate = by_p.get(stratum.p) or StratumTimes(stratum.p)
        by_p[p] = StratumTimes(p, stable.plus(stratum.stable.times), candidate.plus(stratum.candidate.times))
    return tuple([by_p[p] for p in sorted(by_p)])


def both_sides(strata: Sequence[LatencyStratum]) -> tuple[LatencyTally, LatencyTally]:
    """Stable and candidate added up over all probabilities, without their times: for counting, not for comparing."""
    return _counted([here.stable for here in strata]), _counted([here.candidate for here in strata])


def _counted(tallies: Sequence[LatencyTally]) -> LatencyTally:
    if len(tallies) == 1:
        return msgspec.structs.replace(tallies[0], times=EMPTY)
    tested = [tally for tally in tallies if tally.tested]
    return LatencyTally(
        count=sum(tally.count for tally in tallies),
        unanswered=sum(tally.unanswered for tally in tallies),
        unusable=sum(tally.unusable for tally in tallies),
        tested=sum(tally.tested for tally in tested),
        above=tuple(sum(counts) for counts in zip(*(tally.above for tally in tested), strict=True)),
        beyond=tuple(sum(counts) for counts in zip(*(tally.beyond for tally in tested), strict=True)),
    )


def _tally(rows: Sequence[Observation], block: LatencyBlock) -> LatencyTally:
    answered: list[float] = []
    worst: list[float] = []
    for row in rows:
        if row.is_error:
            worst.append(_worst_ms(row))
        else:
            answered.append(row.latency_ms)
    usable = sorted([time for time in answered if 0 <= time < inf])
    limits_ms = block.limits_ms or ()
    count = len(usable) + len(worst)
    return LatencyTally(
        count=count,
        unanswered=len(worst),
        unusable=len(answered) - len(usable),
        tested=count if limits_ms else 0,
        above=tuple(count - bisect_right(usable, limit) for limit in limits_ms),
        beyond=tuple(count - bisect_right(usable, block.max_ratio * limit) for limit in limits_ms),
        times=histogram_of([*usable, *worst]),
    )


def time_ms_of(row: Observation) -> float | None:
    """What a request is taken to have lasted; an unanswered one longer than anything. ``None``: its time is none."""
    if row.is_error:
        return _worst_ms(row)
    return row.latency_ms if _is_time(row.latency_ms) else None


def _worst_ms(row: Observation) -> float:
    return max(row.latency_ms, UNANSWERED_MS) if _is_time(row.latency_ms) else UNANSWERED_MS


def _is_time(latency_ms: float) -> bool:
    return 0 <= latency_ms < inf


def _limits(stable: LogHistogram, quantiles: Sequence[float]) -> tuple[float, ...] | None:
    if stable.count < THRESHOLD_UNITS_MIN:
        return None
    return tuple(limit for limit in map(stable.quantile, quantiles) if limit is not None)


def _question(block: LatencyBlock) -> tuple[object, ...]:
    return block.block, block.quantiles, block.max_ratio, block.limits_ms, block.frozen


def _added(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    """Counts by quantile. A side that has not been tested has none."""
    if not left or not right:
        return left or right
    return tuple(a + b for a, b in zip(left, right, strict=True))
