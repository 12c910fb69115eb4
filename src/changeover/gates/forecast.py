"""How many units will each criterion need? The laws of its tests before the first request, given what is known of the stable.

Nothing here is evidence: a law says how long the gates of this room will take on average, and errs with what it assumes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import inf, log, sqrt
from typing import Final, NamedTuple, TypeVar

from changeover.evidence.cost_ratio import Means, one_sided_multiplier, ratio_power
from changeover.evidence.interval import SIDE_MIN
from changeover.evidence.latency import THRESHOLD_UNITS_MIN
from changeover.evidence.planner import (
    NEVER,
    BetTest,
    EventTest,
    MeanTest,
    Need,
    Rates,
    events_needed,
    means_needed,
    scores_needed,
    tempered,
    units_for,
)
from changeover.evidence.power import Seen, Spread, betting_power, event_power
from changeover.evidence.units import is_comparable
from changeover.gates import cost, errors, quality, safety
from changeover.gates.criteria import (
    CostCriterion,
    Criteria,
    ErrorsCriterion,
    EvidenceRules,
    LatencyCriterion,
    QualityCriterion,
    SafetyCriterion,
    TripRule,
)
from changeover.gates.facts import Fact, Facts
from changeover.gates.latency import OUTAGE_RATIO
from changeover.gates.latency_wording import accepted, verdict_name
from changeover.gates.levels import (
    ALPHA_PASS,
    ALPHA_TRIP_COST,
    ALPHA_TRIP_LATENCY,
    ALPHA_TRIP_OUTAGE,
    ALPHA_TRIP_QUALITY,
    HARM_FACTOR,
    MISSING_MAX,
    POWER_WANTED,
    threshold,
)
from changeover.gates.rare import RareQuestion
from changeover.gates.streams import DEFAULT_RULES
from changeover.gates.wording import plain

T = TypeVar("T")

SLOWER: Final = 1.2
DEARER: Final = 1.2
ERRORS_TIMES: Final = 3.0
FILTER_TIMES: Final = 2.0
QUALITY_SHARE_LOST: Final = 0.075
"""The regressions that are asked about: times as long, times as dear, times as many, and of a scale's width (0.3 of 1 to 5)."""

SCORED_MIN: Final = 0.9
"""Below this share of scored answers it is said. The last ones may just not have been scored yet."""

_PERCENT: Final = 100


