"""Rolling back under load, in real processes: what fails, and how long the candidate is still asked after the commit."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from changeover.adapters.sql import open_store
from changeover.rollout.world import Change, RolloutMoved
from tests.acceptance.rig import CANDIDATE, DEADLINE_S, FILE, TASK, Rig, _first_line, until

RATE = 500.0
CONNECTIONS = 64
BEFORE = 200
"""Requests between the candidate's weight and the rollback, and again after it."""
HALF = """
rollouts:
  half:
    task: docstring-summaries
    candidate: summariser-prod-v0601
    steps: [{{weight: 50}}, {{analysis: {{require: pass, min_duration: 24h}}}}, {{weight: 100}}]
"""
LOAD_FILE = FILE.replace("block: 1s", "block: 30m") + HALF
BODY = b'{"model": "docstring-summaries", "messages": [{"role": "user", "content": "A first sentence. A second one, longer."}]}'


@dataclass
class Load:
    """Requests at a steady rate, as far as the machine allows, by connections that stay open. ``failed``: not answered with 200."""

    gateway: str
    rate: float = RATE
    answered: int = 0
    failed: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        await asyncio.gather(*(self._call(number) for number in range(CONNECTIONS)))

    async def more(self, requests: int) -> None:
        enough = self.answered + requests
        await until(lambda: self.answered >= enough, what=f"{requests} further answers")

    async def _call(self, number: int) -> None:
        clock, pace_s = asyncio.get_running_loop().time, CONNECTIONS / self.rate
        due = clock() + pace_s * number / CONNECTIONS
        where = urlsplit(self.gateway)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        fields = f"host: {where.netloc}\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
        while not self.stop.is_set():
            await asyncio.sleep(max(due - clock(), 0.0))
            due = max(due + pace_s, clock())
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\n" + fields.encode() + BODY)
            self.failed += not await _is_answered(reader)
            self.answered += 1
        writer.close()


async def _is_answered(reader: asyncio.StreamReader) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return head.startswith(b"http/1.1 200")


@dataclass(frozen=True)
class Rollback:
    """``took_s``: from the commit to the last request that began on the candidate; ``late``: how many began after every data plane was
    known to serve without it.
    """

    attempt: int
    asked: int
    took_s: float
    late: int


@dataclass(frozen=True)
class Rollbacks:
    answered: int
    failed: int
    rate: float
    each: tuple[Rollback, ...]

    def quantile_ms(self, share: float) -> float:
        """Of the times from a commit to the last request on the candidate."""
        times = sorted(one.took_s for one in self.each)
        return 1000 * times[min(int(share * len(times)), len(times) - 1)]

    def __str__(self) -> str:
        asked, late = sum(one.asked for one in self.each), sum(one.late for one in self.each)
        return (
            f"{len(self.each)} rollbacks at {self.rate:.0f} requests/s: {self.answered} requests, {self.failed} failed, "
            f"{asked} on the candidate, {late} after every data plane knew; "
            f"from commit to the last one begun on the candidate p50 {self.quantile_ms(0.5):.0f} ms, "
            f"p99 {self.quantile_ms(0.99):.0f} ms"
        )


async def roll_back_often(folder: Path, *, times: int, rate: float = RATE) -> Rollbacks:
    rig = Rig(folder)
    try:
        stage = await _stage(rig)
        load = Load(rig.gateway, rate)
        clock = asyncio.get_running_loop().time
        began, serving = clock(), asyncio.create_task(load.run())
        try:
            for number in range(times):
                await _roll_back(stage, load, is_first=number == 0)
        finally:
            load.stop.set()
            await serving
        took_s = clock() - began
        await stage.aclose()
        await rig.stop()
        return Rollbacks(load.answered, load.failed, load.answered / took_s, tuple(_measured(folder)))
    finally:
        await rig.close()


async def _stage(rig: Rig) -> httpx2.AsyncClient:
    sim = await rig._spawn("sim", "changeover.azure_sim", "--port", "0", "--key-env", "ACCEPTANCE_KEY", "--lifeline")
    rig.stage = json.loads(await asyncio.wait_for(_first_line(sim), DEADLINE_S))["url"]
    (rig.folder / "changeover.yaml").write_text(LOAD_FILE.format(endpoint=rig.stage))
    await rig.serve()
    transport = httpx2.AsyncHTTPTransport(uds=rig.socket)
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost/api/v1", trust_env=False, timeout=30.0)


async def _roll_back(control: httpx2.AsyncClient, load: Load, *, is_first: bool) -> None:
    if not is_first:
        await _ask(control, f"tasks/{TASK}/release", {"candidate": CANDIDATE})
    await _ask(control, "rollouts", {"task": TASK, "candidate": CANDIDATE})
    await until(lambda: _is_served(control, 50), what="the weight at the gateway")
    await load.more(BEFORE)
    await _ask(control, f"tasks/{TASK}/rollback", {"reason": "a rehearsal"})
    await until(lambda: _is_served(control, 0), what="all traffic back on the stable")
    await load.more(BEFORE)


async def _is_served(control: httpx2.AsyncClient, percent: int) -> bool:
    task: Any = (await control.get("/status")).json()["tasks"][0]
    return task["percent"] == percent and task["acknowledged"]


async def _ask(control: httpx2.AsyncClient, path: str, body: object) -> None:
    answer = await control.post(f"/{path}", json=body)
    assert answer.is_success, answer.text


def _measured(folder: Path) -> list[Rollback]:
    """From the log and from what the gateway reported: both by the clock of this machine."""
    store = open_store(folder / ".changeover" / "changeover.db")
    try:
        assert list(store.verify()) == []
        changes, found = list(store.changes(limit=100_000)), list[Rollback]()
        for rollout in store.world().rollouts.values():
            rows = store.rows(task=TASK, attempt=rollout.attempt, since=0.0, until=float("inf"), score=None)
            begun = [row.observation.started_at for row in rows if row.observation.served == CANDIDATE]
            committed_at, known_at = _times(changes, rollout.id)
            late = sum(at > known_at for at in begun)
            found.append(Rollback(rollout.attempt, len(begun), max(max(begun) - committed_at, 0.0), late))
    finally:
        store.close()
    return found


def _times(changes: Sequence[Change], rollout: str) -> tuple[float, float]:
    """When it was rolled back, and when every data plane had said that it knows."""
    moves = [
        (change.at, change.body.event) for change in changes if isinstance(change.body, RolloutMoved) and change.body.rollout == rollout
    ]
    committed_at = next(at for at, event in moves if event == "roll_back")
    return committed_at, next(at for at, event in moves if event == "acknowledged" and at >= committed_at)


def say(found: Rollbacks) -> None:
    sys.stdout.write(f"{found}\n")
