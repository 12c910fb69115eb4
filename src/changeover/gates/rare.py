"""Does a rare event happen no more often than accepted? What every gate of rare events has in common.

The margin is the wider of a ratio and of points. The state is a fold of closed blocks: counts by probability, and the
bets on "no event" (1) against "event" (0) at the absolute margin.
"""

from collections.abc import Iterable, Sequence
from math import inf, sqrt
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from changeover.evidence.betting import NOTHING_BET, BetSums, Centre, Stake, bet_sums, weighted
from changeover.evidence.events import EventCount, log_e_above, log_e_below, ratio_estimate, ratio_interval
from changeover.evidence.mixture import log_mean_exp
from changeover.evidence.power import Seen, Spread, betting_power, event_power
from changeover.gates.criteria import TripRule
from changeover.gates.levels import (
    ALPHA_INTERVAL,
    ALPHA_PASS,
    EXACT,
    HARM_FACTOR,
    NOTHING_PROVEN,
    POWER_WANTED,
    Evidence,
    Least,
    Proven,
    level,
)
from changeover.gates.verdict import SideFigures, Verdict
from changeover.gates.wording import decided, finding, plain
from changeover.traffic.table import Side

METHOD: Final = "exact, 95 %"
_POINTS: Final = 100
NO_EVENT: Final = Centre(start=1.0)
"""What is expected of a request before anything is known: no event. A rare event could never be proven rare from any
other centre.
"""


class RareTally(NamedTuple):
    """One side: units of which it is known whether the event happened, and those on which it did."""

    units: int = 0
    events: int = 0

    def plus(self, other: "RareTally") -> "RareTally":
        return RareTally(self.units + other.units, self.events + other.events)

    @property
    def share(self) -> float | None:
        return self.events / self.units if self.units else None


class RareStratum(NamedTuple):
    """Both sides among the units that had probability ``p`` of being the candidate's."""

    p: float
    stable: RareTally
    candidate: RareTally


class RareQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: at most ``max_ratio`` times the stable's share or ``margin_points`` percentage points more.

    ``name`` is the verdict's, ``event`` how the event is said in the plural.

    Raises:
        ValueError: a margin no test can be made of.
    """

    name: str
    event: str
    max_ratio: float
    margin_points: float
    trip: TripRule
    alpha_trip: float

    def __post_init__(self) -> None:
        if not 0 <= self.margin_points <= _POINTS:
            raise ValueError(f"{self.name}: a margin of {self.margin_points:g} points; expected 0 to 100: set margin_pp")
        if not 0 < self.max_ratio < inf:
            raise ValueError(f"{self.name}: a ratio of {self.max_ratio:g}; expected more than 0 and a number: set max_ratio")

    @property
    def delta(self) -> float:
        """The absolute margin on 0 to 1."""
        return self.margin_points / _POINTS

    @property
    def margin(self) -> str:
        ratio, points = plain(self.max_ratio), plain(self.margin_points)
        return f"up to {ratio} times the stable's share of {self.event} or {points} points more, the wider"


class RareFold(msgspec.Struct, frozen=True, kw_only=True):
    """All closed blocks so far; ``sound`` leaves out those that may not count toward passing."""

    strata: tuple[RareStratum, ...] = ()
    sound: tuple[RareStratum, ...] = ()
    sums: BetSums = NOTHING_BET
    centre: Centre = NO_EVENT
    proven: Proven = NOTHING_PROVEN

    def grown(self, strata: Iterable[RareStratum], question: RareQuestion, *, is_sound: bool = True) -> "RareFold":
        """The next block's counts taken in, without a look. What is not sound counts toward a loss alone."""
        strata = tuple(strata)
        units, events = 0, 0
        for _, stable, candidate in strata:
            units += stable.units + candidate.units
            events += stable.events + candidate.events
        bets = bet_sums(_stakes(strata, self.centre.value), delta=question.delta, harms=False)
        merged, sound = _merged(self.strata, strata), self.sound
        if is_sound:
            sound = merged if self.sound is self.strata else _merged(self.sound, strata)
        return replace(
            self,
            strata=merged,
            sound=sound,
            sums=self.sums.plus(bets) if is_sound else self.sums.plus_losses(bets),
            centre=self.centre.after(total=units - events, count=units),
        )

    def looked(self, question: RareQuestion, *, at: float, may_pass: bool) -> "RareFold":
        """Look once, at a block's end ``at``. Unless it ``may_pass``, this look may only trip."""
        now = self.evidence(question, least=self.proven.least(question.alpha_trip))
        if not may_pass:
            now = replace(now, passing=0.0)
        return replace(self, proven=self.proven.after(now, at=at, rule=question.trip, alpha_trip=question.alpha_trip))

    def evidence(self, question: RareQuestion, *, least: Least = EXACT) -> Evidence:
        """The margin is the wider of a ratio and of points. Beyond both must be refuted to pass: by the average of two
        tests, because either one alone would double the error. Beyond both must be proven to fail: by the weaker test.
        """
        events, ratio = self.events(), question.max_ratio
        harming = log_e_above(events, ratio=1.0, least=least.tripping)
        failing = harming
        if ratio < 1 or harming >= least.tripping:  # else even less speaks for more than the ratio
            failing = log_e_above(events, ratio=ratio, least=least.tripping)
        return Evidence(
            passing=self._log_e_pass(ratio, least=least.passing) if least.passing < inf else 0.0,
            failing=failing if failing < least.tripping else min(failing, self.sums.log_e_fail),
            harming=harming,
        )

    def _log_e_pass(self, ratio: float, *, least: float) -> float:
        """An average: where the bets alone are below ``least``, the event test decides, and the other way round."""
        by_points = self.sums.log_e_pass
        by_ratio = log_e_below(_counts(self.sound), ratio=ratio, least=least if by_points < least else -inf)
        return log_mean_exp((by_ratio, by_points))

    def power(self, question: RareQuestion) -> float:
        """The chance that the trip in force would by now have caught three times the margin, the wider of the two."""
        stable, _ = self.sides()
        base = stable.share or 0.0
        worse = min(1.0, max(base * (1 + HARM_FACTOR * (question.max_ratio - 1)), base + HARM_FACTOR * question.delta))
        seen = [Seen(here.p, here.stable.units + here.candidate.units, self.centre.value) for here in self.strata]
        on_any, alpha = self.proven.trips_on_any(question.trip), question.alpha_trip
        ratio = 1.0 if on_any else question.max_ratio
        by_events = event_power(seen, stable_rate=base, candidate_rate=worse, ratio=ratio, alpha=alpha)
        if on_any:
            return by_events
        by_points = betting_power(seen, stable=_spread(base), candidate=_spread(worse), delta=question.delta, alpha=alpha)
        return min(by_events, by_points)

    def events(self) -> list[EventCount]:
        return _counts(self.strata)

    def sides(self) -> tuple[RareTally, RareTally]:
        """Stable and candidate, whatever their probability: for counting, not for comparing."""
        stable, candidate = RareTally(), RareTally()
        for stratum in self.strata:
            stable, candidate = stable.plus(stratum.stable), candidate.plus(stratum.candidate)
        return stable, candidate

    def empty_sides(self) -> tuple[str, ...]:
        """A problem for each side that has shown nothing."""
        stable = any(stratum.stable.units for stratum in self.strata)
        candidate = any(stratum.candidate.units for stratum in self.strata)
        if stable and candidate:
            return ()
        named = (("stable", stable), ("candidate", candidate))
        return tuple(f"no observations of the {name} at a weight of 5 to 95 %" for name, is_there in named if not is_there)


