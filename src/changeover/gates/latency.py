"""Is the candidate no slower than accepted? Blocks of latencies become one verdict for each quantile."""

from math import inf
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from changeover.evidence.events import EventCount, log_e_above, log_e_below
from changeover.evidence.histogram import EMPTY, LogHistogram
from changeover.evidence.latency import (
    THRESHOLD_UNITS_MIN,
    LatencyBlock,
    LatencyStratum,
    LatencyTally,
    StratumTimes,
    add_times,
    both_sides,
    count_latency_strata,
)
from changeover.evidence.latency_ratio import QuantileRatio, TimesPair, quantile_ratio
from changeover.evidence.power import Seen, event_power
from changeover.evidence.tempering import BLOCKS_MIN, NO_BLOCKS, BlockShares, Tempering
from changeover.gates.criteria import LatencyCriterion
from changeover.gates.latency_wording import accepted, slower, verdict_name
from changeover.gates.levels import (
    ALPHA_INTERVAL,
    ALPHA_PASS,
    ALPHA_TRIP_LATENCY,
    ALPHA_TRIP_OUTAGE,
    EXACT,
    HARM_FACTOR,
    NOTHING_PROVEN,
    POWER_WANTED,
    Evidence,
    Least,
    Proven,
    level,
    threshold,
)
from changeover.gates.outage import is_outage, outage_words
from changeover.gates.verdict import Level, SideFigures, Verdict
from changeover.gates.wording import decided, finding, plain

METHOD: Final = "asymptotic, 95 %"
EQUAL: Final = 1.0
OUTAGE_RATIO: Final = 2.0
"""The fast trip asks whether more than twice the stable's share of requests is slow, without waiting for blocks."""

LEVELS_SHARED: Final = 3
"""So many quantiles the trip levels are meant for; more of them share the same total."""

DISPERSION_BLOCKS_MIN: Final = 2
"""One block alone does not vary."""

LIKENESS_MAX: Final = 0.4
"""Above this at any quantile, blocks are too short to be independent, and the tempered tests would err too often."""


class QuantileLevel(NamedTuple):
    """What is known of one quantile: its blocks, what is proven, and when the fast trip was reached."""

    quantile: float
    tempering: Tempering = NO_BLOCKS
    proven: Proven = NOTHING_PROVEN
    outage_at: float | None = None


