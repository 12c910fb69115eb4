"""What is measured: the table of section 3 of the reference, the errors gate without errors, and harms that a forecast speaks of."""

from collections.abc import Iterator, Sequence
from math import log, sqrt
from random import Random
from statistics import NormalDist
from typing import Any, Final

from changeover.evidence.events import EventCount, log_e_above, log_e_below
from changeover.evidence.planner import EventTest, Rates, events_needed
from changeover.exchange.observation import Tokens
from changeover.gates.assess import Judge
from changeover.gates.criteria import CostCriterion, Criteria, ErrorsCriterion, LatencyCriterion, QualityCriterion, SafetyCriterion
from changeover.gates.facts import Fact, Facts, facts_of
from changeover.gates.forecast import Law, laws_for
from changeover.gates.levels import ALPHA_PASS, threshold
from changeover.gates.streams import FILTERS, LATENCY, FilterStream, LatencyStream
from tests.simulate.power_runs import BLOCK, Case, Draw, passed, tripped
from tests.simulate.scoring import CATEGORIES, categories_of, category

EVEN: Final = 0.5
LOOK: Final = 50
"""Requests between two looks, where more of them would cost too much."""

SIGMA: Final = 0.75
MEDIAN_MS: Final = 1500.0
BASELINE: Final = 100_000
"""Requests of the stable that say where its quantiles truly are."""

GATE_BASELINE: Final = 2_000
"""Requests of the stable that the product may have seen."""


def quality_cases() -> Iterator[Case]:
    for margin, p, reference in ((0.1, 0.5, 2432), (0.1, 0.1, 6826), (0.2, 0.5, 687), (0.2, 0.1, 2289)):
        criteria = Criteria(quality=QualityCriterion(score="judge", margin=margin))
        yield Case(
            name=f"quality, margin {margin:g}, {_share(p)}",
            criteria=criteria,
            p=p,
            draw=lambda dice, _: {"score": category(dice, CATEGORIES)},
            crossed=passed("quality"),
            reference=reference,
            forecast=_law(criteria, "quality", facts(score=CATEGORIES)).passing(p),
        )


def cost_cases() -> Iterator[Case]:
    spread = sqrt(log(1 + 0.6 * 0.6))

    def draw(dice: Random, _: bool) -> dict[str, Any]:
        return {"cost_usd": dice.lognormvariate(0.0, spread), "tokens": Tokens(prompt=1, completion=1)}

    criteria = Criteria(cost=CostCriterion(input_ratio=None, output_ratio=None))
    for p, reference in ((0.5, 1429), (0.1, 0)):
        need = _law(criteria, "cost", facts()).passing(p)
        yield Case(
            name=f"cost, margin 1.1, cv .6, {_share(p)}",
            criteria=criteria,
            p=p,
            draw=draw,
            crossed=passed("cost"),
            reference=reference,
            forecast=need,
        )


def filter_cases() -> Iterator[Case]:
    rows = (
        (0.01, 2.0, 0.5, 3186),
        (0.01, 3.0, 0.5, 1103),
        (0.01, 1.5, 0.5, 12813),
        (0.01, 2.0, 0.1, 8651),
        (0.01, 3.0, 0.1, 2781),
        (0.005, 2.0, 0.5, 6063),
        (0.02, 2.0, 0.5, 1617),
    )
    for rate, ratio, p, reference in rows:
        yield Case(
            name=f"filter {rate:.1%}, harm of {ratio:g} times, {_share(p)}, as measured",
            criteria=Criteria(safety=SafetyCriterion()),
            p=p,
            draw=_flagged(rate, ratio * rate),
            crossed=lambda judge: log_e_above(_flags(judge), ratio=1.0) >= threshold(ALPHA_PASS),
            reference=reference,
            forecast=events_needed(EventTest(p, 1.0, threshold(ALPHA_PASS), above=True, look=BLOCK), Rates(rate, ratio * rate)),
        )
    # Below 1.5 the reference measured a coarser grid of 8 ratios, so its own prediction by formula stands beside it.
    for rate, null, p, reference in ((0.01, 1.5, 0.5, 14677), (0.01, 1.5, 0.1, 36340), (0.02, 1.25, 0.5, 28361)):
        yield Case(
            name=f"filter {rate:.1%}, equal, below {null:g}, {_share(p)}, as measured",
            criteria=Criteria(safety=SafetyCriterion()),
            p=p,
            draw=_flagged(rate, rate),
            crossed=lambda judge, null=null: log_e_below(_flags(judge), ratio=null) >= threshold(ALPHA_PASS),
            reference=reference,
            forecast=events_needed(EventTest(p, null, threshold(ALPHA_PASS), above=False, look=LOOK), Rates(rate, rate)),
            block=LOOK,
        )


