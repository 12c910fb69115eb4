"""The page about states names every state, every step and every reason of a pause that there is."""

from pathlib import Path
from typing import get_args

import pytest

from changeover.rollout.plan import Step
from changeover.rollout.record import HoldKind
from changeover.rollout.state import Phase

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "rollout-states.md").read_text()


@pytest.mark.parametrize("phase", Phase)
def test_every_state_has_its_line(phase: Phase) -> None:
    assert f"\n| `{phase}` |" in PAGE


@pytest.mark.parametrize("kind", get_args(HoldKind))
def test_every_reason_of_a_pause_is_explained(kind: str) -> None:
    assert f"`{kind}`" in PAGE.partition("## Why it is paused")[2]


@pytest.mark.parametrize("step", get_args(Step))
def test_every_step_says_when_it_is_left(step: type) -> None:
    assert f"`{step.__struct_config__.tag}" in PAGE.partition("## Steps")[2]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
