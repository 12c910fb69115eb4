"""What a file declares."""

import pytest

from changeover.gates.criteria import ErrorsCriterion, EvidenceRules, QualityCriterion, TripRule
from changeover.rollout.plan import AnalysisStep, WeightStep
from changeover.settings.file import parse
from changeover.settings.plans import CANARY_STEPS
from tests.unit.settings.files import SMALLEST, faults_of, with_account, with_section, with_steps, with_task


def test_the_smallest_file_is_enough() -> None:
    declared = parse(SMALLEST)
    account = declared.accounts["aoai"]
    assert (account.kind, account.endpoint, str(account.auth)) == (
        "azure-openai",
        "https://aoai.openai.azure.com",
        "env:AZURE_OPENAI_API_KEY",
    )
    assert str(declared.deployments["new"].model) == "gpt-4o 2024-11-20"
    assert (declared.deployments["new"].account, declared.deployments["new"].environment) == ("aoai", "prod")
    assert declared.tasks["email"].stable == "old"
    assert declared.evidence == EvidenceRules()


def test_the_presets_quality_without_a_source_is_left_out_with_a_warning() -> None:
    declared = parse(SMALLEST)
    criteria = declared.tasks["email"].criteria
    assert criteria.quality is None
    assert criteria.errors == ErrorsCriterion()
    assert criteria.left_out["quality"].startswith("no source")
    assert [warning for warning in declared.warnings if "tasks.email: quality is left out" in warning]


@pytest.mark.parametrize(
    ("account", "endpoint", "auth"),
    [
        ("{kind: openai}", "https://api.openai.com", "env:OPENAI_API_KEY"),
        ("{kind: openai-compatible, endpoint: http://127.0.0.1:8080/v1}", "http://127.0.0.1:8080/v1", "none"),
        ("{kind: openai-compatible, endpoint: 'http://[::1]:9'}", "http://[::1]:9", "none"),
        ("{kind: openai-compatible, endpoint: http://localhost:9, auth: {file: /run/key}}", "http://localhost:9", "file:/run/key"),
        ("{kind: azure-openai, endpoint: https://a.b, auth: {env: MY_KEY}}", "https://a.b", "env:MY_KEY"),
    ],
)
def test_accounts_know_where_their_key_is(account: str, endpoint: str, auth: str) -> None:
    found = parse(with_account(account)).accounts["aoai"]
    assert (found.endpoint, str(found.auth)) == (endpoint, auth)


@pytest.mark.parametrize("version", ["2024-11-20", '"2024-11-20"', "0613", "2.10", "1106-preview", "1e3"])
def test_a_version_is_the_text_that_was_written(version: str) -> None:
    text = SMALLEST.replace('"2024-11-20"', version)
    assert parse(text).deployments["new"].model.version == version.strip('"')


def test_names_for_everybody_and_for_dev() -> None:
    text = SMALLEST.replace('version: "2024-11-20"}', 'version: "2024-11-20", environment: dev}')
    assert parse(text).deployments["new"].environment == "dev"


def test_headers_are_sticky_in_lower_case_and_once() -> None:
    task = "{stable: old, sticky_by: [header:X-Conversation-Id, safety_identifier, user, user]}"
    assert parse(with_task(task)).tasks["email"].sticky_by == ("header:x-conversation-id", "safety_identifier", "user")


@pytest.mark.parametrize(
    ("preset", "margin", "trip"),
    [("strict", 0.05, TripRule.ANY), ("standard", 0.1, TripRule.MARGIN), ("cheaper-model", 0.4, TripRule.MARGIN)],
)
def test_presets_have_the_margins_of_a_scale_from_one_to_five(preset: str, margin: float, trip: TripRule) -> None:
    task = f"{{stable: old, criteria: {{preset: {preset}, quality: {{source: scores/rating}}}}}}"
    quality = parse(with_task(task)).tasks["email"].criteria.quality
    assert quality is not None
    assert (quality.score, quality.margin, quality.trip) == ("rating", pytest.approx(margin), trip)


