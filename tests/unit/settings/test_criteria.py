"""What a task's criteria come to: presets, overrides for all tasks and for one, and what has no source."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from changeover.gates.criteria import (
    CostCriterion,
    Criteria,
    ErrorsCriterion,
    LatencyCriterion,
    QualityCriterion,
    SafetyCriterion,
    TripRule,
)
from changeover.settings.declared import Declared, SettingsError
from changeover.settings.example import example_text
from changeover.settings.file import parse
from changeover.settings.plans import UnsourcedError, plan_for
from changeover.settings.schema import json_schema

HEAD = """\
version: 1
accounts: {acc: {kind: azure-openai, endpoint: https://acc.openai.azure.com}}
deployments:
  old: {model: gpt-4o, version: "2024-05-13"}
  new: {model: gpt-4o, version: "2024-11-20"}
"""
LATENCY = LatencyCriterion(quantiles=(0.5, 0.95, 0.99), max_ratio=1.1, guard_only=(), trip=TripRule.MARGIN)
COST = CostCriterion(max_ratio=1.1, input_ratio=1.1, output_ratio=1.25, trip=TripRule.MARGIN)
SAFETY = SafetyCriterion(max_ratio=1.5, margin_points=0.2, harmful=None, trip=TripRule.ANY)
STANDARD = Criteria(errors=ErrorsCriterion(max_ratio=1.5, margin_points=0.5, trip=TripRule.ANY), latency=LATENCY, cost=COST, safety=SAFETY)
QUALITY = "quality: {source: scores/rating}"


def about(value: float) -> Any:
    """For comparing whole criteria whose margin was computed."""
    return pytest.approx(value)


@dataclass(frozen=True)
class File:
    """What is written under the task's criteria, and under those of all tasks."""

    here: str = ""
    everywhere: str = ""

    @property
    def text(self) -> str:
        task = f"{{stable: old, criteria: {{{self.here}}}}}" if self.here else "{stable: old}"
        return f"{HEAD}tasks: {{mail: {task}}}\n" + (f"criteria: {{{self.everywhere}}}\n" if self.everywhere else "")

    @property
    def declared(self) -> Declared:
        return parse(self.text)

    @property
    def criteria(self) -> Criteria:
        return self.declared.tasks["mail"].criteria

    @property
    def faults(self) -> dict[str, str]:
        with pytest.raises(SettingsError) as caught:
            parse(self.text)
        return {fault.path: str(fault) for fault in caught.value.faults}


def test_a_file_that_says_nothing_asks_for_all_that_traffic_itself_can_answer():
    found = File().criteria
    assert msgspec.structs.replace(found, left_out={}) == STANDARD
    assert set(found.left_out) == {"quality", "accuracy"}


@pytest.mark.parametrize(
    ("preset", "margin", "trip"),
    [("strict", 0.05, TripRule.ANY), ("standard", 0.1, TripRule.MARGIN), ("cheaper-model", 0.4, TripRule.MARGIN)],
)
def test_presets_differ_in_the_accepted_loss_of_quality(preset: str, margin: float, trip: TripRule):
    found = File(f"preset: {preset}, {QUALITY}").criteria
    assert found.quality == QualityCriterion(score="rating", scale_low=1, scale_high=5, margin=about(margin), trip=trip)
    assert msgspec.structs.replace(found, quality=None, left_out={}) == STANDARD


def test_a_presets_margin_follows_the_scale():
    found = File("preset: cheaper-model, quality: {source: scores/rouge, scale: [0, 1]}").criteria.quality
    assert found is not None
    assert found.margin == pytest.approx(0.1)


def test_every_field_may_be_overridden():
    found = File(
        "quality: {source: scores/rating, scale: [0, 10], margin: 0.5, trip: any}, accuracy: {source: none},"
        "latency: {quantiles: [p95, p50], max_ratio: 1.3, guard_only: [p95], trip: any},"
        "cost: {max_ratio: 1.2, tokens: {input: 1.5, output: 2}, trip: any},"
        "safety: {filter: {max_ratio: 2, margin_pp: 1}, harmful: {source: scores/harm}, trip: margin},"
        "errors: {max_ratio: 3, margin_pp: 4, trip: margin}, min_samples: 500"
    ).criteria
    assert found == Criteria(
        quality=QualityCriterion(score="rating", scale_low=0, scale_high=10, margin=0.5, trip=TripRule.ANY),
        latency=LatencyCriterion(quantiles=(0.5, 0.95), max_ratio=1.3, guard_only=(0.95,), trip=TripRule.ANY),
        cost=CostCriterion(max_ratio=1.2, input_ratio=1.5, output_ratio=2, trip=TripRule.ANY),
        safety=SafetyCriterion(max_ratio=2, margin_points=1, harmful="harm", trip=TripRule.MARGIN),
        errors=ErrorsCriterion(max_ratio=3, margin_points=4, trip=TripRule.MARGIN),
        min_samples=500,
    )


def test_one_field_may_be_overridden_and_the_others_stay():
    found = File("latency: {max_ratio: 1.3}, cost: {tokens: {output: 3}}, safety: {harmful: {source: scores/harm}}").criteria
    assert found.latency == msgspec.structs.replace(LATENCY, max_ratio=1.3)
    assert found.cost == msgspec.structs.replace(COST, output_ratio=3)
    assert found.safety == msgspec.structs.replace(SAFETY, harmful="harm")


def test_what_is_written_for_all_tasks_holds_until_the_task_says_otherwise():
    found = File(here="latency: {max_ratio: 1.2}", everywhere="latency: {max_ratio: 1.5, quantiles: [p50]}, min_samples: 7").criteria
    assert found.latency == LatencyCriterion(quantiles=(0.5,), max_ratio=1.2)
    assert found.min_samples == 7


def test_a_tasks_own_preset_puts_numbers_for_all_tasks_aside_and_keeps_their_sources():
    everywhere = "quality: {source: scores/rating, margin: 0.3}, latency: {max_ratio: 1.5}, safety: {harmful: {source: scores/harm}}"
    found = File(here="preset: strict", everywhere=everywhere).criteria
    assert found.quality is not None
    assert (found.quality.score, found.quality.margin) == ("rating", pytest.approx(0.05))
    assert found.latency == STANDARD.latency
    assert found.safety == msgspec.structs.replace(SAFETY, harmful="harm")


def test_preset_none_asks_for_exactly_what_is_written():
    found = File(f"preset: none, {QUALITY}, errors: {{max_ratio: 2}}").criteria
    assert found == Criteria(
        quality=QualityCriterion(score="rating", margin=about(0.1)), errors=ErrorsCriterion(max_ratio=2, margin_points=0.5)
    )


def test_preset_none_of_a_task_puts_aside_what_is_written_for_all():
    assert File(here="preset: none, errors: {}", everywhere=f"{QUALITY}, latency: {{max_ratio: 2}}").criteria == Criteria(
        errors=STANDARD.errors
    )
    assert File(everywhere="preset: none, errors: {}, cost: {}").criteria == Criteria(errors=STANDARD.errors, cost=STANDARD.cost)


def test_preset_none_with_nothing_written_cannot_be_started():
    declared = parse(File("preset: none").text)
    _, plan = plan_for(declared, task="mail", candidate="new")
    assert plan.gates == ()


def test_what_has_no_source_is_asked_about_unless_it_is_settled_in_the_file():
    with pytest.raises(UnsourcedError) as caught:
        plan_for(File().declared, task="mail", candidate="new")
    assert caught.value.names == ("quality", "accuracy")
    _, plan = plan_for(File().declared, task="mail", candidate="new", without=("quality", "accuracy"))
    assert all(reason.endswith("accepted for this rollout") for reason in plan.criteria.left_out.values())
    assert File(f"{QUALITY}, accuracy: {{source: none}}").criteria.left_out == {}


def test_what_is_left_out_is_warned_about_with_the_way_out():
    warnings = File().declared.warnings
    assert [word for warning in warnings for word in ("quality", "accuracy") if f"{word} is left out" in warning] == ["quality", "accuracy"]
    assert any("{source: none}" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("here", "path"),
    [
        ("preset: lax", "tasks.mail.criteria.preset"),
        ("quality: {margin: 0.1}", "tasks.mail.criteria.quality"),
        ("accuracy: {source: eval/gold}", "tasks.mail.criteria.accuracy.source"),
        ("accuracy: {margin_pp: 2, source: none}", "tasks.mail.criteria.accuracy.margin_pp"),
        ("latency: {quantiles: []}", "tasks.mail.criteria.latency.quantiles"),
        ("latency: {quantiles: [p50, p50]}", "tasks.mail.criteria.latency.quantiles"),
        ("latency: {quantiles: [p50, p75, p90, p99]}", "tasks.mail.criteria.latency.quantiles"),
        ("latency: {quantiles: [0.5]}", "tasks.mail.criteria.latency.quantiles[0]"),
        ("latency: {quantiles: [p100]}", "tasks.mail.criteria.latency.quantiles[0]"),
        ("latency: {quantiles: [p0]}", "tasks.mail.criteria.latency.quantiles[0]"),
        ("latency: {quantiles: [p50], guard_only: [p99]}", "tasks.mail.criteria.latency.guard_only"),
        ("latency: {max_ratio: 1}", "tasks.mail.criteria.latency.max_ratio"),
        ("latency: {max_ratio: .nan}", "tasks.mail.criteria.latency.max_ratio"),
        ("cost: {max_ratio: 0.9}", "tasks.mail.criteria.cost.max_ratio"),
        ("cost: {tokens: {total: 2}}", "tasks.mail.criteria.cost.tokens.total"),
        ("cost: {tokens: {input: 1000}}", "tasks.mail.criteria.cost.tokens.input"),
        ("safety: {filter: {margin_pp: 0}}", "tasks.mail.criteria.safety.filter.margin_pp"),
        ("safety: {harmful: {source: judge/harm}}", "tasks.mail.criteria.safety.harmful.source"),
        ("safety: {harmful: {}}", "tasks.mail.criteria.safety.harmful.source"),
        ("safety: {trip: never}", "tasks.mail.criteria.safety.trip"),
        ("min_samples: -1", "tasks.mail.criteria.min_samples"),
        ("min_samples: 1.5", "tasks.mail.criteria.min_samples"),
    ],
)
def test_what_cannot_be_meant_is_named_by_its_path(here: str, path: str):
    assert list(File(here).faults) == [path]


def test_a_fault_of_what_is_written_for_all_tasks_stands_there():
    assert list(File(everywhere="latency: {quantiles: [p50], guard_only: [p95]}").faults) == ["criteria.latency.guard_only"]


def test_a_source_of_a_later_version_is_refused_as_such():
    for here in ("accuracy: {source: eval/gold}", "safety: {harmful: {source: judge/harm}}"):
        assert all("not in this version" in fault for fault in File(here).faults.values())


def test_quantiles_between_the_usual_ones_are_understood():
    found = File("latency: {quantiles: [p99.9, p75]}").criteria.latency
    assert found is not None
    assert found.quantiles == (0.75, 0.999)


def test_the_example_shows_the_standard_preset_as_it_is():
    uncommented = "\n".join(line.removeprefix("# ") for line in _criteria_lines(example_text()))
    text = f"{HEAD}tasks: {{mail: {{stable: old}}}}\n{uncommented}\n"
    found = parse(text).tasks["mail"].criteria
    assert found.quality == QualityCriterion(score="rating", margin=0.1)
    assert msgspec.structs.replace(found, quality=None) == STANDARD


def _criteria_lines(text: str) -> list[str]:
    lines = text.splitlines()
    begin = lines.index("# criteria:")
    return [lines[begin], *(line for line in lines[begin + 1 :] if line.startswith("#   ") and line.count(":"))][:8]


def test_editors_know_the_same_criteria():
    schema = json.loads(json.dumps(json_schema()))
    shape = schema["$defs"]["CriteriaShape"]["properties"]
    assert set(shape) == {"preset", "quality", "accuracy", "latency", "cost", "safety", "errors", "min_samples"}
    assert shape["preset"]["enum"] == ["strict", "standard", "cheaper-model", "none"]