NOTHING_SEEN: Final = RareFold()


def rare_verdict(fold: RareFold, question: RareQuestion, *, problems: tuple[str, ...], missing: tuple[int, int] = (0, 0)) -> Verdict:
    """The verdict as it stands. ``missing`` are the stable's and the candidate's units of which nothing is known."""
    now, proven = fold.evidence(question), fold.proven
    decision = decided(proven, problems)
    stable, candidate = fold.sides()
    estimate, interval = ratio_estimate(fold.events()), ratio_interval(fold.events(), alpha=ALPHA_INTERVAL)
    low, high = interval or (None, None)
    trip_log_e = now.harming if proven.trips_on_any(question.trip) else now.failing
    return Verdict(
        criterion=question.name,
        decision=decision,
        tripped=proven.tripped_at is not None,
        able_to_trip=not problems and fold.power(question) >= POWER_WANTED,
        worse_inside=proven.harmed_at is not None and proven.passed_at is not None and proven.failed_at is None,
        stable=_figures(stable, missing[0]),
        candidate=_figures(candidate, missing[1]),
        estimate=estimate,
        low=low,
        high=high,
        method=METHOD if low is not None else "",
        margin=question.margin,
        to_pass=level(now.passing, alpha=ALPHA_PASS, reached_at=proven.passed_at),
        to_trip=level(trip_log_e, alpha=question.alpha_trip, reached_at=proven.tripped_at),
        sentence=f"accepted: {question.margin}; shown so far: {_shown(fold, estimate, interval)}; {finding(decision, proven, problems)}",
        problems=problems,
    )


def _shown(fold: RareFold, estimate: float | None, interval: tuple[float, float | None] | None) -> str:
    stable, candidate = fold.sides()
    counts = f"{candidate.events} of {candidate.units} against {stable.events} of {stable.units}"
    if interval is None:
        return counts
    low, high = interval
    upper = "no upper end" if high is None else f"{high:.2f}"
    middle = "" if estimate is None else f" {estimate:.2f}"
    return f"{counts}, ratio{middle} ({low:.2f} to {upper})"


def _counts(strata: Sequence[RareStratum]) -> list[EventCount]:
    return [EventCount(here.p, here.stable.events, here.candidate.events) for here in strata]


def _merged(left: Sequence[RareStratum], right: Sequence[RareStratum]) -> tuple[RareStratum, ...]:
    by_p = {stratum.p: stratum for stratum in left}
    for stratum in right:
        p, stable, candidate = stratum
        known = by_p.get(p)
        by_p[p] = stratum if known is None else RareStratum(p, known.stable.plus(stable), known.candidate.plus(candidate))
    return tuple([by_p[p] for p in sorted(by_p)])


def _stakes(strata: Sequence[RareStratum], centre: float) -> list[Stake]:
    """One for each kind of outcome that there was."""
    stakes: list[Stake] = []
    for p, stable, candidate in strata:
        for side, (units, events) in ((Side.STABLE, stable), (Side.CANDIDATE, candidate)):
            if events:
                stakes.append(Stake(p, weighted(side, p=p, gain=0.0, centre=centre), events))
            if units > events:
                stakes.append(Stake(p, weighted(side, p=p, gain=1.0, centre=centre), units - events))
    return stakes


def _figures(tally: RareTally, missing: int) -> SideFigures:
    return SideFigures(count=tally.units, events=tally.events, missing=missing, mean=tally.share)


def _spread(rate: float) -> Spread:
    """Of "no event" (1) against "event" (0)."""
    return Spread(1 - rate, sqrt(rate * (1 - rate)))