def test_a_presets_margin_shrinks_with_the_scale_and_a_written_one_does_not() -> None:
    written = "{stable: old, criteria: {quality: {source: scores/rouge-l, scale: [0, 1]%s}}}"
    scaled = parse(with_task(written % "")).tasks["email"].criteria.quality
    assert scaled == QualityCriterion(score="rouge-l", scale_low=0.0, scale_high=1.0, margin=0.025)
    own = parse(with_task(written % ", margin: 0.02, trip: any")).tasks["email"].criteria.quality
    assert own == QualityCriterion(score="rouge-l", scale_low=0.0, scale_high=1.0, margin=0.02, trip=TripRule.ANY)


def test_the_nearer_criteria_win_field_by_field() -> None:
    everywhere = "criteria: {quality: {source: scores/rating, scale: [0, 10], margin: 0.5}, errors: {max_ratio: 2, margin_pp: 1}}\n"
    own_field = parse(with_task("{stable: old, criteria: {errors: {margin_pp: 3}}}") + everywhere).tasks["email"].criteria
    assert own_field.errors == ErrorsCriterion(max_ratio=2.0, margin_points=3.0)
    assert own_field.quality is not None
    assert own_field.quality.margin == 0.5
    own_preset = parse(with_task("{stable: old, criteria: {preset: strict}}") + everywhere).tasks["email"].criteria
    assert own_preset.quality == QualityCriterion(score="rating", scale_low=0.0, scale_high=10.0, margin=0.125, trip=TripRule.ANY)
    assert own_preset.errors == ErrorsCriterion()


def test_evidence_rules_are_durations() -> None:
    text = with_section("evidence: {block: 500ms, min_blocks: 2, score_timeout: {client: 1.5m}}\n")
    assert parse(text).evidence == EvidenceRules(block_s=0.5, blocks_min=2, score_timeout_s=90.0)


def test_a_score_may_be_waited_for_no_time_at_all() -> None:
    assert parse(with_section("evidence: {score_timeout: {client: 0s}}\n")).evidence.score_timeout_s == 0.0


def test_a_rollout_is_a_plan_with_its_tasks_criteria() -> None:
    early = "{weight: 12.5}, {analysis: {require: no_harm, min_duration: 24h}}"
    late = "{weight: 50}, {analysis: {require: pass, max_duration: 7d}}, {weight: 100}"
    declared = parse(with_steps(f"[{early}, {late}]"))
    plan = declared.rollouts["up"].plan
    assert plan.steps == (
        WeightStep(permille=125),
        AnalysisStep(require="no_harm", duration_min_s=86400.0),
        WeightStep(permille=500),
        AnalysisStep(require="pass", duration_max_s=604800.0),
        WeightStep(permille=1000),
    )
    assert (plan.criteria, plan.evidence) == (declared.tasks["email"].criteria, declared.evidence)


def test_a_rollout_without_steps_takes_the_canarys() -> None:
    text = with_section("rollouts: {up: {task: email, candidate: new, strategy: canary, bake: {duration: 0s, holdback: 0}}}\n")
    assert parse(text).rollouts["up"].plan.steps == CANARY_STEPS


def test_a_weight_that_proves_little_is_warned_of() -> None:
    steps = "[{weight: 1}, {analysis: {require: pass}}, {weight: 100}]"
    assert (
        "rollouts.up.steps[0].weight: 1 % serves traffic but proves little; comparisons use 5 % to 95 %"
        in parse(with_steps(steps)).warnings
    )


def test_a_section_whose_entries_are_all_commented_out_is_none() -> None:
    assert parse(with_section("rollouts:\n  # up: {}\n")).rollouts == {}


def test_anchors_may_be_used() -> None:
    text = (
        SMALLEST.replace('{model: gpt-4o, version: "2024-05-13"}', '&d {model: gpt-4o, version: "2024-05-13"}')
        + "gateway: {unrouted: refuse}\n"
    )
    assert parse(text.replace('{model: gpt-4o, version: "2024-11-20"}', "*d")).deployments["new"].model.version == "2024-05-13"


def test_a_file_without_faults_has_none() -> None:
    assert faults_of(SMALLEST) == {}
