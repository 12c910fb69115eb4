"""A control plane that is killed again and again in the middle of a rollout, while its gateway serves; and what must be so afterwards."""

import asyncio
import json
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from changeover.adapters.sql import open_store
from changeover.rollout.world import Change, RolloutMoved, RolloutStarted
from tests.acceptance.parts import PartsRig
from tests.acceptance.rig import CANDIDATE, DEADLINE_S, FILE, KEY, POLL_S, TASK, _first_line, until

WEIGHTS = (20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90)
STEPS = ", ".join(f"{{{{weight: {weight}}}}}, {{{{analysis: {{{{require: no_harm}}}}}}}}" for weight in WEIGHTS)
MANY_STEPS = f"""
rollouts:
  many-steps:
    task: docstring-summaries
    candidate: summariser-prod-v0601
    steps: [{STEPS}, {{{{analysis: {{{{require: pass}}}}}}}}, {{{{weight: 100}}}}]
"""
KILLS_FILE = (
    FILE.replace("max_ratio: 1.5, margin_pp: 2", "max_ratio: 50, margin_pp: 45").replace("min_blocks: 3", "min_blocks: 1") + MANY_STEPS
)
PATH = "rollouts/many-steps-1"
COMMAND_S = 0.15
REQUESTS_MAX = 60
CONNECTIONS = 3


class KillRig(PartsRig):
    """A control plane alone, with a plan of many short steps and a margin so wide that it walks on with every closed block.

    It is forked from a process that has read the program already, since reading it is most of what a start costs.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._pid = 0

    async def start(self, *flags: str) -> None:
        stage = await self._spawn("sim", "changeover.azure_sim", "--port", "0", "--key-env", "ACCEPTANCE_KEY", "--lifeline")
        self.stage = json.loads(await asyncio.wait_for(_first_line(stage), DEADLINE_S))["url"]
        (self.folder / "changeover.yaml").write_text(KILLS_FILE.format(endpoint=self.stage))
        nursery = Path(__file__).with_name("nursery.py")
        self._nursery = await asyncio.create_subprocess_exec(
            sys.executable,
            str(nursery),
            cwd=self.folder,
            env={**os.environ, "ACCEPTANCE_KEY": KEY},
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,
        )
        self._processes.append(self._nursery)
        await self.serve(*flags)

    async def serve(self, *flags: str) -> None:
        """Start the control plane, at the same address each time."""
        self._runs += 1
        record = self.folder / ".changeover" / "server.json"
        record.unlink(missing_ok=True)
        arguments = ["control", "--listen", urlsplit(self.control_url).netloc or "127.0.0.1:0", *flags]
        order = {"arguments": arguments, "log": str(self.folder / f"serve-{self._runs}.log")}
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(json.dumps(order).encode() + b"\n")
        self._pid = int(await _first_line(self._nursery))
        await until(record.exists, what="server.json")
        found = json.loads(record.read_text())
        self.control_url, self.socket = found["control"], found["socket"]

    async def die(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        await until(self._is_gone, what="the end of the control plane")

    async def stop(self) -> None:
        os.kill(self._pid, signal.SIGTERM)
        await until(self._is_gone, what="the end of the control plane")

    async def close(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        await super().close()

    def _is_gone(self) -> bool:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return True
        return False


@dataclass
class Traffic:
    """Callers of one gateway. ``revisions``: by which table each request was served, one list a connection."""

    gateway: str
    failed: int = 0
    answered: int = 0
    revisions: list[list[int]] = field(default_factory=list[list[int]])
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        await asyncio.gather(*(self._call() for _ in range(CONNECTIONS)))

    async def more(self, requests: int) -> None:
        """Wait for so many further answers."""
        enough = self.answered + requests
        await until(lambda: self.answered >= enough, what=f"{requests} further answers")

    async def _call(self) -> None:
        body = {"model": TASK, "messages": [{"role": "user", "content": "A first sentence. A second one, longer. And a third."}]}
        served: list[int] = []
        self.revisions.append(served)
        async with httpx2.AsyncClient(base_url=self.gateway, trust_env=False, timeout=10.0) as client:
            while not self.stop.is_set():
                try:
                    answer = await client.post("/v1/chat/completions", json=body)
                except httpx2.HTTPError:
                    self.failed += 1
                    continue
                finally:
                    self.answered += 1
                self.failed += answer.status_code != 200
                served.append(int(answer.headers["x-changeover-revision"]))
                await asyncio.sleep(POLL_S)  # enough for the evidence, and leaves the machine to the others


@dataclass
class Night:
    """What happened: ``told`` are the revisions that the control plane answered a command with."""

    traffic: Traffic
    kills: int = 0
    told: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    unheard: int = 0

    @property
    def regressions(self) -> int:
        return sum(later < earlier for served in self.traffic.revisions for earlier, later in pairwise(served))


async def kill_often(folder: Path, *, kills: int, seed: int) -> Night:
    """Kill the control plane ``kills`` times, each after a random number of requests, every other time with a command under way."""
    dice = random.Random(seed)
    rig = KillRig(folder)
    try:
        await rig.start()
        _, url = await rig.join("gateway")
        night = Night(Traffic(url))
        serving = asyncio.create_task(night.traffic.run())
        try:
            await _ask(rig, night, "rollouts", {"task": TASK, "candidate": CANDIDATE})
            for number in range(kills):
                await night.traffic.more(dice.randint(0, REQUESTS_MAX))
                asked = asyncio.create_task(_ask(rig, night, f"{PATH}/pause", {"reason": f"kill {number}"})) if number % 2 else None
                await _kill(rig, dice.random() if asked else 0.0)
                night.kills += 1
                if asked is not None:
                    await asked
                await rig.serve()
                if asked is None:
                    await _ask(rig, night, f"{PATH}/pause", {"reason": f"after kill {number}"})
                await _ask(rig, night, f"{PATH}/resume", {"reason": f"after kill {number}"})
            await night.traffic.more(REQUESTS_MAX)
        finally:
            night.traffic.stop.set()
            await serving
        await rig.stop()
        return night
    finally:
        os.environ.pop("CHANGEOVER_PLANE_TOKEN", None)
        await rig.close()


async def _kill(rig: KillRig, luck: float) -> None:
    """A moment after somebody began to send a command: before it has left, on its way, being committed, or answered."""
    await asyncio.sleep(luck * COMMAND_S)
    await rig.die()


async def _ask(rig: KillRig, night: Night, path: str, body: object) -> None:
    """A command. One that is refused changed nothing; one without an answer may have been done or not."""
    transport = httpx2.AsyncHTTPTransport(uds=rig.socket)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", trust_env=False, timeout=10.0) as client:
        try:
            answer = await client.post(f"/api/v1/{path}", json=body)
        except httpx2.HTTPError:
            night.unheard += 1
            return
    assert answer.status_code in (200, 201, 409), answer.text
    if answer.is_success:
        night.told.append((int(answer.json()["revision"]), path.rpartition("/")[2]))


def check_log(folder: Path, night: Night) -> list[Change]:
    """No event is lost or doubled, the log makes the state, steps are taken one at a time, and every answered command is in it."""
    store = open_store(folder / ".changeover" / "changeover.db")
    try:
        assert list(store.verify()) == []
        changes = list(store.changes(limit=100_000))
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
    assert all(0 <= after - before <= 1 for taken in steps.values() for before, after in pairwise(taken)), steps
    for revision, verb in night.told:
        body = changes[revision - 1].body
        assert isinstance(body, RolloutStarted) if verb == "rollouts" else isinstance(body, RolloutMoved) and body.event == verb
    return changes