class Regression(NamedTuple):
    """A harm to be caught: in words, and how many units that takes at a probability. ``inside`` the accepted margin it is
    never caught.
    """

    said: str
    caught: Callable[[float], Need]
    inside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One verdict's future. ``passing(p)`` units until it passes, were the candidate the stable's equal; ``able(p)`` units
    until its silence means something. ``is_gate`` is false for a guardrail that no step waits for.
    """

    name: str
    margin: str
    basis: str
    passing: Callable[[float], Need]
    able: Callable[[float], float]
    regressions: tuple[Regression, ...]
    is_gate: bool = True
    note: str = ""
    blocks: int = 0


def laws_for(criteria: Criteria, facts: Facts, rules: EvidenceRules = DEFAULT_RULES, *, block: float = 1.0) -> tuple[Law, ...]:
    """One law for each verdict, in the order in which verdicts are shown."""
    return LawBook(facts, rules, block=block).laws(criteria)


class LawBook:
    """The laws of many criteria on the same facts: each is made once, and answers each question once."""

    def __init__(self, facts: Facts, rules: EvidenceRules = DEFAULT_RULES, *, block: float = 1.0) -> None:
        """``block`` units come in a block on average: gates look when blocks end."""
        self._facts = facts
        self._rules = rules
        self._block = max(1.0, block)
        self._made: dict[object, tuple[Law, ...]] = {}

    def laws(self, criteria: Criteria) -> tuple[Law, ...]:
        """One law for each verdict, in the order in which verdicts are shown."""
        found: list[Law] = []
        if criteria.quality is not None and criteria.quality.score is not None:
            found += self._once(criteria.quality, self._quality)
        if criteria.errors is not None:
            found += self._once(criteria.errors, self._errors)
        if criteria.latency is not None:
            for quantile in criteria.latency.quantiles:
                found += self._once((quantile, criteria.latency), self._latency)
        if criteria.cost is not None:
            found += self._once(criteria.cost, self._cost)
        if criteria.safety is not None:
            found += self._once(criteria.safety, self._safety)
        return tuple(found)

    def _once(self, asked: T, make: Callable[[T], Sequence[Law]]) -> tuple[Law, ...]:
        if asked not in self._made:
            self._made[asked] = tuple(_remembering(law) for law in make(asked))
        return self._made[asked]

    def _quality(self, criterion: QualityCriterion) -> Sequence[Law]:
        return [_quality_law(criterion, self._facts, self._block)]

    def _errors(self, criterion: ErrorsCriterion) -> Sequence[Law]:
        return [_rare_law(errors.ErrorsGate(criterion=criterion).question(), self._facts.errors, times=ERRORS_TIMES, block=self._block)]

    def _latency(self, asked: tuple[float, LatencyCriterion]) -> Sequence[Law]:
        quantile, criterion = asked
        return [_latency_law(criterion, quantile, self._facts, _Blocks(self._rules.blocks_min, self._block))]

    def _cost(self, criterion: CostCriterion) -> Sequence[Law]:
        return _cost_laws(criterion, self._facts, self._rules, self._block)

    def _safety(self, criterion: SafetyCriterion) -> Sequence[Law]:
        found = [_rare_law(safety.filter_gate(criterion).question(), self._facts.filtered, times=FILTER_TIMES, block=self._block)]
        harmful = safety.harmful_gate(criterion)
        return (
            found
            if harmful is None
            else [*found, _rare_law(harmful.question(), self._facts.harmful, times=FILTER_TIMES, block=self._block)]
        )


def _remembering(law: Law) -> Law:
    """The same law, which works each answer out once."""
    regressions = tuple(one._replace(caught=cache(one.caught)) for one in law.regressions)
    return replace(law, passing=cache(law.passing), able=cache(law.able), regressions=regressions)


class _Blocks(NamedTuple):
    """So many blocks at least, of so many units on average."""

    least: int
    units: float


def _at_comparable(needed: Callable[[float], Need]) -> Callable[[float], Need]:
    """Outside the comparable probabilities nothing is counted."""

    def asked(p: float) -> Need:
        return needed(p) if is_comparable(p) else NEVER

    return asked


def _quality_law(criterion: QualityCriterion, facts: Facts, block: float) -> Law:
    delta, spread = criterion.margin_share, facts.score
    width = criterion.scale_high - criterion.scale_low
    on_any = criterion.trip is TripRule.ANY
    trip_at = 0.0 if on_any else delta

    def passing(p: float) -> Need:
        return scores_needed(BetTest(p, delta, threshold(ALPHA_PASS), passing=True, look=block), stable=spread, candidate=spread)

    def caught(p: float) -> Need:
        test = BetTest(p, trip_at, threshold(ALPHA_TRIP_QUALITY), passing=False, look=block)
        return scores_needed(test, stable=spread, candidate=_lower(spread, QUALITY_SHARE_LOST))

    def able(p: float) -> float:
        worse = _lower(spread, HARM_FACTOR * delta)

        def chance(units: int) -> float:
            return betting_power([Seen(p, units)], stable=spread, candidate=worse, delta=trip_at, alpha=ALPHA_TRIP_QUALITY)

        return units_for(chance, target=POWER_WANTED)

    mean, deviation = criterion.scale_low + spread.mean * width, spread.sd * width
    return Law(
        name=quality.NAME,
        margin=quality.QualityGate(criterion=criterion).verdict().margin,
        basis=_basis(f"mean score {mean:.3g}, deviation {deviation:.2g}", observed=facts.score_observed),
        passing=_at_comparable(passing),
        able=able,
        regressions=(Regression(f"{plain(QUALITY_SHARE_LOST * width)} lower", _at_comparable(caught), trip_at >= QUALITY_SHARE_LOST),),
        note=_score_note(facts.scored),
    )


def _score_note(scored: float | None) -> str:
    if scored is None or scored >= SCORED_MIN:
        return ""
    return f"{scored:.0%} of the last day's answers have a score so far; in a rollout over {MISSING_MAX:.0%} missing decides nothing"


def _rare_law(question: RareQuestion, base: Fact, *, times: float, block: float) -> Law:
    """A pass averages two tests, so that each alone has to reach twice as much; one that stands at 1 gives its 1."""
    rate, on_any = base.value, question.trip is TripRule.ANY
    worse = min(1.0, times * rate) if rate > 0 else min(1.0, HARM_FACTOR * question.delta)
    beyond_points = threshold(ALPHA_PASS / 2) if rate > 0 else log(2 / ALPHA_PASS - 1)

    def passing(p: float) -> Need:
        by_ratio = events_needed(EventTest(p, question.max_ratio, threshold(ALPHA_PASS / 2), above=False, look=block), Rates(rate, rate))
        same = _rare_spread(rate)
        return _sooner(
            by_ratio, scores_needed(BetTest(p, question.delta, beyond_points, passing=True, look=block), stable=same, candidate=same)
        )

    def caught(p: float) -> Need:
        null = 1.0 if on_any else question.max_ratio
        by_ratio = events_needed(EventTest(p, null, threshold(question.alpha_trip), above=True, look=block), Rates(rate, worse))
        if on_any:
            return by_ratio
        test = BetTest(p, question.delta, threshold(question.alpha_trip), passing=False, look=block)
        return _later(by_ratio, scores_needed(test, stable=_rare_spread(rate), candidate=_rare_spread(worse)))

    def able(p: float) -> float:
        harm = min(1.0, max(rate * (1 + HARM_FACTOR * (question.max_ratio - 1)), rate + HARM_FACTOR * question.delta))

        def chance(units: int) -> float:
            seen = [Seen(p, units)]
            null = 1.0 if on_any else question.max_ratio
            by_ratio = event_power(seen, stable_rate=rate, candidate_rate=harm, ratio=null, alpha=question.alpha_trip)
            if on_any:
                return by_ratio
            sides = {"stable": _rare_spread(rate), "candidate": _rare_spread(harm)}
            return min(by_ratio, betting_power(seen, delta=question.delta, alpha=question.alpha_trip, **sides))

        return units_for(chance, target=POWER_WANTED)

    inside = not on_any and worse - rate <= max((question.max_ratio - 1) * rate, question.delta)
    said = f"{plain(times)} times as many" if rate > 0 else f"{plain(_PERCENT * worse)} % instead of none"
    return Law(
        name=question.name,
        margin=question.margin,
        basis=_basis(f"{rate:.2%} {question.event}", observed=base.observed),
        passing=_at_comparable(passing),
        able=able,
        regressions=(Regression(said, _at_comparable(caught), inside),),
    )


def _latency_law(criterion: LatencyCriterion, level: float, facts: Facts, blocks: _Blocks) -> Law:
    """Slow spells of a deployment's own would multiply the units by their dispersion, which nobody knows beforehand: what is
    foretold is the case without them.
    """
    limit = facts.times.quantile(level) or 0.0
    base, ratio = facts.times.share_above(limit), criterion.max_ratio
    warm = 0 if facts.times_observed else THRESHOLD_UNITS_MIN
    alpha = ALPHA_TRIP_LATENCY
    on_any = criterion.trip is TripRule.ANY
    trip_at = limit if on_any else ratio * limit

    def beyond(slower: float, at: float) -> float:
        return facts.times.share_above(at / slower)

    def gated(needed: Need, p: float) -> Need:
        """Tempered, once there are thresholds, and not before so many blocks."""
        least = blocks.least * blocks.units
        return _later(tempered(needed, block=blocks.units).plus(warm / (1 - p)), Need(least, least))

    def passing(p: float) -> Need:
        equal = Rates(base, beyond(1.0, ratio * limit))
        return gated(events_needed(EventTest(p, 1.0, threshold(ALPHA_PASS), above=False, look=blocks.units), equal), p)

    def caught(p: float) -> Need:
        usual = EventTest(p, 1.0, threshold(alpha), above=True, look=blocks.units)
        fast = EventTest(p, OUTAGE_RATIO, threshold(ALPHA_TRIP_OUTAGE), above=True, look=blocks.units)
        at_once = events_needed(fast, Rates(base, beyond(SLOWER, ratio * limit))).plus(warm / (1 - p))
        return _sooner(gated(events_needed(usual, Rates(base, beyond(SLOWER, trip_at))), p), at_once)

    def able(p: float) -> float:
        harm = 1 + HARM_FACTOR * (ratio - 1)
        if harm <= 0:
            return inf

        def chance(units: int) -> float:
            return event_power([Seen(p, units)], stable_rate=base, candidate_rate=beyond(harm, trip_at), ratio=1.0, alpha=alpha)

        return units_for(chance, target=POWER_WANTED) + warm / (1 - p)

    return Law(
        name=verdict_name(level),
        margin=accepted(level, max_ratio=ratio),
        basis=_basis(f"{verdict_name(level).split()[-1]} {limit:.0f} ms", observed=facts.times_observed),
        passing=_at_comparable(passing),
        able=able,
        regressions=(Regression(f"{plain(_PERCENT * (SLOWER - 1))} % slower", _at_comparable(caught), not on_any and ratio >= SLOWER),),
        is_gate=level not in criterion.guard_only,
        blocks=blocks.least,
    )


def _cost_laws(criterion: CostCriterion, facts: Facts, rules: EvidenceRules, block: float) -> list[Law]:
    gate = cost.CostGate(criterion=criterion)
    variations = {cost.MONEY: facts.money, cost.INPUT: facts.input, cost.OUTPUT: facts.output}
    margins = {verdict.criterion: verdict.margin for verdict in gate.verdicts()}
    found: list[Law] = []
    for measure in cost.MEASURES:
        ratio = gate.ratio(measure)
        if ratio is not None:
            asked = _CostQuestion(measure, ratio, margins[measure.name], rules.n_star, criterion.trip is TripRule.ANY, block)
            found.append(_cost_law(asked, variations[measure.name]))
    return found


class _CostQuestion(NamedTuple):
    measure: cost.Measure
    ratio: float
    margin: str
    tightest_at: int
    on_any: bool
    block: float


def _cost_law(asked: _CostQuestion, variation: Fact) -> Law:
    measure, ratio, margin, tightest_at, on_any, block = asked
    trip_at = 1.0 if on_any else ratio

    def passing(p: float) -> Need:
        return means_needed(
            MeanTest(p, ratio, ALPHA_PASS, passing=True, look=block), variation=variation.value, effect=1.0, tightest_at=tightest_at
        )

    def caught(p: float) -> Need:
        return means_needed(
            MeanTest(p, trip_at, ALPHA_TRIP_COST, passing=False, look=block),
            variation=variation.value,
            effect=DEARER,
            tightest_at=tightest_at,
        )

    def able(p: float) -> float:
        def chance(units: int) -> float:
            if units * min(p, 1 - p) < SIDE_MIN:
                return 0.0
            square = variation.value * variation.value
            means = Means(units, 1.0, 1.0, square / (units * (1 - p)), square / (units * p))
            multiplier = one_sided_multiplier(units, alpha=ALPHA_TRIP_COST, tightest_at=tightest_at)
            return ratio_power(means, assumed=1 + HARM_FACTOR * (ratio - 1), ratio=trip_at, multiplier=multiplier)

        return units_for(chance, target=POWER_WANTED)

    return Law(
        name=measure.name,
        margin=margin,
        basis=_basis(f"{measure.said} vary by {variation.value:.0%} of their mean", observed=variation.observed),
        passing=_at_comparable(passing),
        able=able,
        regressions=(Regression(f"{plain(DEARER)} times as much", _at_comparable(caught), trip_at >= DEARER),),
    )


def _rare_spread(rate: float) -> Spread:
    """Of "no event" (1) against "event" (0)."""
    return Spread(1 - rate, sqrt(rate * (1 - rate)))


def _lower(spread: Spread, share: float) -> Spread:
    return Spread(max(0.0, spread.mean - share), spread.sd)


def _sooner(left: Need, right: Need) -> Need:
    return Need(min(left.n50, right.n50), min(left.n80, right.n80))


def _later(left: Need, right: Need) -> Need:
    return Need(max(left.n50, right.n50), max(left.n80, right.n80))


def _basis(words: str, *, observed: bool) -> str:
    return f"{words}, {'observed' if observed else 'assumed'}"
