"""What the laws of the gates foretell, against the gates themselves and against what is stated of them."""

from math import inf, log

import pytest

from changeover.evidence.histogram import histogram_of
from changeover.evidence.outcomes import OutcomeBlock, OutcomeStratum, OutcomeTally
from changeover.evidence.planner import BetTest, EventTest, Rates, events_needed, scores_needed
from changeover.evidence.power import Spread
from changeover.exchange.observation import Observation, Tokens
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
from changeover.gates.errors import ErrorsGate
from changeover.gates.facts import ROWS_MIN, Fact, Facts, facts_of
from changeover.gates.forecast import Law, laws_for
from changeover.gates.levels import POWER_WANTED
from changeover.gates.streams import gates_of
from changeover.traffic.table import Side
from tests.unit.evidence.rows import row

NOTHING = facts_of([], quality=None)
EVERYTHING = Criteria(
    quality=QualityCriterion(score="judge"),
    errors=ErrorsCriterion(),
    latency=LatencyCriterion(guard_only=(0.99,)),
    cost=CostCriterion(),
    safety=SafetyCriterion(harmful="harm"),
)


def law(criteria: Criteria, name: str, facts: Facts = NOTHING) -> Law:
    return next(law for law in laws_for(criteria, facts) if law.name == name)


def served(number: int, **shown: object) -> Observation:
    import msgspec

    return msgspec.structs.replace(row(number, Side.STABLE, 0.0), **shown)


def test_there_is_a_law_for_every_verdict_and_a_gate_for_every_gate() -> None:
    laws = laws_for(EVERYTHING, NOTHING)
    assert tuple(law.name for law in laws if law.is_gate) == gates_of(EVERYTHING)
    assert [law.name for law in laws if not law.is_gate] == ["latency p99"]


def test_a_criterion_without_a_source_has_no_law() -> None:
    assert laws_for(Criteria(quality=QualityCriterion(score=None)), NOTHING) == ()


@pytest.mark.parametrize(("p", "requests"), [(0.5, 591), (0.1, 2966)])
def test_without_any_error_the_errors_gate_passes_when_it_is_said_to(p: float, requests: int) -> None:
    """The law and the gate, to the request."""
    criterion = ErrorsCriterion(margin_points=2.0)
    found = law(Criteria(errors=criterion), "errors", NOTHING._replace(errors=Fact(0.0, observed=True))).passing(p)
    assert (found.n50, found.n80) == (requests, requests)
    for units, passes in ((requests - 1, False), (requests, True)):
        candidate = round(units * p)
        tallies = OutcomeTally(assigned=units - candidate), OutcomeTally(assigned=candidate)
        stratum = OutcomeStratum(p=p, stable=tallies[0], candidate=tallies[1])
        gate = ErrorsGate(criterion=criterion).add(OutcomeBlock(block=0, strata=(stratum,)), at=1.0)
        assert (gate.proven.passed_at is not None) is passes


def test_a_guardrail_can_trip_from_the_unit_that_is_foretold() -> None:
    found = law(Criteria(errors=ErrorsCriterion()), "errors", NOTHING._replace(errors=Fact(0.02, observed=True))).able(0.5)
    for units, able in ((found * 0.8, False), (found * 1.2, True)):
        half = int(units / 2)
        tally = OutcomeTally(assigned=half, errors=round(half * 0.02))
        block = OutcomeBlock(block=0, strata=(OutcomeStratum(p=0.5, stable=tally, candidate=tally),))
        gate = ErrorsGate(criterion=ErrorsCriterion()).add(block, at=1.0)
        assert (gate.power() >= POWER_WANTED) is able


@pytest.mark.parametrize("name", [law.name for law in laws_for(EVERYTHING, NOTHING)])
def test_an_even_split_decides_sooner_and_no_split_never(name: str) -> None:
    found = law(EVERYTHING, name)
    assert found.passing(0.5).n80 < found.passing(0.1).n80 < inf
    assert found.passing(0.01).n50 == inf
    assert 0 < found.able(0.5) < inf
    for regression in found.regressions:
        caught = regression.caught(0.5)
        assert regression.inside or caught.n50 <= caught.n80 < inf


def test_a_regression_inside_the_accepted_margin_is_said_to_be_accepted() -> None:
    wide = Criteria(quality=QualityCriterion(score="judge", margin=0.4), latency=LatencyCriterion(max_ratio=1.25))
    assert law(wide, "quality").regressions[0].inside
    assert law(wide, "quality").regressions[0].said == "0.3 lower"
    assert law(wide, "latency p95").regressions[0].inside
    assert not law(EVERYTHING, "quality").regressions[0].inside