def errors_cases() -> Iterator[Case]:
    """No error on either side: the requests that section 1.2 states."""
    for points, p, reference in ((2.0, 0.5, 591), (0.2, 0.5, 5935), (0.2, 0.1, 29700)):
        criteria = Criteria(errors=ErrorsCriterion(margin_points=points))
        yield Case(
            name=f"errors, none at all, {points:g} points, {_share(p)}",
            criteria=criteria,
            p=p,
            draw=lambda _dice, _side: {},
            crossed=passed("errors"),
            reference=reference,
            forecast=_law(criteria, "errors", facts(errors=0.0)).passing(p),
            certain=True,
        )


def latency_cases() -> Iterator[Case]:
    """Thrice: looked at as the table was, and by the gate with its blocks, of which 12 are the least, and its tempering."""
    rows = (
        (0.5, 0.5, 6014, 0),
        (0.5, 0.1, 17167, 0),
        (0.95, 0.5, 8231, 16938),
        (0.95, 0.1, 23494, 46046),
        (0.99, 0.5, 26354, 49428),
        (0.99, 0.1, 69945, 142261),
    )
    for quantile, p, reference, n80 in rows:
        name = f"latency p{100 * quantile:g}"
        rates = Rates(1 - quantile, _share_above(quantile, LatencyCriterion().max_ratio))
        yield Case(
            name=f"{name}, {_share(p)}, as measured",
            criteria=Criteria(latency=LatencyCriterion(quantiles=(quantile,))),
            p=p,
            draw=_slow,
            crossed=_untempered_pass,
            reference=reference,
            n80=n80,
            forecast=events_needed(EventTest(p, 1.0, threshold(ALPHA_PASS), above=False, look=LOOK), rates),
            block=LOOK,
            baseline=BASELINE,
            one_baseline=True,
        )
    for quantile, p, reference, n80 in rows[:4]:
        for block in (100, 500) if p == EVEN else (500,):
            name = f"latency p{100 * quantile:g}"
            criteria = Criteria(latency=LatencyCriterion(quantiles=(quantile,)))
            yield Case(
                name=f"{name}, {_share(p)}, gate, blocks of {block}",
                criteria=criteria,
                p=p,
                draw=_slow,
                crossed=passed(name),
                reference=reference,
                n80=n80,
                forecast=_law(criteria, name, facts(), block=block).passing(p),
                block=block,
                baseline=GATE_BASELINE,
            )


