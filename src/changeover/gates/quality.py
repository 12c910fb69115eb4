"""Is the candidate's quality no worse than accepted? Blocks of scores become one verdict."""

from typing import Final

import msgspec
from msgspec.structs import replace

from changeover.evidence.betting import NOTHING_BET, BetSums
from changeover.evidence.interval import Difference, Stratum, mean_difference
from changeover.evidence.power import Seen, Spread, betting_power
from changeover.evidence.scores import ScoreBlock, ScoreStratum, ScoreTally, merge_score_strata
from changeover.gates.criteria import QualityCriterion
from changeover.gates.levels import (
    ALPHA_INTERVAL,
    ALPHA_PASS,
    ALPHA_TRIP_QUALITY,
    HARM_FACTOR,
    MISSING_MAX,
    NOTHING_PROVEN,
    POWER_WANTED,
    Evidence,
    Proven,
    level,
)
from changeover.gates.outage import is_outage, outage_words
from changeover.gates.verdict import SideFigures, Verdict
from changeover.gates.wording import decided, decimals_for, finding, number, plain

NAME: Final = "quality"
METHOD: Final = "asymptotic, 95 %"
_CENTRE_DECIMALS: Final = 2


class QualityGate(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of all closed score blocks. ``seen`` counts units by their probability and by the centre they were bet
    at, rounded: what the power of the trip is computed from.
    """

    criterion: QualityCriterion
    sums: BetSums = NOTHING_BET
    strata: tuple[ScoreStratum, ...] = ()
    seen: tuple[Seen, ...] = ()
    outage: str = ""
    proven: Proven = NOTHING_PROVEN

    def __post_init__(self) -> None:
        if self.strata:
            return  # checked when it began
        if not self.criterion.scale_low < self.criterion.scale_high:
            raise ValueError(
                f"quality: a scale from {self.criterion.scale_low:g} to {self.criterion.scale_high:g}; expected low below high"
            )
        share = self.criterion.margin_share
        if not 0 <= share <= 1:
            raise ValueError(f"quality: the margin is {share:g} of the scale's width; expected 0 to 1: set margin or scale")

    def add(self, block: ScoreBlock, *, at: float) -> "QualityGate":
        """Take in the next block and look, at its end ``at``. Nothing is proven by a look at unfit data.

        Raises:
            ValueError: the block was summed up for another margin.
        """
        if block.delta != self.criterion.margin_share:
            raise ValueError(
                f"block {block.block} was summed up for a margin of {block.delta:g}, expected {self.criterion.margin_share:g}: "
                "criteria are fixed when a rollout starts; start a new one"
            )
        outage = _outage(block)
        grown = replace(
            self,
            sums=self.sums.plus_losses(block.sums) if outage else self.sums.plus(block.sums),
            outage=outage,
            strata=merge_score_strata(self.strata, block.strata),
            seen=_counted(self.seen, block),
        )
        if grown.problems():
            return grown
        proven = self.proven.after(grown.evidence(), at=at, rule=self.criterion.trip, alpha_trip=ALPHA_TRIP_QUALITY)
        return replace(grown, proven=proven)

    def evidence(self) -> Evidence:
        return Evidence(passing=self.sums.log_e_pass, failing=self.sums.log_e_fail, harming=self.sums.log_e_harm)

    def problems(self) -> tuple[str, ...]:
        """Why the data is not fit to decide on; empty if it is."""
        stable, candidate = self._sides()
        empty = [
            f"no observations of the {name} at a weight of 5 to 95 %"
            for name, tally in (("stable", stable), ("candidate", candidate))
            if not tally.gains.count
        ]
        if empty:
            return tuple(empty)
        problems: list[str] = [self.outage] if self.outage else []
        if not stable.scored + candidate.scored:
            problems.append(f"no score named {self.criterion.score} has arrived")
        for name, tally in (("stable", stable), ("candidate", candidate)):
            if tally.missing > MISSING_MAX * tally.gains.count:
                problems.append(f"{tally.missing} of {tally.gains.count} scores of the {name} are missing, over {MISSING_MAX:.0%}")
        if unusable := stable.unusable + candidate.unusable:
            low, high = plain(self.criterion.scale_low), plain(self.criterion.scale_high)
            problems.append(f"scores that are no number from {low} to {high}: {unusable} (correct the scorer or the scale and start again)")
        return tuple(problems)

    def verdict(self) -> Verdict:
        problems, now = self.problems(), self.evidence()
        decision = decided(self.proven, problems)
        stable, candidate = self._sides()
        difference = None if problems else self._difference()
        estimate, low, high = _ends(difference, self._width)
        trip_log_e = now.harming if self.proven.trips_on_any(self.criterion.trip) else now.failing
        return Verdict(
            criterion=NAME,
            decision=decision,
            tripped=self.proven.tripped_at is not None,
            able_to_trip=not problems and self.power() >= POWER_WANTED,
            worse_inside=self.proven.harmed_at is not None and self.proven.passed_at is not None and self.proven.failed_at is None,
            stable=self._figures(stable),
            candidate=self._figures(candidate),
            estimate=estimate,
            low=low,
            high=high,
            method=METHOD if low is not None else "",
            margin=self._margin(),
            to_pass=level(now.passing, alpha=ALPHA_PASS, reached_at=self.proven.passed_at),
            to_trip=level(trip_log_e, alpha=ALPHA_TRIP_QUALITY, reached_at=self.proven.tripped_at),
            sentence=f"accepted: {self._margin()}; shown so far: {self._shown(difference)}; {finding(decision, self.proven, problems)}",
            problems=problems,
        )

    def power(self) -> float:
        """The chance that the trip in force would by now have caught a loss of three times the margin."""
        stable, _ = self._sides()
        spread = Spread(stable.gains.mean, stable.gains.sd)
        delta = 0.0 if self.proven.trips_on_any(self.criterion.trip) else self.criterion.margin_share
        worse = Spread(max(0.0, spread.mean - HARM_FACTOR * self.criterion.margin_share), spread.sd)
        return betting_power(self.seen, stable=spread, candidate=worse, delta=delta, alpha=ALPHA_TRIP_QUALITY)

    @property
    def _width(self) -> float:
        return self.criterion.scale_high - self.criterion.scale_low

    def _sides(self) -> tuple[ScoreTally, ScoreTally]:
        stable, candidate = ScoreTally(), ScoreTally()
        for stratum in self.strata:
            stable, candidate = stable.merged(stratum.stable), candidate.merged(stratum.candidate)
        return stable, candidate

    def _difference(self) -> Difference | None:
        return mean_difference([Stratum(here.stable.gains, here.candidate.gains) for here in self.strata], alpha=ALPHA_INTERVAL)

    def _figures(self, tally: ScoreTally) -> SideFigures:
        judged = tally.scored + tally.unanswered
        # The missing enter the tests with the lowest score, but the mean that people read is of those judged.
        mean = self.criterion.scale_low + tally.gains.mean * tally.gains.count / judged * self._width if judged else None
        return SideFigures(count=tally.scored + tally.unanswered, missing=tally.missing, mean=mean)

    def _margin(self) -> str:
        low, high = plain(self.criterion.scale_low), plain(self.criterion.scale_high)
        return f"up to {plain(self.criterion.margin)} lower on the scale {low} to {high}"

    def _shown(self, difference: Difference | None) -> str:
        estimate, low, high = _ends(difference, self._width)
        if estimate is None:
            return "nothing"
        decimals = decimals_for(self.criterion.margin)
        word = "lower" if estimate < 0 else "higher"
        span = "" if low is None or high is None else f" ({number(low, decimals=decimals)} to {number(high, decimals=decimals)})"
        return f"{number(abs(estimate), decimals=decimals)} {word}{span}"


def _ends(difference: Difference | None, width: float) -> tuple[float | None, float | None, float | None]:
    """Estimate, low and high in the scale's own units."""
    if difference is None:
        return None, None, None
    estimate = difference.estimate * width
    if difference.half_width is None:
        return estimate, None, None
    return estimate, estimate - difference.half_width * width, estimate + difference.half_width * width


def _outage(block: ScoreBlock) -> str:
    """What to say when the stable was down in the block; empty when it was not."""
    unanswered = sum(here.stable.unanswered for here in block.strata)
    units = sum(here.stable.gains.count for here in block.strata)
    return outage_words(unanswered=unanswered, units=units) if is_outage(unanswered=unanswered, units=units) else ""


def _counted(seen: tuple[Seen, ...], block: ScoreBlock) -> tuple[Seen, ...]:
    counts = {(one.p, one.centre): one.units for one in seen}
    centre = round(block.centre.value, _CENTRE_DECIMALS)
    for stratum in block.strata:
        here = stratum.stable.gains.count + stratum.candidate.gains.count
        counts[stratum.p, centre] = counts.get((stratum.p, centre), 0) + here
    return tuple(Seen(p, units, at_centre) for (p, at_centre), units in counts.items())
