"""A server that is killed in the middle of a rollout comes back where it was."""

import asyncio
from pathlib import Path

import pytest

from changeover.adapters.sql import open_store
from tests.acceptance.rig import CANDIDATE, TASK, Callers, Rig, running_rig, until

UNFLUSHED_S = 1.0
ENOUGH = 50


@pytest.mark.parametrize("group", [False, True], ids=["the server alone", "server and gateway at once"])
def test_a_killed_server_comes_back_at_the_same_step_with_all_its_events(tmp_path: Path, group: bool) -> None:
    asyncio.run(_kill_in_mid_rollout(tmp_path, group=group))


async def _kill_in_mid_rollout(folder: Path, *, group: bool) -> None:
    async with running_rig(folder) as rig:
        await rig.run("rollout", "start", TASK, "--to", CANDIDATE)
        async with Callers(rig.gateway) as callers:
            await until(lambda: _dwelt(rig, blocks=2), what="two closed blocks at 10 %")
            await until(lambda: len(_due(callers, asyncio.get_running_loop().time())) > ENOUGH, what="traffic before the kill")
            before, events = await rig.control("GET", "/api/v1/status"), await rig.control("GET", "/api/v1/events")
            killed_at = asyncio.get_running_loop().time()
            await rig.kill(group=group)
        await rig.serve()
        after = await rig.control("GET", "/api/v1/status")
        assert after["table_revision"] == before["table_revision"]
        assert after["tasks"][0]["rollout"]["step"] == before["tasks"][0]["rollout"]["step"]
        assert after["tasks"][0]["percent"] == before["tasks"][0]["percent"] == 10
        assert (await rig.control("GET", "/api/v1/events"))["events"][: len(events["events"])] == events["events"]
        async with Callers(rig.gateway) as later:
            await until(lambda: _dwelt(rig, blocks=3), what="another closed block after the restart")
        assert later.failed == 0
        await rig.stop()
        _check_observations(folder, callers, killed_at, later)


async def _dwelt(rig: Rig, *, blocks: int) -> bool:
    answer = await rig.control("GET", f"/api/v1/tasks/{TASK}/compare")
    return answer["assessment"]["blocks"] >= blocks


def _due(callers: Callers, killed_at: float) -> set[str]:
    """What was answered so long before a kill that none of it may be lost."""
    return {identity for identity, at in callers.answered if at < killed_at - UNFLUSHED_S}


def _check_observations(folder: Path, callers: Callers, killed_at: float, later: Callers) -> None:
    store = open_store(folder / ".changeover" / "changeover.db")
    try:
        rows = store.rows(task=TASK, attempt=1, since=0.0, until=float("inf"), score=None)
        assert store.verify() == []
    finally:
        store.close()
    stored = {row.observation.request_id for row in rows}
    due = _due(callers, killed_at)
    assert len(due) > ENOUGH, "the test must have had traffic before the kill"
    assert due <= stored
    assert {identity for identity, _ in later.answered} <= stored
