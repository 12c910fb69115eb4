"""How long a plan takes: its steps walked through, its deadlines held against the traffic, and the ways out."""

from functools import cache
from math import inf

import msgspec
import pytest

from changeover.evidence.arrivals import Arrivals, declared_arrivals
from changeover.evidence.planner import NEVER, Need
from changeover.gates.criteria import (
    CostCriterion,
    Criteria,
    ErrorsCriterion,
    EvidenceRules,
    LatencyCriterion,
    QualityCriterion,
    SafetyCriterion,
)
from changeover.gates.facts import facts_of
from changeover.gates.forecast import Law, LawBook, Regression
from changeover.rollout.adjustment import Adjustment, adjusted, evened
from changeover.rollout.forecast import PlanForecast, forecast_plan
from changeover.rollout.forecast_words import duration, hopeless_reasons, regression_sentences, sentence, spanned, units
from changeover.rollout.plan import AnalysisStep, Plan, Step, WeightStep
from changeover.rollout.plan_rules import plan_faults
from changeover.rollout.refusal import Refusal
from changeover.rollout.ways_out import Adjusting, start_command, way_lines, ways_out
from changeover.settings.plans import CANARY_STEPS

DAY = 86_400.0
FACTS = facts_of([], quality=None)
RULES = EvidenceRules(block_s=1800.0, blocks_min=12)
ALL = Criteria(
    quality=QualityCriterion(score="judge"),
    errors=ErrorsCriterion(),
    latency=LatencyCriterion(),
    cost=CostCriterion(),
    safety=SafetyCriterion(),
)

BOOK = LawBook(FACTS, RULES)


def simple(name: str, need: dict[float, float], *, able: float = 100.0, is_gate: bool = True, blocks: int = 0) -> Law:
    def passing(p: float) -> Need:
        return Need(need[p], 2 * need[p]) if p in need else NEVER

    return Law(
        name=name,
        margin="some",
        basis="known",
        passing=passing,
        able=lambda _: able,
        regressions=(Regression("worse", passing),),
        is_gate=is_gate,
        blocks=blocks,
    )


def plan(*steps: Step, criteria: Criteria = ALL, rules: EvidenceRules = RULES) -> Plan:
    return Plan(steps=steps or CANARY_STEPS, criteria=criteria, evidence=rules)


def a_day(count: float) -> Arrivals:
    return declared_arrivals(count)


def test_a_step_waits_for_its_slowest_gate_and_evidence_is_carried_on() -> None:
    """1,000 units at 10 % are half of what a pass needs there, so half of what it needs at 50 % is left."""
    laws = [simple("slow", {0.1: 2000, 0.5: 800}, able=1000), simple("quick", {0.1: 10, 0.5: 10}, able=10)]
    found = forecast_plan(plan(), laws, a_day(1000))
    harmless, proving = found.steps
    assert (harmless.estimate.n50, harmless.estimate.days50, harmless.slowest) == (1000, 1.0, "slow")
    assert proving.estimate.n50 == pytest.approx(400)
    assert proving.estimate.days50 == pytest.approx(0.4)
    slow = found.criteria[0]
    assert slow.along.n50 == pytest.approx(1400)
    assert slow.along.days50 == pytest.approx(1.4)
    assert found.total.days50 == pytest.approx(1.4)
    assert found.bottleneck == "slow"


def test_no_harm_goes_on_when_a_gate_has_passed_or_could_have_tripped() -> None:
    laws = [simple("passes first", {0.1: 300, 0.5: 100}, able=9999), simple("is able first", {0.1: 9999, 0.5: 100}, able=400)]
    assert forecast_plan(plan(), laws, a_day(1000)).steps[0].estimate.n50 == 400


def test_a_step_lasts_at_least_its_dwell_and_what_comes_meanwhile_counts() -> None:
    laws = [simple("quick", {0.1: 2000, 0.5: 100}, able=10)]
    steps = (WeightStep(permille=100), AnalysisStep(require="no_harm", duration_min_s=2 * DAY), *CANARY_STEPS[2:])
    found = forecast_plan(plan(*steps), laws, a_day(1000))
    assert (found.steps[0].estimate.days50, found.steps[0].slowest) == (2.0, "dwell")
    assert found.criteria[0].along.n50 == pytest.approx(2000)
    assert found.steps[1].estimate.days50 == pytest.approx(0.25)


def test_a_test_that_looks_at_blocks_waits_for_them() -> None:
    laws = [simple("latency p50", {0.1: 10, 0.5: 10}, able=10, blocks=48)]
    found = forecast_plan(plan(), laws, a_day(1000))
    assert found.criteria[0].along.days50 == 1.0
    assert found.total.days50 == pytest.approx(1.0)


