"""Two gateways on one control plane: both serve the split and acknowledge, and what befalls one does not touch the other."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx2

from changeover.adapters.sql import open_store
from tests.acceptance.parts import PartsRig, kill, running_parts
from tests.acceptance.rig import CANDIDATE, STABLE, TASK, Callers, until

ENOUGH = 60


def test_two_gateways_serve_one_split_and_live_and_die_apart(tmp_path: Path) -> None:
    asyncio.run(_two_gateways(tmp_path))


async def _two_gateways(folder: Path) -> None:
    async with running_parts(folder) as rig:
        (left, left_url), (_, right_url) = await asyncio.gather(rig.join("left"), rig.join("right"))
        await rig.run("task", "split", TASK, f"{STABLE}=50", f"{CANDIDATE}=50")
        await until(lambda: _both_acknowledge(rig), what="two acknowledgements")
        async with Callers(left_url) as by_left, Callers(right_url) as by_right:
            await until(lambda: min(len(by_left.answered), len(by_right.answered)) > ENOUGH, what="answers by both")
            await kill(left)
            so_far = len(by_right.answered)
            await until(lambda: len(by_right.answered) > so_far + ENOUGH, what="answers by the one that is left")
        assert by_right.failed == 0
        await _only_one_is_heard(rig)
        served = {rig.plane_name(name): name for name in ("left", "right")}
        assert set(await rig.planes()) == set(served)
        await _back_without_control(rig)
        await rig.stop()
    _check_split(folder, by_right, killed=by_left)


async def _both_acknowledge(rig: PartsRig) -> bool:
    task, planes = await rig.task(), await rig.planes()
    return task["acknowledged"] and len(planes) == 2 and not any(plane["behind"] for plane in planes.values())


async def _only_one_is_heard(rig: PartsRig) -> None:
    """Whoever is not heard of for a minute is listed as silent; the other goes on."""
    left, right = rig.plane_name("left"), rig.plane_name("right")
    first = await rig.planes()

    async def again() -> bool:
        return (await rig.planes())[right]["seen_at"] > first[right]["seen_at"]

    await until(again, what="the heartbeat of the one that is left")
    assert (await rig.planes())[left]["seen_at"] == first[left]["seen_at"]


async def _back_without_control(rig: PartsRig) -> None:
    """A gateway starts with no control plane at all, from its last table; and is heard of when there is one again."""
    await rig.stop()
    _, url = await rig.join("left")
    async with Callers(url) as callers:
        await until(lambda: len(callers.answered) > ENOUGH, what="answers from the cache")
    assert callers.failed == 0
    await rig.serve()
    await until(lambda: _both_acknowledge(rig), what="both gateways, back")


def _check_split(folder: Path, lived: Callers, *, killed: Callers) -> None:
    """Of the one that was killed the last second may not have been reported, which may be all of it."""
    store = open_store(folder / ".changeover" / "changeover.db")
    try:
        rows = store.rows(task=TASK, attempt=1, since=0.0, until=float("inf"), score=None)
    finally:
        store.close()
    assigned = {row.observation.request_id: row.observation.assigned for row in rows}
    by_lived, by_killed = ({assigned[identity] for identity, _ in callers.answered if identity in assigned} for callers in (lived, killed))
    assert by_lived == {STABLE, CANDIDATE}
    assert by_killed <= {STABLE, CANDIDATE}


def test_a_second_control_plane_on_the_same_state_is_refused(tmp_path: Path) -> None:
    asyncio.run(_second_control(tmp_path))


async def _second_control(folder: Path) -> None:
    async with running_parts(folder) as rig:
        command = [sys.executable, "-m", "changeover", "control", "--listen", "127.0.0.1:0"]
        second = await asyncio.to_thread(subprocess.run, command, cwd=folder, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert rig.server is not None
        assert f"in use by the process with pid {rig.server.pid}; one server writes a store" in second.stderr
        await _check_tokens(rig)


async def _check_tokens(rig: PartsRig) -> None:
    """The gateways' token opens their own calls and no others."""
    own, ours = ((rig.folder / ".changeover" / name).read_text() for name in ("plane-token", "token"))
    async with httpx2.AsyncClient(base_url=rig.control_url, trust_env=False) as client:
        found = [
            (await client.get(path, headers={"authorization": f"Bearer {token}"})).status_code
            for path, token in (("/dp/table", own), ("/dp/table", ours), ("/api/v1/status", own), ("/api/v1/status", ours))
        ]
    assert found == [200, 200, 401, 200]
