"""Does the candidate cost no more than accepted? Blocks of money and tokens become one verdict each."""

from collections.abc import Callable, Sequence
from math import inf, log
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from changeover.evidence.cost import CostBlock, CostStratum, CostTally, merge_cost_strata
from changeover.evidence.cost_ratio import (
    Means,
    log_e,
    one_sided_multiplier,
    ratio_interval,
    ratio_of,
    ratio_power,
    standard_errors,
    weighted_means,
)
from changeover.evidence.interval import TIGHTEST_AT, Stratum
from changeover.evidence.moments import Moments
from changeover.gates.cost_users import NO_USERS, UserFold
from changeover.gates.criteria import CostCriterion
from changeover.gates.levels import (
    ALPHA_PASS,
    ALPHA_TRIP_COST,
    EXACT,
    HARM_FACTOR,
    MISSING_MAX,
    NOTHING_PROVEN,
    POWER_WANTED,
    Evidence,
    Least,
    Proven,
    level,
)
from changeover.gates.verdict import Decision, SideFigures, Verdict
from changeover.gates.wording import decided, finding, plain

MONEY: Final = "cost"
INPUT: Final = "input tokens"
OUTPUT: Final = "output tokens"
METHOD: Final = "asymptotic, 90 %"
"""Either end of the interval holds at 95 %, so that it lies below the margin exactly when the gate passes."""

METHOD_USERS: Final = "cluster-robust, asymptotic, 90 %"
"""The same, with errors counted by user."""

NO_EVIDENCE: Final = Evidence(passing=0.0, failing=0.0, harming=0.0)


class Measure(NamedTuple):
    """What is compared: its name, where it stands in a tally, and how it is said."""

    name: str
    moments: Callable[[CostTally], Moments]
    known: str
    said: str
    show: Callable[[float], str]


def _money(tally: CostTally) -> Moments:
    return tally.money


def _input(tally: CostTally) -> Moments:
    return tally.input


def _output(tally: CostTally) -> Moments:
    return tally.output


def _dollars(value: float) -> str:
    return f"${value:.3g}"


def _tokens(value: float) -> str:
    return f"{value:.1f}"


MEASURES: Final = (
    Measure(MONEY, _money, "costs", "money", _dollars),
    Measure(INPUT, _input, "input token counts", "input tokens", _tokens),
    Measure(OUTPUT, _output, "output token counts", "output tokens", _tokens),
)