def test_units_that_are_new_only_once_run_out() -> None:
    laws = [simple("slow", {0.1: 9000, 0.5: 3000}, able=100)]
    found = forecast_plan(plan(), laws, Arrivals(first_day=1000, later=0, basis=""))
    assert [step.late for step in found.steps] == [False, True]
    assert "no number of requests" in hopeless_reasons(found, task="email")[0]


def test_a_deadline_before_four_fifths_are_through_is_late() -> None:
    laws = [simple("slow", {0.1: 9000, 0.5: 3000}, able=100)]
    for days, late in ((5, True), (7, False)):
        steps = (*CANARY_STEPS[:3], AnalysisStep(require="pass", duration_max_s=days * DAY), CANARY_STEPS[4])
        found = forecast_plan(plan(*steps), laws, a_day(1000))
        assert [step.late for step in found.steps] == [False, late]
        assert bool(hopeless_reasons(found, task="email")) is late


def test_a_harmless_step_with_a_deadline_may_be_late_too() -> None:
    laws = [simple("blind", {0.1: 90_000, 0.5: 3000}, able=5000)]
    steps = (CANARY_STEPS[0], AnalysisStep(require="no_harm", duration_max_s=DAY), *CANARY_STEPS[2:])
    assert forecast_plan(plan(*steps), laws, a_day(1000)).steps[0].late


def test_without_traffic_there_are_requests_and_no_days() -> None:
    found = forecast_plan(plan(), BOOK.laws(ALL), None)
    assert found.total.n80 is not None
    assert found.total.days80 is None
    assert not found.late
    assert not hopeless_reasons(found, task="email")
    assert "requests" in sentence(found, candidate="new", stable="old")


def test_without_traffic_a_deadline_cannot_be_judged() -> None:
    steps = (*CANARY_STEPS[:3], AnalysisStep(require="pass", duration_max_s=7 * DAY), CANARY_STEPS[4])
    found = forecast_plan(plan(*steps), BOOK.laws(ALL), None)
    assert found.unknown
    assert "too little traffic of email" in hopeless_reasons(found, task="email")[0]
    (way,) = ways_out(Adjusting(task="email", candidate="new"), plan(*steps), found, FACTS, lambda _: found)
    assert "--requests-per-day 50000" in way.command


def test_a_margin_of_nothing_never_ends_whatever_the_traffic() -> None:
    criteria = Criteria(quality=QualityCriterion(score="judge", margin=0.0))
    for arrivals in (None, a_day(1e6)):
        found = forecast_plan(plan(criteria=criteria), BOOK.laws(criteria), arrivals)
        assert found.steps[1].late
        assert found.total.n80 is None
        assert "is not expected to end" in sentence(found, candidate="new", stable="old")


def test_a_guardrail_holds_no_step_up() -> None:
    laws = [simple("gate", {0.1: 10, 0.5: 10}), simple("guard", {0.1: 1e6, 0.5: 1e6}, able=1e6, is_gate=False)]
    found = forecast_plan(plan(), laws, a_day(1000))
    assert found.total.n50 is not None
    assert found.total.n50 < 1000
    assert [one.gate for one in found.criteria] == [True, False]
    assert found.bottleneck == "gate"


def test_a_regression_is_said_once_by_whoever_sees_it_first() -> None:
    found = forecast_plan(plan(), BOOK.laws(ALL), a_day(10_000))
    said = regression_sentences(found)
    assert sum(text.startswith("latency 20 % slower") for text in said) == 1
    assert any(text.startswith("quality 0.3 lower: caught at 10 %") for text in said)


@pytest.mark.parametrize(
    ("days", "said"), [(None, "never"), (1.0, "1 day"), (5.25, "5.25 days"), (0.5, "12 hours"), (0.05, "72 minutes"), (0.0005, "43 s")]
)
def test_a_duration_is_said_in_its_largest_unit(days: float | None, said: str) -> None:
    assert duration(days) == said


def test_numbers_are_said_no_finer_than_they_are_known() -> None:
    assert [units(value) for value in (None, 591, 5935, 142_261.4)] == ["never", "600", "6,000", "142,300"]
    assert spanned("2 days", "6 days") == "2 to 6 days"
    assert spanned("12 hours", "2 days") == "12 hours to 2 days"
    assert spanned("never", "never") == "never"


def test_an_even_beginning_drops_the_smaller_weights() -> None:
    assert evened(CANARY_STEPS) == CANARY_STEPS[2:]
    only_tenth = (WeightStep(permille=100), AnalysisStep(require="pass"), WeightStep(permille=1000))
    assert evened(only_tenth) == (WeightStep(permille=500), AnalysisStep(require="pass"), WeightStep(permille=1000))
    for steps in (evened(CANARY_STEPS), evened(only_tenth)):
        assert not plan_faults(plan(*steps))
        assert evened(steps) == steps


