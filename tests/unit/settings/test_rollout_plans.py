"""What a file says of a rollout beside its weights: bake, retention, deadline, approvals and pauses."""

import msgspec
import pytest

from changeover.rollout.commands import take_over
from changeover.rollout.plan import NO_BAKE, AnalysisStep, ApproveStep, Bake, Deadline, PauseStep, Plan, Step
from changeover.rollout.world import World, apply
from changeover.settings.dates import date_text, day_at
from changeover.settings.file import parse
from changeover.settings.in_force import in_force
from changeover.settings.plans import plan_for, seeded, terms_of
from changeover.settings.strategies import STRATEGIES, engine_faults, steps_of
from changeover.settings.written_file import file_text
from tests.unit.rollout.builders import change_of
from tests.unit.settings.files import faults_of, with_section, with_steps

STEPS = (
    "[{weight: 10}, {analysis: {require: no_harm}}, {pause: {}}, {weight: 50}, "
    "{analysis: {require: pass, max_duration: 7d, on_undecided: rollback}}, {approve: {roles: [owner, operator]}}, "
    "{pause: {duration: 4h}}, {weight: 100}]"
)
MORE = "bake: {duration: 7d, holdback: 5}, retain_old: 14d, deadline: {date: 2026-12-09, retires: stable, reason: gone}"
WHOLE = with_section(f"rollouts: {{up: {{task: email, candidate: new, steps: {STEPS}, {MORE}}}}}\n")


def _plan(text: str) -> Plan:
    return parse(text).rollouts["up"].plan


def test_everything_beside_the_weights_is_read() -> None:
    plan = _plan(WHOLE)
    assert plan.bake == Bake(duration_s=7 * 86_400.0, holdback_permille=50)
    assert plan.retain_s == 14 * 86_400.0
    assert plan.deadline == Deadline(at=1_796_774_400.0, retires="stable", reason="gone")
    kinds: list[Step] = [step for step in plan.steps if isinstance(step, ApproveStep | PauseStep)]
    assert kinds == [PauseStep(), ApproveStep(roles=("owner", "operator")), PauseStep(duration_s=14_400.0)]
    assert [step.on_undecided for step in plan.steps if isinstance(step, AnalysisStep)] == ["pause", "rollback"]
    assert plan.served_permille(len(plan.steps) - 1) == 950


def test_without_a_word_promotion_comes_with_the_last_weight_and_the_old_version_is_kept() -> None:
    plan = _plan(with_section("rollouts: {up: {task: email, candidate: new}}\n"))
    assert (plan.bake, plan.retain_s, plan.deadline, plan.strategy) == (NO_BAKE, None, None, "canary")


def test_it_is_written_as_it_is_read_and_lives_in_the_store() -> None:
    declared = parse(WHOLE)
    assert parse(file_text(declared)).rollouts["up"].plan == declared.rollouts["up"].plan
    world = apply(World(), change_of(World(), take_over(World(), seeded(declared), actor="serve", reason="first")))
    assert in_force(world, terms_of(declared)).rollouts["up"].plan == declared.rollouts["up"].plan


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ("bake: {duration: 0s, holdback: 5}", "rollouts.up.bake"),
        ("bake: {holdback: 5}", "rollouts.up.bake.duration"),
        ("bake: {duration: 7d, holdback: 51}", "rollouts.up.bake.holdback"),
        ("bake: {duration: 7d, holdback: 5.25}", "rollouts.up.bake.holdback"),
        ("bake: {duration: 7d, holdback: 50}", "rollouts.up.steps[4]"),
        ("retain_old: 14", "rollouts.up.retain_old"),
        ("deadline: {date: 9 December}", "rollouts.up.deadline.date"),
        ("deadline: {date: 2026-02-30}", "rollouts.up.deadline.date"),
        ("deadline: {retires: stable}", "rollouts.up.deadline.date"),
        ("deadline: {date: 2026-12-09, retires: both}", "rollouts.up.deadline.retires"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(entry: str, path: str) -> None:
    assert path in faults_of(with_section(f"rollouts: {{up: {{task: email, candidate: new, {entry}}}}}\n"))


def test_every_strategy_has_its_steps_and_those_without_an_engine_are_named() -> None:
    plan = _plan(with_steps("[{weight: 50}, {analysis: {require: pass}}, {weight: 100}]"))
    assert engine_faults(plan) == ()
    for strategy in STRATEGIES:
        found = engine_faults(msgspec.structs.replace(plan, strategy=strategy, steps=steps_of(strategy)))
        assert found == (() if strategy == "canary" else ("step 1: verify is not in this version",))


def test_a_strategy_takes_its_own_steps_in_place_of_the_declared_ones() -> None:
    declared = parse(WHOLE)
    without = tuple(declared.tasks["email"].criteria.left_out)
    name, plan = plan_for(declared, task="email", candidate="new", without=without, strategy="canary")
    assert (name, plan.steps) == ("up", steps_of("canary"))
    assert plan.bake == declared.rollouts["up"].plan.bake


@pytest.mark.parametrize("text", ["2026-12-09", "2026-12-09T08:00Z", "2026-12-09T08:00:30Z"])
def test_dates_are_utc_and_written_as_short_as_they_can_be(text: str) -> None:
    at = day_at(text)
    assert at is not None
    assert date_text(at) == text


@pytest.mark.parametrize("text", ["", "2026", "2026-13-01", "2026-12-09T08:00", "2026-12-09T25:00Z", "tomorrow"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert day_at(text) is None
