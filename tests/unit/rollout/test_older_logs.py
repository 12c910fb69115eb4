"""Logs that older versions wrote: without bakes, approvals or reasons of a pause they mean what they meant."""

from typing import Any

import msgspec
import pytest

from changeover.rollout.plan import NO_BAKE
from changeover.rollout.state import Phase
from changeover.rollout.world import Change, World, apply
from tests.unit.rollout.builders import seeded

PROGRESS = {"weight_set_at": 1.0, "step_entered_at": 1.0, "acknowledged_at": 2.0, "passed": ["errors"], "reason": "r", "finished_at": None}
STARTED: dict[str, Any] = {
    "revision": 2,
    "at": 1.0,
    "actor": "ana",
    "reason": "try",
    "body": {
        "type": "rollout_started",
        "preflight": None,
        "rollout": {
            "id": "r1",
            "task": "email",
            "attempt": 1,
            "salt": "s1",
            "stable": "old",
            "candidate": "new",
            "candidate_pool": [],
            "stable_pool": [],
            "started_at": 1.0,
            "plan": {
                "steps": [
                    {"step": "weight", "permille": 500},
                    {"step": "analysis", "require": "pass", "duration_min_s": 0.0, "duration_max_s": 60.0},
                    {"step": "weight", "permille": 1000},
                ],
                "criteria": {"errors": {}},
                "evidence": {},
                "undecided_accepted": "",
            },
            "progress": {**PROGRESS, "phase": "running", "step": 0, "permille": 500},
        },
    },
}


def _moved(revision: int, phase: str, permille: int) -> dict[str, Any]:
    progress = {**PROGRESS, "phase": phase, "step": 2, "permille": permille}
    body = {"type": "rollout_moved", "rollout": "r1", "event": "assessed", "progress": progress, "closed": {}}
    return {"revision": revision, "at": 1.0, "actor": "controller", "reason": "", "body": body}


def _replayed(*changes: dict[str, Any]) -> World:
    world = seeded()
    for change in changes:
        world = apply(world, msgspec.json.decode(msgspec.json.encode(change), type=Change))
    return world


def test_a_rollout_of_an_older_log_has_no_bake_and_keeps_the_old_version_for_good() -> None:
    rollout = _replayed(STARTED).rollouts["r1"]
    assert (rollout.plan.bake, rollout.plan.retain_s, rollout.plan.strategy, rollout.started_by) == (NO_BAKE, None, "canary", "")
    assert (rollout.progress.hold, rollout.progress.paused_from, rollout.progress.overrides) == (None, Phase.RUNNING, ())
    assert rollout.progress.phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("phase", "stable", "blocked"), [("completed", "new", ()), ("rolled_back", "old", (("old", "new"),)), ("paused", "old", ())]
)
def test_its_ends_mean_what_they_meant(phase: str, stable: str, blocked: tuple[tuple[str, str], ...]) -> None:
    task = _replayed(STARTED, _moved(3, phase, 0 if phase == "rolled_back" else 1000)).tasks["email"]
    assert (task.stable, task.blocked, task.rollout) == (stable, blocked, "r1" if phase == "paused" else None)


def test_a_promotion_that_an_older_version_took_back_stands_for_itself() -> None:
    undone = {
        "revision": 4,
        "at": 1.0,
        "actor": "ana",
        "reason": "",
        "body": {"type": "promotion_undone", "task": "email", "rollout": "r1"},
    }
    world = _replayed(STARTED, _moved(3, "completed", 1000), undone)
    assert (world.tasks["email"].stable, world.tasks["email"].blocked) == ("old", (("old", "new"),))
    assert world.rollouts["r1"].progress.phase is Phase.COMPLETED
