"""Which plan a rollout follows."""

import msgspec
import pytest

from changeover.gates.streams import gates_of
from changeover.settings.declared import SettingsError
from changeover.settings.file import parse
from changeover.settings.plans import CANARY_STEPS, UnsourcedError, plan_for, task_states
from tests.unit.settings.files import SMALLEST, with_section, with_task

SOURCED = with_task("{stable: old, criteria: {quality: {source: scores/rating}, accuracy: {source: none}}}")
TRAFFIC_GATES = gates_of(msgspec.structs.replace(parse(SOURCED).tasks["email"].criteria, quality=None))
DECLARED = "rollouts: {up: {task: email, candidate: new, steps: [{weight: 50}, {analysis: {require: pass}}, {weight: 100}]}}\n"


def test_a_pair_that_the_file_declares_follows_the_file() -> None:
    name, plan = plan_for(parse(SOURCED + DECLARED), task="email", candidate="new")
    assert (name, [step.permille for step in plan.weights]) == ("up", [500, 1000])
    assert plan.gates == ("quality", *TRAFFIC_GATES)


def test_any_other_pair_takes_the_canarys_steps_with_the_files_rules() -> None:
    declared = parse(SOURCED + "evidence: {block: 2s, min_blocks: 3}\n")
    name, plan = plan_for(declared, task="email", candidate="new")
    assert (name, plan.steps) == (None, CANARY_STEPS)
    assert (plan.criteria, plan.evidence) == (declared.tasks["email"].criteria, declared.evidence)


@pytest.mark.parametrize("text", [SMALLEST, with_section(DECLARED)], ids=["default", "declared"])
def test_a_criterion_without_a_source_is_asked_about_and_the_answer_is_recorded(text: str) -> None:
    declared = parse(text)
    with pytest.raises(UnsourcedError) as caught:
        plan_for(declared, task="email", candidate="new")
    assert caught.value.names == ("quality", "accuracy")
    assert "--without quality" in str(caught.value)
    _, plan = plan_for(declared, task="email", candidate="new", without=["quality", "accuracy"])
    assert plan.gates == TRAFFIC_GATES
    assert plan.criteria.left_out["quality"].endswith("accepted for this rollout")


@pytest.mark.parametrize("without", [["errors"], ["quality"], ["nonsense"]])
def test_a_criterion_with_a_source_cannot_be_left_out(without: list[str]) -> None:
    with pytest.raises(SettingsError, match="not without a source"):
        plan_for(parse(SOURCED), task="email", candidate="new", without=without)


def test_unknown_names_are_all_named_with_a_guess() -> None:
    with pytest.raises(SettingsError) as caught:
        plan_for(parse(SOURCED), task="emial", candidate="nwe")
    assert [fault.path for fault in caught.value.faults] == ["tasks", "deployments"]
    assert "did you mean email?" in str(caught.value)


def test_whether_the_candidate_is_the_stable_is_for_the_store_to_say() -> None:
    assert plan_for(parse(SOURCED), task="email", candidate="old")[0] is None


def test_tasks_go_into_an_empty_store_as_declared() -> None:
    (state,) = task_states(parse(with_task("{stable: old, sticky_by: [user]}")))
    assert (state.name, state.stable, state.sticky_by, state.attempts) == ("email", "old", ("user",), 0)
