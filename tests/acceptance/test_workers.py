"""Two gateways behind one port are one to their callers: a rollback reaches both, and one that dies comes back."""

import asyncio
import os
import re
import signal
import time
from pathlib import Path

import httpx2

from changeover.adapters.sql import open_store
from tests.acceptance.parts import children_of
from tests.acceptance.rig import CANDIDATE, TASK, Callers, Rig, running_rig, until

CONNECTIONS = 16
"""The kernel deals connections by chance: with so many, one of two workers gets none once in thirty thousand runs."""
ENOUGH = 50
MANY = 200
"""So many at a tenth miss the candidate once in a thousand million runs."""


def test_a_rollback_reaches_every_worker_and_fails_nobody(tmp_path: Path) -> None:
    asyncio.run(_roll_back_under_traffic(tmp_path))


async def _roll_back_under_traffic(folder: Path) -> None:
    async with running_rig(folder, "--workers", "2") as rig:
        await rig.run("rollout", "start", TASK, "--to", CANDIDATE)
        async with Callers(rig.gateway, connections=CONNECTIONS) as callers:
            await until(lambda: _serves_candidate(rig), what="both workers at 10 %")
            so_far = len(callers.answered)
            await until(lambda: len(callers.answered) > so_far + MANY, what="answers of both sides")
            await rig.control("POST", f"/api/v1/tasks/{TASK}/rollback", {"reason": "test"})
            await until(lambda: _acknowledged(rig), what="the acknowledgement of both")
            acknowledged_at = time.time()
            so_far = len(callers.answered)
            await until(lambda: len(callers.answered) > so_far + MANY, what="answers after the rollback")
        assert callers.failed == 0
        planes = (await rig.control("GET", "/api/v1/status"))["planes"]
        assert len(planes) == 2
        await _one_dies(rig)
        await rig.stop()
    _check_sides(folder, acknowledged_at)


async def _one_dies(rig: Rig) -> None:
    """Started again under its name, behind the port of the others."""
    assert rig.server is not None
    server = rig.server.pid
    before = children_of(server)
    os.kill(before[0], signal.SIGKILL)
    await until(lambda: len(set(children_of(server)) - set(before)) == 1, what="a new worker")
    await until(lambda: "starting it again" in rig.log(), what="the word of it")
    await until(lambda: _tells_of(rig, planes=2), what="the numbers of both, from whichever is asked")
    async with Callers(rig.gateway, connections=CONNECTIONS) as later:
        await until(lambda: len(later.answered) > ENOUGH, what="answers")
    assert later.failed == 0
    assert len((await rig.control("GET", "/api/v1/status"))["planes"]) == 2


async def _tells_of(rig: Rig, *, planes: int) -> bool:
    """`/metrics` reaches one worker, and tells of every one that serves."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{rig.gateway}/metrics")).text
    served = re.findall(r'^changeover_gateway_connected\{plane="(\w+)"\} 1$', text, re.MULTILINE)
    return len(set(served)) == planes == len(served)


async def _serves_candidate(rig: Rig) -> bool:
    status = await rig.control("GET", "/api/v1/status")
    return len(status["planes"]) == 2 and status["tasks"][0]["percent"] == 10 and status["tasks"][0]["acknowledged"]


async def _acknowledged(rig: Rig) -> bool:
    task = (await rig.control("GET", "/api/v1/status"))["tasks"][0]
    return task["percent"] == 0 and not task["waiting_for"]


def _check_sides(folder: Path, acknowledged_at: float) -> None:
    store = open_store(folder / ".changeover" / "changeover.db")
    try:
        rows = store.rows(task=TASK, attempt=1, since=0.0, until=float("inf"), score=None)
    finally:
        store.close()
    on_candidate = [row.observation.started_at for row in rows if row.observation.assigned == CANDIDATE]
    assert on_candidate, "the test must have had traffic on the candidate"
    assert max(on_candidate) < acknowledged_at
