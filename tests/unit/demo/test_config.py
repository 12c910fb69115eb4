"""The packaged file is one that the product takes, and says what the story needs."""

from pathlib import Path

from changeover.demo.performance import KEY_ENV, evidence_words, write_config
from changeover.demo.story import MODEL_OF, NEWEST, SHORTER, STABLE, TASK
from changeover.gates.criteria import ErrorsCriterion, QualityCriterion
from changeover.rollout.plan import AnalysisStep, WeightStep
from changeover.settings.declared import Declared
from changeover.settings.file import parse

ENDPOINT = "http://127.0.0.1:12345"


def declared(folder: Path) -> Declared:
    return parse(write_config(folder, endpoint=ENDPOINT).read_text())


def test_the_stage_is_the_one_account_and_its_key_is_only_named(tmp_path: Path) -> None:
    (account,) = declared(tmp_path).accounts.values()
    assert (account.kind, account.endpoint, str(account.auth)) == ("azure-openai", ENDPOINT, f"env:{KEY_ENV}")


def test_deployments_are_the_versions_that_the_stage_serves(tmp_path: Path) -> None:
    found = {deployment.name: deployment.model.served_name for deployment in declared(tmp_path).deployments.values()}
    assert found == MODEL_OF


def test_the_task_is_judged_by_the_declared_criteria(tmp_path: Path) -> None:
    task = declared(tmp_path).tasks[TASK]
    assert task.stable == STABLE
    assert task.criteria.quality == QualityCriterion(score="rouge-l", scale_low=0.0, scale_high=1.0, margin=0.02)
    assert task.criteria.errors == ErrorsCriterion(max_ratio=1.5, margin_points=2.0)


def test_both_candidates_go_the_same_way(tmp_path: Path) -> None:
    rollouts = {rollout.candidate: rollout.plan.steps for rollout in declared(tmp_path).rollouts.values()}
    assert set(rollouts) == {SHORTER, NEWEST}
    for steps in rollouts.values():
        assert all(isinstance(step, WeightStep | AnalysisStep) for step in steps)
        said = [
            step.permille if isinstance(step, WeightStep) else step.require for step in steps if isinstance(step, WeightStep | AnalysisStep)
        ]
        assert said == [100, "no_harm", 500, "pass", 1000]
        assert all(step.duration_max_s is None for step in steps if isinstance(step, AnalysisStep))


def test_blocks_of_seconds_come_from_the_file_and_are_said(tmp_path: Path) -> None:
    rules = declared(tmp_path).evidence
    assert rules.block_s < 10
    said = evidence_words(tmp_path / "changeover.yaml")
    assert f"blocks of {rules.block_s:g} s" in said
    assert "a real task uses blocks of 30 minutes" in said
