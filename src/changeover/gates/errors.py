"""Does the candidate's deployment answer as reliably as accepted? Blocks of outcomes become one verdict."""

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Final

from changeover.evidence.betting import NOTHING_BET, BetSums, Centre, Stake, bet_sums, weighted
from changeover.evidence.events import EventCount, log_e_above, log_e_below, ratio_estimate, ratio_interval
from changeover.evidence.mixture import log_mean_exp
from changeover.evidence.outcomes import OutcomeBlock, OutcomeStratum, OutcomeTally, merge_outcome_strata
from changeover.evidence.power import Seen, Spread, betting_power, event_power
from changeover.evidence.units import is_comparable
from changeover.gates.criteria import ErrorsCriterion
from changeover.gates.levels import (
    ALPHA_INTERVAL,
    ALPHA_PASS,
    ALPHA_TRIP_ERRORS,
    HARM_FACTOR,
    NOTHING_PROVEN,
    POWER_WANTED,
    Evidence,
    Proven,
    level,
)
from changeover.gates.outage import is_outage, outage_words
from changeover.gates.verdict import SideFigures, Verdict
from changeover.gates.wording import decided, finding, plain
from changeover.traffic.table import Side

NAME: Final = "errors"
METHOD: Final = "exact, 95 %"
_POINTS: Final = 100
NO_ERROR: Final = Centre(start=1.0)
"""What is expected of a request before anything is known: that it is answered. A rare event could never be proven rare
from any other centre.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorsGate:
    """The fold of all closed outcome blocks. ``sums`` bets on "answered" (1) against "error" (0) at the absolute margin.

    ``sound`` leaves out the blocks in which the stable was down; ``outage`` says so of the last block.
    """

    criterion: ErrorsCriterion
    strata: tuple[OutcomeStratum, ...] = ()
    sound: tuple[OutcomeStratum, ...] = ()
    sums: BetSums = NOTHING_BET
    centre: Centre = NO_ERROR
    outage: str = ""
    proven: Proven = NOTHING_PROVEN

    def __post_init__(self) -> None:
        if not 0 <= self.criterion.margin_points <= _POINTS:
            raise ValueError(f"errors: a margin of {self.criterion.margin_points:g} points; expected 0 to 100: set margin_pp")
        if not 0 < self.criterion.max_ratio < inf:
            raise ValueError(f"errors: a ratio of {self.criterion.max_ratio:g}; expected more than 0 and a number: set max_ratio")

    def add(self, block: OutcomeBlock, *, at: float) -> "ErrorsGate":
        """Take in the next block and look, at its end ``at``. Unfit data may trip but not pass."""
        strata = tuple(stratum for stratum in block.strata if is_comparable(stratum.p))
        answered, units = _answered(strata)
        outage = _outage(strata)
        bets = bet_sums(_stakes(strata, self.centre.value), delta=self._delta)
        grown = replace(
            self,
            strata=merge_outcome_strata(self.strata, strata),
            sound=self.sound if outage else merge_outcome_strata(self.sound, strata),
            sums=self.sums.plus_losses(bets) if outage else self.sums.plus(bets),
            centre=self.centre.after(total=answered, count=units),
            outage=outage,
        )
        now = grown.evidence()
        if grown.problems():
            now = replace(now, passing=0.0)
        return replace(grown, proven=self.proven.after(now, at=at, rule=self.criterion.trip, alpha_trip=ALPHA_TRIP_ERRORS))

    def evidence(self) -> Evidence:
        """The margin is the wider of a ratio and of points. Beyond both must be refuted to pass: by the average of two
        tests, because either one alone would double the error. Beyond both must be proven to fail: by the weaker test.
        """
        events, ratio = self._events(), self.criterion.max_ratio
        return Evidence(
            passing=log_mean_exp((log_e_below(_events(self.sound), ratio=ratio), self.sums.log_e_pass)),
            failing=min(log_e_above(events, ratio=ratio), self.sums.log_e_fail),
            harming=log_e_above(events, ratio=1.0),
        )

    def problems(self) -> tuple[str, ...]:
        """Why the data is not fit to pass on; empty if it is."""
        stable, candidate = self._sides()
        empty = [
            f"no observations of the {name} at a weight of 5 to 95 %"
            for name, tally in (("stable", stable), ("candidate", candidate))
            if not tally.assigned
        ]
        return tuple(empty) or ((self.outage,) if self.outage else ())

    def verdict(self) -> Verdict:
        problems, now = self.problems(), self.evidence()
        decision = decided(self.proven, problems)
        stable, candidate = self._sides()
        estimate = ratio_estimate(self._events())
        low, high = ratio_interval(self._events(), alpha=ALPHA_INTERVAL) or (None, None)
        trip_log_e = now.harming if self.proven.trips_on_any(self.criterion.trip) else now.failing
        return Verdict(
            criterion=NAME,
            decision=decision,
            tripped=self.proven.tripped_at is not None,
            able_to_trip=not problems and self.power() >= POWER_WANTED,
            worse_inside=self.proven.harmed_at is not None and self.proven.passed_at is not None and self.proven.failed_at is None,
            stable=_figures(stable),
            candidate=_figures(candidate),
            estimate=estimate,
            low=low,
            high=high,
            method=METHOD if low is not None else "",
            margin=self._margin(),
            to_pass=level(now.passing, alpha=ALPHA_PASS, reached_at=self.proven.passed_at),
            to_trip=level(trip_log_e, alpha=ALPHA_TRIP_ERRORS, reached_at=self.proven.tripped_at),
            sentence=f"accepted: {self._margin()}; shown so far: {self._shown()}; {finding(decision, self.proven, problems)}",
            problems=problems,
        )

    def power(self) -> float:
        """The chance that the trip in force would by now have caught three times the margin, the wider of the two."""
        stable, _ = self._sides()
        base = stable.errors / stable.assigned if stable.assigned else 0.0
        worse = min(1.0, max(base * (1 + HARM_FACTOR * (self.criterion.max_ratio - 1)), base + HARM_FACTOR * self._delta))
        seen = [Seen(here.p, here.stable.assigned + here.candidate.assigned, self.centre.value) for here in self.strata]
        ratio = 1.0 if self.proven.trips_on_any(self.criterion.trip) else self.criterion.max_ratio
        by_events = event_power(seen, stable_rate=base, candidate_rate=worse, ratio=ratio, alpha=ALPHA_TRIP_ERRORS)
        if self.proven.trips_on_any(self.criterion.trip):
            return by_events
        by_points = betting_power(seen, stable=_spread(base), candidate=_spread(worse), delta=self._delta, alpha=ALPHA_TRIP_ERRORS)
        return min(by_events, by_points)

    @property
    def _delta(self) -> float:
        return self.criterion.margin_points / _POINTS

    def _events(self) -> list[EventCount]:
        return _events(self.strata)

    def _sides(self) -> tuple[OutcomeTally, OutcomeTally]:
        stable, candidate = OutcomeTally(), OutcomeTally()
        for stratum in self.strata:
            stable, candidate = stable.plus(stratum.stable), candidate.plus(stratum.candidate)
        return stable, candidate

    def _margin(self) -> str:
        ratio, points = plain(self.criterion.max_ratio), plain(self.criterion.margin_points)
        return f"up to {ratio} times the stable's share of errors or {points} points more, the wider"

    def _shown(self) -> str:
        stable, candidate = self._sides()
        counts = f"{candidate.errors} of {candidate.assigned} against {stable.errors} of {stable.assigned}"
        interval = ratio_interval(self._events(), alpha=ALPHA_INTERVAL)
        if interval is None:
            return counts
        low, high = interval
        estimate = ratio_estimate(self._events())
        upper = "no upper end" if high is None else f"{high:.2f}"
        middle = "" if estimate is None else f" {estimate:.2f}"
        return f"{counts}, ratio{middle} ({low:.2f} to {upper})"


def _events(strata: tuple[OutcomeStratum, ...]) -> list[EventCount]:
    return [EventCount(here.p, here.stable.errors, here.candidate.errors) for here in strata]


def _outage(strata: tuple[OutcomeStratum, ...]) -> str:
    """What to say when the stable was down in these strata of a block; empty when it was not."""
    errors, units = sum(here.stable.errors for here in strata), sum(here.stable.assigned for here in strata)
    return outage_words(unanswered=errors, units=units) if is_outage(unanswered=errors, units=units) else ""


def _stakes(strata: tuple[OutcomeStratum, ...], centre: float) -> list[Stake]:
    stakes: list[Stake] = []
    for stratum in strata:
        for side, tally in ((Side.STABLE, stratum.stable), (Side.CANDIDATE, stratum.candidate)):
            for gain, count in ((0.0, tally.errors), (1.0, tally.assigned - tally.errors)):
                stakes.append(Stake(stratum.p, weighted(side, p=stratum.p, gain=gain, centre=centre), count))
    return stakes


def _answered(strata: tuple[OutcomeStratum, ...]) -> tuple[int, int]:
    tallies = [tally for stratum in strata for tally in (stratum.stable, stratum.candidate)]
    units = sum(tally.assigned for tally in tallies)
    return units - sum(tally.errors for tally in tallies), units


def _figures(tally: OutcomeTally) -> SideFigures:
    return SideFigures(count=tally.assigned, events=tally.errors, mean=tally.errors / tally.assigned if tally.assigned else None)


def _spread(rate: float) -> Spread:
    """Of "answered" (1) against "error" (0)."""
    return Spread(1 - rate, sqrt(rate * (1 - rate)))