class LatencyGate(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of all closed latency blocks. ``levels`` are in the order of the criterion's quantiles; ``limits_ms`` are
    the latest thresholds. ``blocks_min`` blocks with both sides are needed (``evidence.min_blocks``, two at least). ``strata``
    count, ``times`` hold the times.
    """

    criterion: LatencyCriterion
    blocks_min: int = BLOCKS_MIN
    strata: tuple[LatencyStratum, ...] = ()
    times: tuple[StratumTimes, ...] = ()
    limits_ms: tuple[float, ...] | None = None
    levels: tuple[QuantileLevel, ...] = ()
    outage: str = ""

    def __post_init__(self) -> None:
        if self.levels:
            return  # checked when it began
        _refuse_untestable(self.criterion)
        if self.blocks_min < DISPERSION_BLOCKS_MIN:
            msgspec.structs.force_setattr(self, "blocks_min", DISPERSION_BLOCKS_MIN)
        msgspec.structs.force_setattr(self, "levels", tuple(QuantileLevel(quantile) for quantile in self.criterion.quantiles))

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the verdicts that a step needs; the others may only roll back."""
        return gate_names(self.criterion)

    def is_gate(self, quantile: float) -> bool:
        return quantile not in self.criterion.guard_only

    def add(self, block: LatencyBlock, *, at: float) -> "LatencyGate":
        """Take in the next block and look, at its end ``at``. Unfit data proves nothing; only the fast trip goes on.

        Raises:
            ValueError: the block was summed up for other quantiles or another ratio.
        """
        self._refuse_another_question(block)
        stable, candidate = block.sides
        outage = _outage(stable)
        if outage:
            return replace(self, outage=outage)
        grown = replace(
            self,
            outage="",
            strata=count_latency_strata(self.strata, block.strata),
            times=add_times(self.times, block.strata),
            limits_ms=block.limits_ms or self.limits_ms,
        )
        if block.limits_ms is None:
            return grown
        levels: list[QuantileLevel] = []
        for index, known in enumerate(self.levels):
            shares = BlockShares(stable.tested, _at(stable.above, index), candidate.tested, _at(candidate.beyond, index))
            levels.append(QuantileLevel(known.quantile, known.tempering.after(shares), known.proven, known.outage_at))
        grown = replace(grown, levels=tuple(levels))
        unfit = bool(grown._data_problems() or grown._block_problems(0))
        return replace(grown, levels=tuple(grown._looked(index, at=at, unfit=unfit) for index in range(len(levels))))

    def evidence(self, index: int, *, least: Least = EXACT) -> Evidence:
        """Where the tests of the ``index``-th quantile stand, tempered. Any harm is judged with both sides at the bare
        threshold, and with the dispersion that was measured for the other two.
        """
        return self._evidence(index, self._beyond(index), least)

    def _evidence(self, index: int, events: list[EventCount], least: Least) -> Evidence:
        dispersion = self.levels[index].tempering.dispersion
        return Evidence(
            passing=log_e_below(events, ratio=EQUAL, dispersion=dispersion, least=least.passing),
            failing=log_e_above(events, ratio=EQUAL, dispersion=dispersion, least=least.tripping),
            harming=log_e_above(self._above(index), ratio=EQUAL, dispersion=dispersion, least=least.tripping),
        )

    def outage_evidence(self, index: int) -> float:
        """Log E of the fast trip."""
        return log_e_above(self._beyond(index), ratio=OUTAGE_RATIO)

    def problems(self, index: int) -> tuple[str, ...]:
        """Why the data is not fit to decide the ``index``-th quantile; empty if it is."""
        stable, candidate = both_sides(self.strata)
        if not stable.count or not candidate.count:
            return self._data_problems()
        return (*self._data_problems(), *self._block_problems(index))

    def verdicts(self) -> tuple[Verdict, ...]:
        """One for each quantile, in the criterion's order."""
        return tuple(self._verdict(index) for index in range(len(self.levels)))

    def power(self, index: int) -> float:
        """The chance that the trip in force would by now have caught a candidate slower by three times the margin, read
        from the stable's own times.
        """
        if self.limits_ms is None:
            return 0.0
        stable, _ = self._all_times()
        limit, known = self.limits_ms[index], self.levels[index]
        harm = 1 + HARM_FACTOR * (self.criterion.max_ratio - 1)
        if not harm > 0:
            return 0.0
        at = limit if known.proven.trips_on_any(self.criterion.trip) else self.criterion.max_ratio * limit
        seen = [Seen(here.p, int((here.stable.tested + here.candidate.tested) / known.tempering.dispersion)) for here in self.strata]
        return event_power(
            seen,
            stable_rate=stable.share_above(limit),
            candidate_rate=stable.share_above(at / harm),
            ratio=EQUAL,
            alpha=self.alpha_trip,
        )

    @property
    def alpha_trip(self) -> float:
        """Of each quantile."""
        return ALPHA_TRIP_LATENCY * min(1.0, LEVELS_SHARED / len(self.levels))

    @property
    def alpha_outage(self) -> float:
        """Of each quantile's fast trip."""
        return ALPHA_TRIP_OUTAGE * min(1.0, LEVELS_SHARED / len(self.levels))

    def _refuse_another_question(self, block: LatencyBlock) -> None:
        quantiles, limits_ms = self.criterion.quantiles, block.limits_ms
        if (block.quantiles, block.max_ratio) != (quantiles, self.criterion.max_ratio):
            raise ValueError(
                f"block {block.block} was summed up for quantiles {block.quantiles} and a ratio of {block.max_ratio:g}, expected "
                f"{quantiles} and {self.criterion.max_ratio:g}: criteria are fixed when a rollout starts; start a new one"
            )
        if limits_ms is not None and len(limits_ms) != len(quantiles):
            raise ValueError(f"block {block.block} has {len(limits_ms)} thresholds; expected {len(quantiles)}: fold the stored blocks anew")

    def _looked(self, index: int, *, at: float, unfit: bool) -> QuantileLevel:
        known, proven, events = self.levels[index], self.levels[index].proven, self._beyond(index)
        if not unfit:
            now = self._evidence(index, events, proven.least(self.alpha_trip))
            proven = proven.after(now, at=at, rule=self.criterion.trip, alpha_trip=self.alpha_trip)
        limit = threshold(self.alpha_outage)
        if known.outage_at is None and log_e_above(events, ratio=OUTAGE_RATIO, least=limit) >= limit:
            first = at if proven.tripped_at is None else proven.tripped_at
            return QuantileLevel(known.quantile, known.tempering, replace(proven, tripped_at=first), at)
        return QuantileLevel(known.quantile, known.tempering, proven, known.outage_at)

    def _data_problems(self) -> tuple[str, ...]:
        """Those of all quantiles alike."""
        stable, candidate = sum([here.stable.count for here in self.strata]), sum([here.candidate.count for here in self.strata])
        named = (("stable", stable), ("candidate", candidate))
        empty = tuple(f"no observations of the {name} at a weight of 5 to 95 %" for name, count in named if not count)
        if empty:
            return empty
        problems: list[str] = [self.outage] if self.outage else []
        if self.limits_ms is None:
            problems.append(f"no threshold yet: the stable has {stable} requests in closed blocks, needs {THRESHOLD_UNITS_MIN}")
        if unusable := sum([here.stable.unusable + here.candidate.unusable for here in self.strata]):
            problems.append(f"latencies that are no time: {unusable} (correct what measures them and start again)")
        return tuple(problems)

    def _block_problems(self, index: int) -> list[str]:
        blocks = self.levels[index].tempering.blocks
        if blocks < self.blocks_min:
            return [f"{blocks} blocks with both sides, needs {self.blocks_min}"]
        likeness = max((known.tempering.likeness or 0.0 for known in self.levels), default=0.0)
        if blocks < BLOCKS_MIN or likeness <= LIKENESS_MAX:
            return []
        cure = "wait for more blocks, or set a longer evidence.block in a new attempt"
        return [f"slow spells outlast a block: likeness of successive blocks {likeness:.2f}, needs <= {LIKENESS_MAX:g} ({cure})"]

    def _verdict(self, index: int) -> Verdict:
        known, problems = self.levels[index], self.problems(index)
        now, proven = self.evidence(index), known.proven
        decision = decided(proven, problems)
        stable, candidate = both_sides(self.strata)
        (stable_times, candidate_times), ratio = self._all_times(), self._ratio(known.quantile)
        return Verdict(
            criterion=verdict_name(known.quantile),
            decision=decision,
            tripped=proven.tripped_at is not None,
            able_to_trip=not problems and self.power(index) >= POWER_WANTED,
            worse_inside=proven.harmed_at is not None and proven.passed_at is not None and proven.failed_at is None,
            stable=_figures(stable, _at(stable.above, index), stable_times.quantile(known.quantile)),
            candidate=_figures(candidate, _at(candidate.beyond, index), candidate_times.quantile(known.quantile)),
            estimate=None if ratio is None else ratio.estimate,
            low=None if ratio is None else ratio.low,
            high=None if ratio is None else ratio.high,
            method=METHOD if ratio is not None and ratio.low is not None else "",
            margin=self._margin(known.quantile),
            to_pass=level(now.passing, alpha=ALPHA_PASS, reached_at=proven.passed_at),
            to_trip=self._to_trip(index, now),
            sentence=f"accepted: {self._margin(known.quantile)}; shown so far: {self._shown(index, ratio)}; "
            f"{finding(decision, proven, problems)}",
            problems=problems,
            guard_only=not self.is_gate(known.quantile),
        )

    def _to_trip(self, index: int, now: Evidence) -> Level:
        """The fast trip's where it was the one."""
        known = self.levels[index]
        if known.outage_at is not None and known.outage_at == known.proven.tripped_at:
            return level(self.outage_evidence(index), alpha=self.alpha_outage, reached_at=known.outage_at)
        log_e = now.harming if known.proven.trips_on_any(self.criterion.trip) else now.failing
        return level(log_e, alpha=self.alpha_trip, reached_at=known.proven.tripped_at)

    @property
    def _certainty(self) -> str:
        """How far the dispersion is to be trusted."""
        return "approximate" if self.blocks_min >= BLOCKS_MIN else f"a rough guess: min_blocks is {self.blocks_min}, {BLOCKS_MIN} are usual"

    def _beyond(self, index: int) -> list[EventCount]:
        return [EventCount(here.p, _at(here.stable.above, index), _at(here.candidate.beyond, index)) for here in self.strata]

    def _above(self, index: int) -> list[EventCount]:
        return [EventCount(here.p, _at(here.stable.above, index), _at(here.candidate.above, index)) for here in self.strata]

    def _ratio(self, quantile: float) -> QuantileRatio | None:
        pairs = [TimesPair(stable.whole(), candidate.whole()) for _, stable, candidate in self.times]
        return quantile_ratio(pairs, quantile=quantile, alpha=ALPHA_INTERVAL)

    def _all_times(self) -> tuple[LogHistogram, LogHistogram]:
        """Of the stable and of the candidate, under whatever probability: to be shown, not to be compared."""
        stable, candidate = EMPTY, EMPTY
        for _, stable_times, candidate_times in self.times:
            stable, candidate = stable.merged(stable_times.whole()), candidate.merged(candidate_times.whole())
        return stable, candidate

    def _margin(self, quantile: float) -> str:
        return accepted(quantile, max_ratio=self.criterion.max_ratio)

    def _shown(self, index: int, ratio: QuantileRatio | None) -> str:
        known = self.levels[index]
        parts = ["nothing" if ratio is None else slower(ratio)]
        stable, candidate = both_sides(self.strata)
        if self.limits_ms is not None and stable.tested and candidate.tested:
            shares = [_at(stable.above, index) / stable.tested, _at(candidate.beyond, index) / candidate.tested]
            parts.append(f"{shares[0]:.1%} of the stable's requests over their threshold, {shares[1]:.1%} of the candidate's over its own")
        parts.append(f"dispersion {known.tempering.dispersion:.2f} over {known.tempering.blocks} blocks, {self._certainty}")
        if known.outage_at is not None:
            parts.append(f"fast trip: over {plain(OUTAGE_RATIO)} times the stable's share is slow")
        return ", ".join(parts)


def gate_names(criterion: LatencyCriterion) -> tuple[str, ...]:
    """The verdicts that a step needs."""
    return tuple(verdict_name(quantile) for quantile in criterion.quantiles if quantile not in criterion.guard_only)


def _figures(tally: LatencyTally, events: int, quantile_ms: float | None) -> SideFigures:
    return SideFigures(
        count=tally.tested,
        events=events,
        missing=tally.unusable,
        mean=events / tally.tested if tally.tested else None,
        quantile_ms=quantile_ms,
    )


def _at(counts: tuple[int, ...], index: int) -> int:
    return counts[index] if counts else 0


def _refuse_untestable(criterion: LatencyCriterion) -> None:
    if not criterion.quantiles or len(set(criterion.quantiles)) < len(criterion.quantiles):
        raise ValueError(f"latency: quantiles {criterion.quantiles}; expected one or more, each once: set quantiles")
    for quantile in criterion.quantiles:
        if not 0 < quantile < 1:
            raise ValueError(f"latency: a quantile of {quantile:g}; expected a share between 0 and 1, such as 0.95: set quantiles")
    if not 0 < criterion.max_ratio < inf:
        raise ValueError(f"latency: a ratio of {criterion.max_ratio:g}; expected more than 0 and a number: set max_ratio")
    if unknown := set(criterion.guard_only) - set(criterion.quantiles):
        raise ValueError(
            f"latency: guard_only names {sorted(unknown)}; expected some of {criterion.quantiles}: set guard_only or quantiles"
        )


def _outage(stable: LatencyTally) -> str:
    """What to say when the stable was down in a block, which is then left out; empty when it was not."""
    is_down = is_outage(unanswered=stable.unanswered, units=stable.count)
    return outage_words(unanswered=stable.unanswered, units=stable.count) if is_down else ""
