"""Node applications cannot tell the gateway from the provider: `openai` and the AI SDK give the same objects either way."""

import json
import re
from typing import Any

import pytest

from tests.conformance.likeness import likeness, without_null_usage
from tests.conformance.node_tools import FOLDER, ready_node, run_cases
from tests.conformance.recordings import RECORDINGS
from tests.conformance.rig import Rig
from tests.conformance.test_openai import DOCUMENT

NAMES = re.findall(r"^  '([^']+)': ", (FOLDER / "cases.mjs").read_text(), re.MULTILINE)
RECORDED = [f"openai recording: {name}" for name in RECORDINGS]
REFUSED = {"openai chat refused", "openai recording: a refusal with unknown fields"}

Given = dict[str, list[Any]]


@pytest.fixture(scope="session")
def given(rig: Rig) -> tuple[Given, Given]:
    """What all cases gave, direct and through the gateway."""
    node = ready_node()
    return run_cases(node, rig.direct, DOCUMENT), run_cases(node, rig.gateway, DOCUMENT)


def shown(objects: list[Any], *, name: str) -> str:
    text = likeness(json.dumps(objects, separators=(",", ":")))
    return without_null_usage(text) if "chat stream" in name and "usage" not in name else text


@pytest.mark.parametrize("name", [*NAMES, *RECORDED])
def test_a_case_gives_the_same_direct_and_through_the_gateway(given: tuple[Given, Given], name: str) -> None:
    direct, through = given
    assert shown(through[name], name=name) == shown(direct[name], name=name)


def test_every_case_but_the_refused_ones_gave_an_answer(given: tuple[Given, Given]) -> None:
    direct, _ = given
    assert set(direct) == {*NAMES, *RECORDED}
    assert {name for name, objects in direct.items() if "failed" in objects[-1]} == REFUSED
    assert all(len(objects) > 3 for name, objects in direct.items() if "stream" in name and name in NAMES)
