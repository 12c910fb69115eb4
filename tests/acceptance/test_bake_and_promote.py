"""A rollout that people and a bake decide on, with real processes: approved, overridden, baked, promoted, and taken back."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.acceptance.rig import CANDIDATE, STABLE, TASK, Callers, Rig, running_rig, until

ROLLOUT = f"""
rollouts:
  summaries:
    task: {TASK}
    candidate: {CANDIDATE}
    steps:
      - weight: 50
      - analysis: {{require: pass}}
      - approve: {{roles: [owner]}}
      - weight: 100
    bake: {{duration: 2s, holdback: 5}}
    retain_old: 1d
"""


def test_a_rollout_is_overridden_approved_baked_promoted_and_taken_back(tmp_path: Path) -> None:
    asyncio.run(_whole_way(tmp_path))


async def _whole_way(folder: Path) -> None:
    async with running_rig(folder) as rig:
        file = folder / "changeover.yaml"
        file.write_text(file.read_text() + ROLLOUT)
        await rig.run("apply", "--yes", "--reason", "a rollout with a bake")
        async with Callers(rig.gateway) as callers:
            await rig.run("rollout", "start", TASK, "--to", CANDIDATE, "--accept-undecided", "--reason", "hardly any traffic")
            await until(lambda: _stands(rig, "running", step=1), what="the analysis")
            words = ("--gates", "errors,dwell", "--reason", "ticket 4711", "--yes")
            assert TASK in await rig.run("rollout", "override", TASK, *words)
            await until(lambda: _stands(rig, "running", step=2), what="the approval")
            await rig.run("rollout", "approve", TASK, "--reason", "figures read")
            await until(lambda: _stands(rig, "baking", step=3), what="the bake")
            assert await _percent(rig) == 95.0
            await until(lambda: _stands(rig, "completed", step=3), what="the promotion")
            assert await _served(rig) == (CANDIDATE, None)
            await rig.run("rollback", TASK, "--reason", "callers complain")
            assert await _served(rig) == (STABLE, None)
            await until(lambda: _stands(rig, "rolled_back", step=3), what="word of every data plane")
        assert callers.failed == 0
        await _told(rig)


async def _told(rig: Rig) -> None:
    """Every word of a person stands in the log, with the reason, and what it was said about."""
    events = json.loads(await rig.run("events", "-o", "json"))["events"]
    said = {event["change"]["event"]: event for event in events if event["change"]["type"] == "rollout_moved"}
    assert said["override"]["reason"] == "errors, dwell overridden: ticket 4711"
    (override,) = said["override"]["change"]["progress"]["overrides"]
    assert (override["step"], override["gates"], override["reason"]) == (1, ["errors", "dwell"], "ticket 4711")
    assert override["actor"] == said["override"]["actor"]
    (approval,) = said["approve"]["change"]["progress"]["approvals"]
    assert (approval["step"], approval["role"], approval["reason"]) == (2, "owner", "figures read")
    assert said["roll_back"]["change"]["progress"]["was_promoted"] is True
    assert (await _rollout(rig))["plan"]["retain_s"] == 86400.0


async def _rollout(rig: Rig) -> dict[str, Any]:
    found = await rig.control("GET", f"/api/v1/rollouts/{TASK}")
    return found["rollout"]


async def _stands(rig: Rig, phase: str, *, step: int) -> bool:
    progress = (await _rollout(rig))["progress"]
    return (progress["phase"], progress["step"]) == (phase, step)


async def _percent(rig: Rig) -> float:
    return (await rig.control("GET", "/api/v1/status"))["tasks"][0]["percent"]


async def _served(rig: Rig) -> tuple[str, str | None]:
    task = (await rig.control("GET", "/api/v1/status"))["tasks"][0]
    return task["stable"], task["candidate"]