class CostGate(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of all closed cost blocks. ``tightest_at`` is N*: the number of requests, both sides together, at which
    the tests are as sharp as they can be, ``tightest_at_users`` that of users. They are fixed before the first request.

    Once units repeat, all requests of ``users`` are compared with errors counted by user, instead of first requests.
    """

    criterion: CostCriterion
    tightest_at: int = TIGHTEST_AT
    tightest_at_users: int = TIGHTEST_AT
    users: UserFold = NO_USERS
    strata: tuple[CostStratum, ...] = ()
    unpriced: tuple[str, ...] = ()
    proven: tuple[Proven, ...] = (NOTHING_PROVEN,) * len(MEASURES)

    def __post_init__(self) -> None:
        if self.strata:
            return  # checked when it began
        for measure in MEASURES:
            ratio = self.ratio(measure)
            if ratio is not None and not 0 < ratio < inf:
                raise ValueError(f"{measure.name}: a ratio of {ratio:g}; expected more than 0 and a number: set max_ratio or tokens")
        if min(self.tightest_at, self.tightest_at_users) < 1:
            found = f"{self.tightest_at} requests or {self.tightest_at_users} users"
            raise ValueError(f"cost: tightest after {found}; expected 1 or more: set evidence.n_star and n_star_users")

    def ratio(self, measure: Measure) -> float | None:
        """The accepted ratio, ``None`` where the measure is not compared."""
        if measure.name == MONEY:
            return self.criterion.max_ratio
        return self.criterion.input_ratio if measure.name == INPUT else self.criterion.output_ratio

    def add(self, block: CostBlock, *, at: float) -> "CostGate":
        """Take in the next block and look, at its end ``at``. Nothing is proven by a look at unfit data."""
        grown = replace(
            self,
            strata=merge_cost_strata(self.strata, block.strata),
            unpriced=tuple(sorted({*self.unpriced, *block.unpriced})),
            users=self.users.after(block, before=self.strata),
        )
        return replace(grown, proven=tuple(grown._looked(measure, at=at) for measure in MEASURES))

    def verdicts(self) -> tuple[Verdict, ...]:
        """Money first, then the tokens that are compared. Money without a price is shown, and no gate where tokens are."""
        return tuple(self._verdict(measure) for measure in MEASURES if self.ratio(measure) is not None)

    def means(self, measure: Measure) -> Means | None:
        if self.users.repeating:
            return self.users.means(MEASURES.index(measure))
        return weighted_means([Stratum(measure.moments(here.stable), measure.moments(here.candidate)) for here in self.strata])

    def evidence(self, measure: Measure, *, least: Least = EXACT) -> Evidence:
        means, ratio = self.means(measure), self.ratio(measure)
        if means is None or ratio is None:
            return NO_EVIDENCE
        above = standard_errors(means, ratio=ratio) or 0.0
        more = standard_errors(means, ratio=1.0) or 0.0
        return Evidence(
            passing=self._log_e(-above, means, alpha=ALPHA_PASS) if _may_reach(-above, least.passing) else 0.0,
            failing=self._log_e(above, means, alpha=ALPHA_TRIP_COST) if _may_reach(above, least.tripping) else 0.0,
            harming=self._log_e(more, means, alpha=ALPHA_TRIP_COST) if _may_reach(more, least.tripping) else 0.0,
        )

    def problems(self, measure: Measure) -> tuple[str, ...]:
        """Why the data is not fit to decide on; empty if it is."""
        sides = self._coverage(measure)
        if empty := [f"no observations of the {side.name} at a weight of 5 to 95 %" for side in sides if not side.units]:
            return tuple(empty)
        if no_price := self._no_price(measure, sides):
            return (no_price,)
        return tuple(
            f"{side.missing} of {side.units} {measure.known} of the {side.name} are missing, over {MISSING_MAX:.0%}"
            for side in sides
            if side.missing > MISSING_MAX * side.units
        )

    def power(self, measure: Measure) -> float:
        """The chance that the trip in force would catch three times the margin now."""
        means, ratio = self.means(measure), self.ratio(measure)
        if means is None or ratio is None:
            return 0.0
        over = 1.0 if self._proven(measure).trips_on_any(self.criterion.trip) else ratio
        multiplier = one_sided_multiplier(means.units, alpha=ALPHA_TRIP_COST, tightest_at=self._tightest_at)
        return ratio_power(means, assumed=1 + HARM_FACTOR * (ratio - 1), ratio=over, multiplier=multiplier)

    def _log_e(self, errors: float, means: Means, *, alpha: float) -> float:
        return log_e(errors, units=means.units, alpha=alpha, tightest_at=self._tightest_at)

    @property
    def _tightest_at(self) -> int:
        return self.tightest_at_users if self.users.repeating else self.tightest_at

    def _proven(self, measure: Measure) -> Proven:
        return self.proven[MEASURES.index(measure)]

    def _looked(self, measure: Measure, *, at: float) -> Proven:
        if self.problems(measure):
            return self._proven(measure)
        proven = self._proven(measure)
        now = self.evidence(measure, least=proven.least(ALPHA_TRIP_COST))
        return proven.after(now, at=at, rule=self.criterion.trip, alpha_trip=ALPHA_TRIP_COST)

    def _sides(self) -> tuple[tuple[str, CostTally], tuple[str, CostTally]]:
        stable, candidate = CostTally(), CostTally()
        for stratum in self.strata:
            stable, candidate = stable.merged(stratum.stable), candidate.merged(stratum.candidate)
        return ("stable", stable), ("candidate", candidate)

    def _coverage(self, measure: Measure) -> tuple["_Coverage", "_Coverage"]:
        """How much is known of either side, counted alone: problems are asked for at every look. By user, requests count."""
        if self.users.repeating:
            return self._users_coverage(measure)
        return (
            _coverage("stable", [here.stable for here in self.strata], measure),
            _coverage("candidate", [here.candidate for here in self.strata], measure),
        )

    def _users_coverage(self, measure: Measure) -> tuple["_Coverage", "_Coverage"]:
        stable, candidate = self.users.known(MEASURES.index(measure))
        first, other = (sum(here.stable.unpriced for here in self.strata), sum(here.candidate.unpriced for here in self.strata))
        return (
            _Coverage("stable", stable[0], stable[0] - stable[1], first),
            _Coverage("candidate", candidate[0], candidate[0] - candidate[1], other),
        )

    def _no_price(self, measure: Measure, sides: "Sequence[_Coverage]") -> str | None:
        """Money cannot be compared: a side's tokens are known, and nobody knows what any of them cost."""
        if measure.name != MONEY or not any(side.unpriced and side.missing == side.units for side in sides):
            return None
        return f"no price known for {', '.join(self.unpriced)}"

    def _guards_only(self, measure: Measure) -> bool:
        """Money without a price is no gate, as long as tokens are one."""
        tokens = self.criterion.input_ratio is not None or self.criterion.output_ratio is not None
        return tokens and self._no_price(measure, self._coverage(measure)) is not None

    def _verdict(self, measure: Measure) -> Verdict:
        problems, now, proven = self.problems(measure), self.evidence(measure), self._proven(measure)
        guard_only = self._guards_only(measure)
        decision = decided(proven, problems)
        means = self.means(measure)
        low, high = self._interval(means)
        return Verdict(
            criterion=measure.name,
            decision=decision,
            tripped=proven.tripped_at is not None,
            able_to_trip=not problems and self.power(measure) >= POWER_WANTED,
            worse_inside=proven.harmed_at is not None and proven.passed_at is not None and proven.failed_at is None,
            stable=_figures(measure, self._sides()[0][1], None if means is None else means.stable),
            candidate=_figures(measure, self._sides()[1][1], None if means is None else means.candidate),
            estimate=None if means is None else ratio_of(means),
            low=low,
            high=high,
            method="" if low is None else METHOD_USERS if self.users.repeating else METHOD,
            margin=self._margin(measure),
            to_pass=level(now.passing, alpha=ALPHA_PASS, reached_at=proven.passed_at),
            to_trip=level(
                now.harming if proven.trips_on_any(self.criterion.trip) else now.failing,
                alpha=ALPHA_TRIP_COST,
                reached_at=proven.tripped_at,
            ),
            sentence=self._sentence(measure, decision, problems),
            problems=problems,
            guard_only=guard_only,
        )

    def _interval(self, means: Means | None) -> tuple[float, float] | tuple[None, None]:
        if means is None:
            return None, None
        multiplier = one_sided_multiplier(means.units, alpha=ALPHA_PASS, tightest_at=self._tightest_at)
        return ratio_interval(means, multiplier=multiplier) or (None, None)

    def _margin(self, measure: Measure) -> str:
        return f"up to {plain(self.ratio(measure) or 0.0)} times the stable's {measure.said} a request"

    def _sentence(self, measure: Measure, decision: Decision, problems: tuple[str, ...]) -> str:
        accepted = f"accepted: {self._margin(measure)}; shown so far: {self._shown(measure)}"
        if self._guards_only(measure):
            return f"{accepted}; no gate: {'; '.join(problems)} (tokens are compared)"
        return f"{accepted}; {finding(decision, self._proven(measure), problems)}"

    def _shown(self, measure: Measure) -> str:
        means = self.means(measure)
        ratio = None if means is None else ratio_of(means)
        if means is None or ratio is None:
            return "nothing"
        low, high = self._interval(means)
        span = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
        by_user = f", by user: {self.users.requests} requests of {self.users.units} users" if self.users.repeating else ""
        return f"{measure.show(means.candidate)} against {measure.show(means.stable)}, ratio {ratio:.2f}{span}{by_user}"


def _may_reach(errors: float, least: float) -> bool:
    """Whether so many standard errors can be so much evidence: it is always less than half their square and log 2."""
    return errors > 0 and log(2) + errors * errors / 2 >= least


class _Coverage(NamedTuple):
    """One side's units, how many of them have no value of a measure, and how many have tokens but no price."""

    name: str
    units: int
    missing: int
    unpriced: int


def _coverage(name: str, tallies: Sequence[CostTally], measure: Measure) -> _Coverage:
    units, known, unpriced, moments = 0, 0, 0, measure.moments
    for tally in tallies:
        units += tally.units
        known += moments(tally).count
        unpriced += tally.unpriced
    return _Coverage(name, units, units - known, unpriced)


def _figures(measure: Measure, tally: CostTally, mean: float | None) -> SideFigures:
    """The mean is weighted as in the ratio, or plain while there is no ratio."""
    known = measure.moments(tally)
    plain_mean = known.mean if known.count else None
    return SideFigures(count=known.count, missing=tally.units - known.count, mean=plain_mean if mean is None else mean)
