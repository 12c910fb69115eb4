"""Two control planes and two gateways on one PostgreSQL: one leads, and when it stands still or dies the other goes on."""

import asyncio
import os
import signal
import sys
from itertools import pairwise
from pathlib import Path

from changeover.adapters.sql import open_database
from changeover.rollout.world import RolloutMoved, RolloutStarted
from tests.acceptance.rig import CANDIDATE, TASK, Callers, until
from tests.acceptance.shared import SharedRig, shared_rig
from tests.postgres import Cluster

ENOUGH = 40
LEFT, RIGHT = "left", "right"


def test_a_leader_that_stands_still_or_dies_is_followed_by_the_other(tmp_path: Path, cluster: Cluster) -> None:
    asyncio.run(_two_of_each(tmp_path, cluster.fresh()))


async def _two_of_each(folder: Path, database: str) -> None:
    async with shared_rig(folder, database) as rig:
        await asyncio.gather(rig.control_plane(LEFT), rig.control_plane(RIGHT))  # both find an empty database
        await until(lambda: rig.lease() is not None, what="a leader")
        urls = await asyncio.gather(rig.join("gateway-1"), rig.join("gateway-2"))
        async with Callers(urls[0], connections=2) as one, Callers(urls[1], connections=2) as two:
            await until(lambda: min(len(one.answered), len(two.answered)) > ENOUGH, what="traffic")
            await _stands_still(rig)
            await _dies(rig)
            so_far = len(one.answered)
            await until(lambda: len(one.answered) > so_far + ENOUGH, what="traffic afterwards")
        assert (one.failed, two.failed) == (0, 0)
    _check_log(database)


async def _stands_still(rig: SharedRig) -> None:
    """Commands may come by any control plane. Who slept through its lease wakes as a follower, and a rollback by it still counts."""
    leader = rig.leader()
    follower = RIGHT if leader == LEFT else LEFT
    await rig.ask(follower, "POST", "/api/v1/rollouts", {"task": TASK, "candidate": CANDIDATE})
    await until(lambda: _acknowledged(rig, follower), what="the first weight at both gateways")
    stopped = rig.controls[leader]
    os.kill(stopped.pid, signal.SIGSTOP)
    await _taken_over(rig, epoch=2)
    assert rig.leader() == follower
    os.kill(stopped.pid, signal.SIGCONT)
    await until(lambda: "no longer moves rollouts" in rig.said(leader), what="the old leader to learn that it is none")
    await rig.ask(leader, "POST", f"/api/v1/tasks/{TASK}/rollback", {"reason": "by the one that woke"})
    await until(lambda: _settled(rig, leader), what="all traffic back at the stable")


async def _dies(rig: SharedRig) -> None:
    """Killed just after a start: the other sees it through."""
    leader = rig.leader()
    other = RIGHT if leader == LEFT else LEFT
    await rig.ask(leader, "POST", f"/api/v1/tasks/{TASK}/release", {"candidate": CANDIDATE})
    await rig.ask(leader, "POST", "/api/v1/rollouts", {"task": TASK, "candidate": CANDIDATE})
    os.killpg(rig.controls[leader].pid, signal.SIGKILL)
    await _taken_over(rig, epoch=3)
    assert rig.leader() == other
    await until(lambda: _acknowledged(rig, other), what="the weight of the second attempt, by the new leader")


async def _taken_over(rig: SharedRig, *, epoch: int) -> None:
    def done() -> bool:
        lease = rig.lease()
        return lease is not None and lease.epoch == epoch

    began = asyncio.get_running_loop().time()
    await until(done, what=f"epoch {epoch}")
    sys.stdout.write(f"taken over after {asyncio.get_running_loop().time() - began:.1f} s\n")


async def _acknowledged(rig: SharedRig, name: str) -> bool:
    task = await rig.task(name)
    return task["acknowledged"] and task["rollout"]["step"] == 2 and task["percent"] > 0


async def _settled(rig: SharedRig, name: str) -> bool:
    task = await rig.task(name)
    return task["acknowledged"] and task["percent"] == 0 and task["rollout"]["phase"] == "rolled_back"


def _check_log(database: str) -> None:
    """One revision after the other, one step at a time, and all of it as it was written."""
    store = open_database(database)
    try:
        assert list(store.verify()) == []
        changes = store.changes()
    finally:
        store.close()
    assert [change.revision for change in changes] == list(range(1, len(changes) + 1))
    steps: dict[str, list[int]] = {}
    for change in changes:
        match change.body:
            case RolloutStarted(rollout=rollout):
                steps[rollout.id] = [rollout.progress.step]
            case RolloutMoved(rollout=identity, progress=progress):
                steps[identity].append(progress.step)
            case _:
                continue
    assert len(steps) == 2
    assert all(0 <= after - before <= 1 for taken in steps.values() for before, after in pairwise(taken))