def regression_cases() -> Iterator[Case]:
    """Harms that the forecast speaks of, until the gate trips."""
    worse = categories_of(3.9)
    for p in (0.5, 0.1):
        criteria = Criteria(quality=QualityCriterion(score="judge"))
        yield Case(
            name=f"quality 0.3 lower, {_share(p)}, gate",
            criteria=criteria,
            p=p,
            crossed=tripped("quality"),
            draw=lambda dice, candidate: {"score": category(dice, worse if candidate else CATEGORIES)},
            forecast=_law(criteria, "quality", facts(score=CATEGORIES)).regressions[0].caught(p),
        )
        criteria = Criteria(errors=ErrorsCriterion())
        yield Case(
            name=f"errors .5 % times 3, {_share(p)}, gate",
            criteria=criteria,
            p=p,
            crossed=tripped("errors"),
            draw=_failing(0.005, 0.015),
            forecast=_law(criteria, "errors", facts(errors=0.005)).regressions[0].caught(p),
        )
        criteria = Criteria(cost=CostCriterion(input_ratio=None, output_ratio=None))
        yield Case(
            name=f"cost times 1.2, {_share(p)}, gate",
            criteria=criteria,
            p=p,
            crossed=tripped("cost"),
            draw=_dear(1.2),
            forecast=_law(criteria, "cost", facts()).regressions[0].caught(p),
        )
        criteria = Criteria(latency=LatencyCriterion(quantiles=(0.95,)))
        yield Case(
            name=f"latency p95 20 % slower, {_share(p)}, gate",
            criteria=criteria,
            p=p,
            crossed=tripped("latency p95"),
            draw=_slower(1.2),
            forecast=_law(criteria, "latency p95", facts(), block=500).regressions[0].caught(p),
            block=500,
            baseline=GATE_BASELINE,
        )


def all_cases() -> list[Case]:
    groups = (quality_cases, cost_cases, filter_cases, errors_cases, latency_cases, regression_cases)
    return [case for group in groups for case in group()]


# What a request shows.


def _slow(dice: Random, _: bool) -> dict[str, Any]:
    return {"latency_ms": dice.lognormvariate(log(MEDIAN_MS), SIGMA)}


def _slower(times: float) -> Draw:
    return lambda dice, candidate: {"latency_ms": dice.lognormvariate(log(MEDIAN_MS), SIGMA) * (times if candidate else 1.0)}


def _dear(times: float) -> Draw:
    spread = sqrt(log(1 + 0.6 * 0.6))
    return lambda dice, candidate: {
        "cost_usd": dice.lognormvariate(0.0, spread) * (times if candidate else 1.0),
        "tokens": Tokens(prompt=1, completion=1),
    }


def _flagged(stable: float, candidate: float) -> Draw:
    return lambda dice, is_candidate: {"filtered": dice.random() < (candidate if is_candidate else stable)}


def _failing(stable: float, candidate: float) -> Draw:
    return lambda dice, is_candidate: {"served": None} if dice.random() < (candidate if is_candidate else stable) else {}


# What the evidence says.


def _flags(judge: Judge) -> list[EventCount]:
    stream = judge.streams[FILTERS]
    assert isinstance(stream, FilterStream)
    return stream.filters.fold.events()


def _untempered_pass(judge: Judge) -> bool:
    stream = judge.streams[LATENCY]
    assert isinstance(stream, LatencyStream)
    found = [EventCount(here.p, sum(here.stable.above), sum(here.candidate.beyond)) for here in stream.latency.strata]
    return log_e_below(found, ratio=1.0) >= threshold(ALPHA_PASS)


def facts(*, score: Sequence[float] | None = None, errors: float = 0.005) -> Facts:
    """The truth of these cases."""
    found = facts_of([], quality=None)._replace(times_observed=True, errors=Fact(errors, observed=True))
    if score is None:
        return found
    mean = sum(index / 4 * weight for index, weight in enumerate(score))
    variance = sum((index / 4 - mean) ** 2 * weight for index, weight in enumerate(score))
    return found._replace(score=found.score._replace(mean=mean, sd=sqrt(variance)))


def _law(criteria: Criteria, name: str, known: Facts, *, block: int = BLOCK) -> Law:
    return next(law for law in laws_for(criteria, known, block=block) if law.name == name)


def _share_above(quantile: float, ratio: float) -> float:
    """Of lognormal times, the share above ``ratio`` times their quantile."""
    normal = NormalDist()
    return 1 - normal.cdf(normal.inv_cdf(quantile) + log(ratio) / SIGMA)


def _share(p: float) -> str:
    return "50:50" if p == EVEN else f"{100 * p:g} %"
