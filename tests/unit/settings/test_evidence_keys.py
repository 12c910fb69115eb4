"""What a file may say about evidence: time-outs by source, where the tests are sharpest, slices, and where deployments run."""

import msgspec
import pytest

from changeover.gates.criteria import EvidenceRules, QualityCriterion, ScoreSource
from changeover.rollout.plan import Plan
from changeover.rollout.world import Change, RolloutStarted, World, apply, routing_table
from changeover.settings.differences import differences
from changeover.settings.file import parse
from changeover.settings.plans import CANARY_STEPS, seeded
from tests.unit.rollout.builders import T0, rollout
from tests.unit.settings.files import SMALLEST, faults_of, with_section


def with_task(task: str) -> str:
    return SMALLEST.replace("{stable: old}", task)


def test_each_source_of_scores_is_waited_for_in_its_own_time() -> None:
    text = with_section("evidence: {score_timeout: {client: 2m, judge: 15m, human: 3d}, n_star: 4000, n_star_users: 300}\n")
    rules = parse(text).evidence
    assert [rules.timeout_s(source) for source in (ScoreSource.CLIENT, ScoreSource.JUDGE, ScoreSource.HUMAN)] == [120, 900, 3 * 86_400]
    assert (rules.n_star, rules.n_star_users) == (4000, 300)
    assert [EvidenceRules().timeout_s(source) for source in ScoreSource] == [60, 600, 7 * 86_400]


def test_a_persons_scores_are_a_source_of_quality_and_of_harm() -> None:
    criteria = "{quality: {source: human/rating}, safety: {harmful: {source: human/harm}}, accuracy: {source: none}}"
    found = parse(with_task(f"{{stable: old, criteria: {criteria}}}")).tasks["email"].criteria
    assert found.quality is not None
    assert found.safety is not None
    assert (found.quality.score, found.quality.source) == ("rating", ScoreSource.HUMAN)
    assert (found.safety.harmful, found.safety.harmful_source) == ("harm", ScoreSource.HUMAN)
    assert QualityCriterion().source is ScoreSource.CLIENT


@pytest.mark.parametrize("value", ["0", "99", "1.5", "many", "true"])
def test_where_the_tests_are_sharpest_is_a_number_of_requests(value: str) -> None:
    assert "evidence.n_star" in faults_of(with_section(f"evidence: {{n_star: {value}}}\n"))


def test_a_tasks_slices_are_read_from_headers_and_metadata_and_reach_the_data_planes() -> None:
    declared = parse(with_task("{stable: old, slice_by: [header:X-Language, metadata:tenant, header:x-language]}"))
    assert declared.tasks["email"].slice_by == ("header:x-language", "metadata:tenant")
    world = apply(World(), Change(revision=1, at=T0, actor="t", reason="first", body=seeded(declared)))
    assert routing_table(world).routes["email"].slice_by == ("header:x-language", "metadata:tenant")
    assert differences(world, declared) == []
    assert differences(world, parse(SMALLEST)) == ["task email: slice_by is declared otherwise than stored"]


@pytest.mark.parametrize("source", ["language", "header:", "metadata:", "metadata:a b", "user"])
def test_any_other_source_of_slices_is_refused(source: str) -> None:
    fault = faults_of(with_task(f'{{stable: old, slice_by: ["{source}"]}}'))["tasks.email.slice_by[0]"]
    assert "header:NAME or metadata:KEY" in fault.expected


def test_check_warns_where_a_declared_rollout_compares_more_than_versions() -> None:
    text = (
        SMALLEST.replace(
            'version: "2024-05-13"}', 'version: "2024-05-13", sku: Standard, region: swedencentral, content_filter: strict}'
        ).replace('version: "2024-11-20"}', 'version: "2024-11-20", sku: GlobalStandard, region: swedencentral, content_filter: lax}')
        + "rollouts: {up: {task: email, candidate: new}}\n"
    )
    found = [warning for warning in parse(text).warnings if warning.startswith("rollouts.up: the sides differ")]
    assert [warning.split(": ")[1] for warning in found] == ["the sides differ in SKU", "the sides differ in content-filter policy"]
    assert parse(text).deployments["old"].region == "swedencentral"


def test_a_file_whose_criteria_change_says_which_running_rollout_keeps_its_own() -> None:
    declared = parse(SMALLEST)
    plan = Plan(steps=CANARY_STEPS, criteria=declared.tasks["email"].criteria, evidence=declared.evidence)
    accepted = msgspec.structs.replace(plan.criteria, left_out={"quality": "accepted"})
    running = msgspec.structs.replace(rollout(msgspec.structs.replace(plan, criteria=accepted)), task="email")
    world = apply(World(), Change(revision=1, at=T0, actor="t", reason="first", body=seeded(declared)))
    world = apply(world, Change(revision=2, at=T0, actor="t", reason="go", body=RolloutStarted(rollout=running)))
    assert differences(world, declared) == []
    stricter = parse(with_section("criteria: {errors: {margin_pp: 0.1}}\n"))
    assert differences(world, stricter) == [
        "task email: criteria or rules of evidence are declared otherwise than stored",
        "rollout r1: it keeps the criteria and rules it was started with; a new attempt takes the file's",
    ]
    assert "keeps the criteria" in differences(world, parse(with_section("evidence: {min_blocks: 3}\n")))[-1]