def test_a_plan_is_adjusted_as_wanted() -> None:
    margins = {
        "quality": 0.3,
        "errors": 2.0,
        "latency": 1.2,
        "cost": 1.3,
        "input-tokens": 1.4,
        "output-tokens": 1.5,
        "safety": 0.7,
    }
    found = adjusted(plan(), Adjustment(even=True, guard_only=("p99",), margins=margins))
    criteria = found.criteria
    assert (criteria.quality and criteria.quality.margin, criteria.errors and criteria.errors.margin_points) == (0.3, 2.0)
    assert criteria.latency == LatencyCriterion(max_ratio=1.2, guard_only=(0.99,))
    assert criteria.cost == CostCriterion(max_ratio=1.3, input_ratio=1.4, output_ratio=1.5)
    assert criteria.safety == SafetyCriterion(margin_points=0.7)
    assert found.steps == CANARY_STEPS[2:]
    assert "latency p99" not in found.gates


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Adjustment(margins={"beauty": 1}), "found a margin for 'beauty', expected one of quality"),
        (Adjustment(margins={"errors": 1}), "which this rollout does not ask"),
        (Adjustment(margins={"quality": 9}), "cannot be tested"),
        (Adjustment(margins={"latency": float("nan")}), "cannot be tested"),
        (Adjustment(guard_only=("p42",)), "found guard-only p42; expected quantiles of p50, p95, p99"),
    ],
)
def test_an_adjustment_that_means_nothing_is_refused(wanted: Adjustment, words: str) -> None:
    asked = Criteria(quality=QualityCriterion(score="judge"), latency=LatencyCriterion())
    with pytest.raises(Refusal, match=words):
        adjusted(plan(criteria=asked), wanted)


def test_guarding_a_latency_that_is_not_asked_is_refused() -> None:
    with pytest.raises(Refusal, match="latency is not asked"):
        adjusted(plan(criteria=Criteria(errors=ErrorsCriterion())), Adjustment(guard_only=("p99",)))


STEPS = (*CANARY_STEPS[:3], AnalysisStep(require="pass", duration_max_s=4 * DAY), CANARY_STEPS[4])
START = Adjusting(task="email", candidate="new", without=("accuracy",), requests_per_day=5000.0)


@cache
def foreseen(per_day: float) -> tuple[Plan, PlanForecast]:
    asked = plan(*STEPS)
    return asked, forecast_plan(asked, BOOK.laws(ALL), a_day(per_day))


def test_every_way_out_comes_with_its_command_and_what_it_would_take() -> None:
    asked, found = foreseen(5000.0)
    assert found.late
    ways = ways_out(START, asked, found, FACTS, lambda other: forecast_plan(other, BOOK.laws(other.criteria), a_day(5000.0)))
    paired, even, guard, wider = ways
    assert paired.command == ""
    assert "both versions answer the same" in paired.what
    assert "--even" in even.command
    assert "--guard-only p99" in guard.command
    assert "--margin latency=" in wider.command
    assert wider.in_time
    assert all(f"{name} up to" in wider.what for name in ("p50", "p95", "p99"))
    for way in (even, guard, wider):
        assert way.command.startswith("changeover rollout start email --to new --without accuracy --requests-per-day 5000")
    assert any("decides in time" in line for line in way_lines(ways))


def test_a_way_that_was_taken_is_not_offered_again() -> None:
    taken = msgspec.structs.replace(START, adjustment=Adjustment(even=True, guard_only=("p99",)))
    asked = adjusted(plan(*STEPS), taken.adjustment)

    def again(other: Plan) -> PlanForecast:
        return forecast_plan(other, BOOK.laws(other.criteria), a_day(500.0))

    ways = ways_out(taken, asked, again(asked), FACTS, again)
    assert not any(way.what.startswith("50:50") for way in ways)
    assert all("--even --guard-only p99" in way.command for way in ways if "a wider margin" in way.what)


def test_names_that_a_shell_would_read_are_quoted() -> None:
    assert start_command(Adjusting(task="e mail", candidate="a;b")) == "changeover rollout start 'e mail' --to 'a;b'"


@pytest.mark.parametrize("per_day", [1.0, 100.0, 5000.0, 1e7])
def test_more_traffic_only_makes_it_sooner(per_day: float) -> None:
    laws = BOOK.laws(ALL)
    less, more = (forecast_plan(plan(), laws, a_day(count)).total for count in (per_day, 2 * per_day))
    assert (more.days80 or inf) <= (less.days80 or inf)
    assert (less.n50 or inf) <= (less.n80 or inf) * 1.0001
