"""The example that is written for a newcomer, and the schema for editors."""

import json
import re

import yaml
from pydantic import TypeAdapter

from changeover.settings.durations import DURATION_PATTERN
from changeover.settings.example import example_text
from changeover.settings.file import parse
from changeover.settings.schema import json_schema

COMMENTED_SETTING = re.compile(r"^( *)# ( *)(- \w|[\w-]+:)")


def uncommented(text: str) -> str:
    """Every commented line that is a setting becomes one; lines of prose stay comments."""
    return "".join(COMMENTED_SETTING.sub(r"\1\2\3", line) for line in text.splitlines(keepends=True))


def test_the_example_holds_as_it_is() -> None:
    declared = parse(example_text())
    assert list(declared.tasks) == ["email-summarisation"]
    assert declared.rollouts == {}


def test_the_example_holds_with_everything_in_comments_uncommented() -> None:
    declared = parse(uncommented(example_text()))
    assert list(declared.rollouts) == ["email-on-v1120"]
    assert declared.tasks["email-summarisation"].sticky_by == ("header:x-conversation-id", "safety_identifier", "user")
    assert declared.tasks["email-summarisation"].criteria.quality is not None
    assert str(declared.accounts["my-resource"].auth) == "env:MY_KEY_VARIABLE"
    assert len(declared.rollouts["email-on-v1120"].plan.steps) == 5
    assert declared.warnings == ()


def test_every_top_level_key_of_this_version_is_in_the_example() -> None:
    keys = set(yaml.safe_load(uncommented(example_text())))
    assert keys == set(TypeAdapter(dict[str, object]).validate_python(json_schema()["properties"]))


def test_the_schema_is_plain_json_that_refuses_unknown_keys_and_empty_values() -> None:
    text = json.dumps(json_schema())
    assert '"null"' not in text
    definitions = json.loads(text)["$defs"]
    assert all(definition["additionalProperties"] is False for definition in definitions.values() if definition["type"] == "object")
    assert json.loads(text)["additionalProperties"] is False
    assert json.loads(text)["required"] == ["version", "accounts", "deployments", "tasks"]


def test_the_schema_knows_the_patterns_and_says_what_is_expected() -> None:
    schema = json.loads(json.dumps(json_schema()))
    block = schema["$defs"]["EvidenceShape"]["properties"]["block"]
    assert block["pattern"] == DURATION_PATTERN
    assert block["description"].startswith("a duration with its unit")
