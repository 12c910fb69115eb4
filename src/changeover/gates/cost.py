"""Does the candidate cost no more than accepted? Blocks of money and tokens become one verdict each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Final, NamedTuple

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
from changeover.gates.criteria import CostCriterion
from changeover.gates.levels import (
    ALPHA_PASS,
    ALPHA_TRIP_COST,
    HARM_FACTOR,
    MISSING_MAX,
    NOTHING_PROVEN,
    POWER_WANTED,
    Evidence,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CostGate:
    """The fold of all closed cost blocks. ``tightest_at`` is N*: the number of requests, both sides together, at which
    the tests are as sharp as they can be. It is fixed before the first request.
    """

    criterion: CostCriterion
    tightest_at: int = TIGHTEST_AT
    strata: tuple[CostStratum, ...] = ()
    unpriced: tuple[str, ...] = ()
    proven: tuple[Proven, ...] = (NOTHING_PROVEN,) * len(MEASURES)

    def __post_init__(self) -> None:
        for measure in MEASURES:
            ratio = self.ratio(measure)
            if ratio is not None and not 0 < ratio < inf:
                raise ValueError(f"{measure.name}: a ratio of {ratio:g}; expected more than 0 and a number: set max_ratio or tokens")
        if self.tightest_at < 1:
            raise ValueError(f"cost: tightest after {self.tightest_at} requests; expected 1 or more")

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
        )
        return replace(grown, proven=tuple(grown._looked(measure, at=at) for measure in MEASURES))

    def verdicts(self) -> tuple[Verdict, ...]:
        """Money first, then the tokens that are compared. Money without a price is shown, and no gate where tokens are."""
        return tuple(self._verdict(measure) for measure in MEASURES if self.ratio(measure) is not None)

    def means(self, measure: Measure) -> Means | None:
        return weighted_means([Stratum(measure.moments(here.stable), measure.moments(here.candidate)) for here in self.strata])

    def evidence(self, measure: Measure) -> Evidence:
        means, ratio = self.means(measure), self.ratio(measure)
        if means is None or ratio is None:
            return NO_EVIDENCE
        above = standard_errors(means, ratio=ratio)
        more = standard_errors(means, ratio=1.0)
        return Evidence(
            passing=0.0 if above is None else self._log_e(-above, means, alpha=ALPHA_PASS),
            failing=0.0 if above is None else self._log_e(above, means, alpha=ALPHA_TRIP_COST),
            harming=0.0 if more is None else self._log_e(more, means, alpha=ALPHA_TRIP_COST),
        )

    def problems(self, measure: Measure) -> tuple[str, ...]:
        """Why the data is not fit to decide on; empty if it is."""
        sides = self._sides()
        if empty := [f"no observations of the {name} at a weight of 5 to 95 %" for name, tally in sides if not tally.units]:
            return tuple(empty)
        if no_price := self._no_price(measure):
            return (no_price,)
        problems: list[str] = []
        for name, tally in sides:
            missing = tally.units - measure.moments(tally).count
            if missing > MISSING_MAX * tally.units:
                problems.append(f"{missing} of {tally.units} {measure.known} of the {name} are missing, over {MISSING_MAX:.0%}")
        return tuple(problems)

    def power(self, measure: Measure) -> float:
        """The chance that the trip in force would catch three times the margin now."""
        means, ratio = self.means(measure), self.ratio(measure)
        if means is None or ratio is None:
            return 0.0
        over = 1.0 if self._proven(measure).trips_on_any(self.criterion.trip) else ratio
        multiplier = one_sided_multiplier(means.units, alpha=ALPHA_TRIP_COST, tightest_at=self.tightest_at)
        return ratio_power(means, assumed=1 + HARM_FACTOR * (ratio - 1), ratio=over, multiplier=multiplier)

    def _log_e(self, errors: float, means: Means, *, alpha: float) -> float:
        return log_e(errors, units=means.units, alpha=alpha, tightest_at=self.tightest_at)

    def _proven(self, measure: Measure) -> Proven:
        return self.proven[MEASURES.index(measure)]

    def _looked(self, measure: Measure, *, at: float) -> Proven:
        if self.problems(measure):
            return self._proven(measure)
        return self._proven(measure).after(self.evidence(measure), at=at, rule=self.criterion.trip, alpha_trip=ALPHA_TRIP_COST)

    def _sides(self) -> tuple[tuple[str, CostTally], tuple[str, CostTally]]:
        stable, candidate = CostTally(), CostTally()
        for stratum in self.strata:
            stable, candidate = stable.merged(stratum.stable), candidate.merged(stratum.candidate)
        return ("stable", stable), ("candidate", candidate)

    def _no_price(self, measure: Measure) -> str | None:
        """Money cannot be compared: a side's tokens are known, and nobody knows what any of them cost."""
        unpriced = any(tally.unpriced and not tally.money.count for _, tally in self._sides())
        return f"no price known for {', '.join(self.unpriced)}" if measure.name == MONEY and unpriced else None

    def _guards_only(self, measure: Measure) -> bool:
        """Money without a price is no gate, as long as tokens are one."""
        tokens = self.criterion.input_ratio is not None or self.criterion.output_ratio is not None
        return tokens and self._no_price(measure) is not None

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
            method=METHOD if low is not None else "",
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
        multiplier = one_sided_multiplier(means.units, alpha=ALPHA_PASS, tightest_at=self.tightest_at)
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
        return f"{measure.show(means.candidate)} against {measure.show(means.stable)}, ratio {ratio:.2f}{span}"


def _figures(measure: Measure, tally: CostTally, mean: float | None) -> SideFigures:
    """The mean is weighted as in the ratio, or plain while there is no ratio."""
    known = measure.moments(tally)
    plain_mean = known.mean if known.count else None
    return SideFigures(count=known.count, missing=tally.units - known.count, mean=plain_mean if mean is None else mean)