def test_where_any_loss_trips_nothing_is_inside() -> None:
    any_loss = Criteria(quality=QualityCriterion(score="judge", margin=0.4, trip=TripRule.ANY))
    found = law(any_loss, "quality").regressions[0]
    assert not found.inside
    assert found.caught(0.5).n50 < 1000


def test_a_margin_of_nothing_is_never_proven() -> None:
    assert law(Criteria(quality=QualityCriterion(score="judge", margin=0.0)), "quality").passing(0.5).n50 == inf
    assert law(Criteria(latency=LatencyCriterion(max_ratio=1.0)), "latency p95").passing(0.5).n50 == inf


def test_thresholds_that_have_to_be_found_first_cost_their_requests() -> None:
    cold = law(EVERYTHING, "latency p95").passing(0.5)
    warm = law(EVERYTHING, "latency p95", NOTHING._replace(times_observed=True)).passing(0.5)
    assert cold.n50 - warm.n50 == pytest.approx(1000)


def test_latency_waits_for_as_many_blocks_as_are_declared() -> None:
    laws = laws_for(EVERYTHING, NOTHING, EvidenceRules(blocks_min=20))
    assert {law.blocks for law in laws if law.name.startswith("latency")} == {20}


def test_what_was_observed_is_used_and_said() -> None:
    quality = QualityCriterion(score="judge")
    rows = [
        (
            served(
                number,
                latency_ms=100.0 + number % 100,
                cost_usd=0.01 * (1 + number % 2),
                tokens=Tokens(prompt=10, completion=20),
                filtered=number % 100 == 0,
                served=None if number % 50 == 0 else "assigned",
            ),
            4.0 + number % 2,
        )
        for number in range(1000)
    ]
    found = facts_of(rows, quality=quality, harmful=[(one, 0.0) for one, _ in rows])
    assert (found.errors, found.filtered, found.harmful) == (Fact(0.02, True), Fact(0.01, True), Fact(0.0, True))
    assert found.times_observed
    assert 140 < (found.times.quantile(0.5) or 0) < 155
    assert found.money.value == pytest.approx(1 / 3, rel=0.01)
    assert found.input == Fact(0.0, True)
    assert found.score_observed
    assert found.score.mean == pytest.approx(0.98 * 0.875 + 0.02 * 0.0, abs=0.01)
    assert "2.00% errors, observed" in law(Criteria(errors=ErrorsCriterion()), "errors", found).basis


def test_too_few_requests_are_no_facts() -> None:
    rows = [(served(number, filtered=False), 5.0) for number in range(ROWS_MIN - 1)]
    found = facts_of(rows, quality=QualityCriterion(score="judge"))
    assert not any(fact.observed for fact in (found.errors, found.filtered, found.money))
    assert not found.times_observed
    assert not found.score_observed
    assert "assumed" in law(Criteria(quality=QualityCriterion(score="judge")), "quality", found).basis


def test_a_source_that_scores_a_fifth_is_warned_about() -> None:
    rows = [(served(number), 5.0 if number % 5 == 0 else None) for number in range(1000)]
    quality = QualityCriterion(score="judge")
    found = law(Criteria(quality=quality), "quality", facts_of(rows, quality=quality))
    assert "20% of the last day's answers have a score" in found.note


def test_times_that_are_none_are_left_out_of_the_facts() -> None:
    rows = [(served(number, latency_ms=float("nan") if number % 2 else 50.0), None) for number in range(2000)]
    found = facts_of(rows, quality=None)
    assert found.times.count == 1000


def test_facts_of_any_shape_give_laws_that_answer() -> None:
    flat = NOTHING._replace(times=histogram_of([5.0] * 600), times_observed=True, score=Spread(1.0, 0.0), errors=Fact(1.0, True))
    for one in laws_for(EVERYTHING, flat):
        for p in (0.05, 0.5, 0.95):
            assert one.passing(p).n50 > 0
            assert one.able(p) > 0
            assert all(regression.caught(p).n80 > 0 for regression in one.regressions)


@pytest.mark.parametrize("rate", [0.0001, 0.02])
def test_of_two_averaged_tests_either_has_to_reach_twice_the_threshold_alone(rate: float) -> None:
    """Rare events pass by points, frequent ones by their ratio."""
    found = law(Criteria(errors=ErrorsCriterion()), "errors", NOTHING._replace(errors=Fact(rate, observed=True))).passing(0.5)
    spread = Spread(1 - rate, (rate * (1 - rate)) ** 0.5)
    by_points = scores_needed(BetTest(0.5, 0.005, log(40), passing=True), stable=spread, candidate=spread)
    by_ratio = events_needed(EventTest(0.5, 1.5, log(40), above=False), Rates(rate, rate))
    assert found.n50 == pytest.approx(min(by_points.n50, by_ratio.n50))
    assert (by_points.n50 < by_ratio.n50) is (rate < 0.01)
