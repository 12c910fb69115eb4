"""What a pipeline and a person ask of a rollout in real processes: wait for it, list what its candidate answered, explain a request."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from tests.acceptance import rig as rig_module
from tests.acceptance.rig import CANDIDATE, FILE, POLL_S, STABLE, TASK, Rig, running_rig, until

UNFLUSHED_S = 1.0
ENOUGH = 40
DONE_S = 100.0
QUICK_ROLLOUT = """
rollouts:
  quick:
    task: docstring-summaries
    candidate: summariser-prod-v0601
    steps: [{{weight: 50}}, {{analysis: {{require: pass}}}}, {{weight: 100}}]
"""
QUICK_FILE = FILE.replace("max_ratio: 1.5, margin_pp: 2", "max_ratio: 50, margin_pp: 45") + QUICK_ROLLOUT
"""A plan so short, and a margin so wide, that a rollout is through in seconds."""


@dataclass
class Traffic:
    """Requests by several connections, each with who answered it and when."""

    rig: Rig
    answered: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        await asyncio.gather(*(self._call() for _ in range(4)))

    async def _call(self) -> None:
        body = {"model": TASK, "messages": [{"role": "user", "content": "A first sentence. A second one, longer. And a third."}]}
        clock = asyncio.get_running_loop().time
        async with httpx2.AsyncClient(trust_env=False, timeout=5.0) as client:
            while not self.stop.is_set():
                try:
                    answer = await client.post(f"{self.rig.gateway}/v1/chat/completions", json=body)
                except httpx2.HTTPError:
                    await asyncio.sleep(POLL_S)  # the server is being killed, or is not back yet
                    continue
                if answer.status_code == 200:
                    identity, served = answer.headers["x-changeover-request-id"], answer.headers["x-changeover-deployment"]
                    self.answered[identity] = (served, clock())
                await asyncio.sleep(POLL_S)  # enough for the evidence, and leaves the machine to the others

    def by(self, deployment: str) -> set[str]:
        return {identity for identity, (served, _) in self.answered.items() if served == deployment}


def test_a_rollout_is_waited_for_across_a_restart_and_its_answers_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig_module, "FILE", QUICK_FILE)
    asyncio.run(_story(tmp_path))


async def _story(folder: Path) -> None:
    async with running_rig(folder) as rig:
        await _start(rig)
        waiting = await _waiting(rig, "rollout", "status", TASK, "--timeout", "90s")
        traffic = Traffic(rig)
        running = asyncio.create_task(traffic.run())
        try:
            lost_from, lost_until = await _promoted_across_a_restart(rig, traffic, waiting)
            await until(lambda: len(traffic.by(CANDIDATE)) > ENOUGH, what="answers of the candidate as the stable")
            await rig.control("POST", f"/api/v1/tasks/{TASK}/rollback", {"reason": "a customer complains"})
            assert (await _run(rig, "rollout", "status", TASK))[0] == 3
            await until(lambda: _is_stable(traffic), what="all answers by the old stable")
        finally:
            traffic.stop.set()
            await running
        await until(lambda: _is_reported(rig, traffic), what="the last observations")
        on_trial = await _check_affected(rig, traffic, lost_from, lost_until)
        latest = max(traffic.by(STABLE), key=lambda identity: traffic.answered[identity][1])
        await _check_explained(rig, {CANDIDATE: on_trial, STABLE: latest})
        await _check_a_rolled_back_one(rig)


async def _start(rig: Rig) -> None:
    await rig.control("POST", "/api/v1/rollouts", {"task": TASK, "candidate": CANDIDATE, "reason": "half the price"})


async def _promoted_across_a_restart(rig: Rig, traffic: Traffic, waiting: Process) -> tuple[float, float]:
    """`rollout status` sees it through although its server is killed; when requests may have been lost with it."""
    clock = asyncio.get_running_loop().time
    await until(lambda: len(traffic.by(CANDIDATE)) > ENOUGH, what="answers of the candidate")
    killed_at = clock()
    await rig.kill(group=False)
    await rig.serve()
    back_at = clock()
    code, output, errors = await _ended(waiting)
    assert code == 0, (output, errors)
    assert output.splitlines()[-1] == f"promoted: {CANDIDATE} is the stable of {TASK}"
    assert "completed" in output
    assert "lost the server: " in errors
    assert "the server is back after" in errors
    return killed_at - UNFLUSHED_S, back_at


async def _run(rig: Rig, *arguments: str) -> tuple[int, str, str]:
    return await _ended(await _begun(rig, *arguments))


async def _begun(rig: Rig, *arguments: str) -> Process:
    command = [sys.executable, "-m", "changeover", *arguments]
    return await asyncio.create_subprocess_exec(*command, cwd=rig.folder, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)


async def _waiting(rig: Rig, *arguments: str) -> Process:
    """A command that has said where the rollout stands, and waits."""
    process = await _begun(rig, *arguments)
    assert process.stdout is not None
    assert f"{STABLE} -> {CANDIDATE}".encode() in await asyncio.wait_for(process.stdout.readline(), DONE_S)
    return process


async def _ended(process: Process) -> tuple[int, str, str]:
    output, errors = await asyncio.wait_for(process.communicate(), DONE_S)
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def _is_stable(traffic: Traffic) -> bool:
    latest = sorted(traffic.answered.values(), key=lambda each: each[1])[-ENOUGH:]
    return all(served == STABLE for served, _ in latest)


async def _is_reported(rig: Rig, traffic: Traffic) -> bool:
    last = max(traffic.answered, key=lambda identity: traffic.answered[identity][1])
    path = f"/api/v1/tasks/{TASK}/explain?request={last}"
    transport = httpx2.AsyncHTTPTransport(uds=rig.socket)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", trust_env=False) as client:
        return (await client.get(path)).is_success


async def _check_affected(rig: Rig, traffic: Traffic, lost_from: float, lost_until: float) -> str:
    """Every answer whose caller saw that the candidate gave it, once, and no other; but for those lost with the killed server.
    One of them from the trial.
    """
    code, output, errors = await _run(rig, "rollout", "affected", TASK, "-o", "jsonl")
    assert code == 0, errors
    lines = [json.loads(line) for line in output.splitlines()]
    listed = {line["request_id"] for line in lines}
    assert len(listed) == len(lines)
    due = {identity for identity in traffic.by(CANDIDATE) if not lost_from < traffic.answered[identity][1] < lost_until}
    assert due <= listed
    assert not listed & traffic.by(STABLE)
    assert {line["served"] for line in lines} == {CANDIDATE}
    assert {line["attempt"] for line in lines} == {0, 1}, "the trial, and the time after the promotion"
    assert f"{len(lines)} answers by {CANDIDATE}" in errors
    half = lines[len(lines) // 2]["request_id"]
    _, rest, _ = await _run(rig, "rollout", "affected", TASK, "-o", "jsonl", "--after", half)
    assert rest.splitlines() == output.splitlines()[len(lines) // 2 + 1 :]
    return next(line["request_id"] for line in lines if line["attempt"] == 1)


async def _check_explained(rig: Rig, drawn: dict[str, str]) -> None:
    """The draw of a request of each side can be repeated from what is stored."""
    for deployment, identity in drawn.items():
        code, output, errors = await _run(rig, "task", "explain", TASK, "--request", identity)
        assert code == 0, errors
        assert f"the {'candidate' if deployment == CANDIDATE else 'stable'}'s" in output
        assert "drawn again from salt, unit and weight: the same" in output
        assert f"by {deployment}" in output


async def _check_a_rolled_back_one(rig: Rig) -> None:
    """Whoever waits learns of a rollback by the code, and why by the line."""
    await rig.control("POST", f"/api/v1/tasks/{TASK}/release", {"candidate": CANDIDATE, "reason": "once more"})
    await _start(rig)
    waiting = await _waiting(rig, "rollout", "status", TASK)
    await rig.control("POST", f"/api/v1/tasks/{TASK}/rollback", {"reason": "not yet"})
    code, output, errors = await _ended(waiting)
    assert code == 3
    assert "not yet" in errors
    assert "rolling back" in output
