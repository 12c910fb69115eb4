"""Does a server under load keep to its memory? ``python -m tests.soak.memory --minutes 10`` samples it and says how it grew.

Real processes on the loopback. Every kind of end is in the load: whole answers, streams, callers that leave, streams that
are cut, refusals that fail over, long answers, responses that are remembered, bad requests, fresh connections. First what is
bounded by count is filled, so that it does not pass for a leak. Ends with 0 only if neither process grew by more than
``GROWTH_MAX_MB`` in the second half, by a straight line through its samples, and the load was answered as expected.
"""

import argparse
import asyncio
import sys
from asyncio import BaseTransport, Transport
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Final, cast

import uvloop
from benchmarks.stage import TASK, Stage, StageError, open_files, raise_open_files, resident_kb, stage, tell

from changeover.gateway.health import ISSUED_MAX

GROWTH_MAX_MB: Final = 4.0
"""In the second half, per process: less than a leak of 100 bytes a request would make at the default pace."""
WORKERS: Final = 16
FILLERS: Final = 8
FILES: Final = 4096
DEADLINE_S: Final = 30.0
SAMPLES: Final = 120

CONFIG: Final = """
version: 1
accounts:
  up: {{kind: azure-openai, endpoint: "http://127.0.0.1:{provider}", auth: {{env: BENCH_KEY}}}}
deployments:
  gpt4o-prod-v0513: {{model: gpt-4o, version: "2024-05-13"}}
  gpt4o-prod-v0806: {{model: gpt-4o, version: "2024-08-06"}}
  gpt4o-prod-v1120: {{model: gpt-4o, version: "2024-11-20"}}
tasks:
  mail:
    stable: gpt4o-prod-v0806
    failover: [gpt4o-prod-v0513]
    sticky_by: [user]
    criteria: {{preset: standard, errors: {{max_ratio: 3, margin_pp: 5}}}}
evidence: {{block: 2s, min_blocks: 5}}
rollouts:
  soak:
    task: mail
    candidate: gpt4o-prod-v1120
    steps:
      - weight: 50
      - analysis: {{require: pass, min_duration: 24h}}
      - weight: 100
"""
"""A rollout that watches its evidence, block by block, and goes nowhere meanwhile."""
ROLLOUT: Final = ("rollout", "start", TASK, "--to", "gpt4o-prod-v1120", "--without", "quality,accuracy")

KINDS: Final[dict[str, tuple[int, str, int, str]]] = {
    # How many in a hundred, what is sent on, the expected status (0: the caller leaves), the order to the provider.
    "whole": (54, "chat", 200, "{}"),
    "stream": (14, "stream", 200, '{"events":10,"gap_ms":5}'),
    "response": (12, "response", 200, '{"response":true}'),
    "long": (3, "chat", 200, '{"bytes":300000}'),
    "left": (3, "stream", 0, '{"events":10,"gap_ms":20}'),
    "cut": (3, "stream", 200, '{"events":10,"gap_ms":5,"cut":true}'),
    "refused": (3, "chat", 400, '{"status":400}'),
    "fails over": (3, "chat", 503, '{"status":503}'),
    "fresh": (2, "fresh", 200, "{}"),
    "bad JSON": (1, "bad", 400, "{}"),
    "bad HTTP": (1, "nonsense", 400, "{}"),
    "unknown": (1, "unknown", 404, "{}"),
}
_numbers: Final = count()


class Caller(asyncio.Protocol):
    """One connection. ``ask`` sends a request and returns the status, once the answer is whole; 0 after ``leave_after``."""

    def __init__(self) -> None:
        self._transport: Transport | None = None
        self._said = bytearray()
        self._answer: asyncio.Future[int] | None = None
        self._leaves = False

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast("Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._end(-1)

    async def ask(self, data: bytes, *, leaves: bool) -> int:
        assert self._transport is not None
        self._said.clear()
        self._leaves = leaves
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return await asyncio.wait_for(self._answer, DEADLINE_S)

    def data_received(self, data: bytes) -> None:
        self._said += data
        if self._leaves and b'"content":' in self._said:
            self.leave()
        elif self._is_whole():
            self._end(int(self._said[9:12]))

    def leave(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._end(0)

    def _is_whole(self) -> bool:
        end = self._said.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._said[:end]).lower()
        at = head.find(b"content-length: ")
        if at < 0:
            return self._said.endswith(b"0\r\n\r\n")
        return len(self._said) >= end + 4 + int(head[at + 16 :].partition(b"\r\n")[0])

    def _end(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


@dataclass
class Tally:
    """What came of the load."""

    asked: int = 0
    answered: Counter[str] = field(default_factory=Counter[str])
    surprises: Counter[str] = field(default_factory=Counter[str])

    def note(self, kind: str, status: int, expected: int) -> None:
        self.asked += 1
        if status == expected:
            self.answered[kind] += 1
        else:
            self.surprises[f"{kind}: {status} for {expected}"] += 1


def request(form: str, order: str) -> bytes:
    if form == "nonsense":
        return b"nonsense\r\n\r\n"
    number = next(_numbers)
    stream = ',"stream":true' if form == "stream" else ""
    task = "nothing" if form == "unknown" else TASK
    end = "" if form == "bad" else "}"
    path = "/v1/responses" if form == "response" else "/v1/chat/completions"
    body = f'{{"model":"{task}","messages":[],"user":"user-{number}"{stream},"bench":{order}{end}'
    head = f"POST {path} HTTP/1.1\r\nhost: soak\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def schedule() -> list[str]:
    """A hundred kinds, well mixed: neighbours in the list are of different kinds."""
    ranked = [((number + 0.5) / often, kind) for kind, (often, *_) in KINDS.items() for number in range(often)]
    return [kind for _, kind in sorted(ranked)]


class Load:
    """``workers`` callers, each with a connection, asking in turn until ``stop`` is set; ``per_second`` together, 0 for all they can."""

    def __init__(self, port: int, *, kinds: Sequence[str], workers: int, per_second: float) -> None:
        self.tally = Tally()
        self.stop = asyncio.Event()
        self._port = port
        self._kinds = cycle(kinds)
        self._workers = workers
        self._pause_s = workers / per_second if per_second else 0.0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(self._workers):
                group.create_task(self._work(number / self._workers))

    async def _work(self, phase: float) -> None:
        loop = asyncio.get_running_loop()
        due_at = loop.time() + phase * self._pause_s
        caller: Caller | None = None
        while not self.stop.is_set():
            await asyncio.sleep(due_at - loop.time())
            due_at += self._pause_s
            caller = await self._ask(caller)
        if caller is not None:
            caller.leave()

    async def _ask(self, caller: Caller | None) -> Caller | None:
        kind = next(self._kinds)
        _, form, expected, order = KINDS[kind]
        if caller is None or not caller.is_open or form == "fresh":
            if caller is not None:
                caller.leave()
            _, caller = await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", self._port)
        status = await caller.ask(request(form, order), leaves=kind == "left")
        self.tally.note(kind, status, expected)
        if form == "nonsense":
            caller.leave()
        return caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One process over the second half: least squares through (seconds, KB)."""

    name: str
    first_mb: float
    last_mb: float
    peak_mb: float
    growth_mb: float
    mb_an_hour: float

    def __str__(self) -> str:
        return (
            f"{self.name:<8} {self.first_mb:6.1f} MB at the start, {self.last_mb:6.1f} at the end, {self.peak_mb:6.1f} at most; "
            f"second half: {self.growth_mb:+.2f} MB by the line ({self.mb_an_hour:+.1f} MB an hour); bound {GROWTH_MAX_MB:g} MB"
        )


def trend(name: str, samples: Sequence[tuple[float, float]], peak_mb: float) -> Trend:
    """``samples`` are (seconds, MB) in order."""
    half = samples[len(samples) // 2 :]
    mean_at = sum(at for at, _ in half) / len(half)
    mean_mb = sum(mb for _, mb in half) / len(half)
    spread = sum((at - mean_at) ** 2 for at, _ in half) or 1.0
    slope = sum((at - mean_at) * (mb - mean_mb) for at, mb in half) / spread
    span_s = half[-1][0] - half[0][0]
    return Trend(
        name=name, first_mb=samples[0][1], last_mb=samples[-1][1], peak_mb=peak_mb, growth_mb=slope * span_s, mb_an_hour=slope * 3600
    )


async def fill(made: Stage) -> None:
    """As many responses as are remembered: from then on each new one forgets an old one."""
    load = Load(made.gateway_port, kinds=["response"], workers=FILLERS, per_second=0)
    running = asyncio.create_task(load.run())
    while load.tally.asked < ISSUED_MAX and not running.done():  # noqa: ASYNC110 - the load goes on meanwhile
        await asyncio.sleep(0.1)
    load.stop.set()
    await running


async def sample(made: Stage, *, seconds: float) -> dict[str, list[tuple[float, float]]]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    found: dict[str, list[tuple[float, float]]] = {"gateway": [], "control": []}
    for number in range(SAMPLES + 1):
        await asyncio.sleep(began + seconds * number / SAMPLES - loop.time())
        at = loop.time() - began
        found["gateway"].append((at, resident_kb(made.gateway_pid) / 1024))
        found["control"].append((at, resident_kb(made.control_pid) / 1024))
        if number % (SAMPLES // 10) == 0:
            gateway_mb, control_mb = found["gateway"][-1][1], found["control"][-1][1]
            say(f"{at:6.0f} s: gateway {gateway_mb:.1f} MB, {open_files(made.gateway_pid)} files; control {control_mb:.1f} MB")
    return found


async def soak(*, minutes: float, per_second: float) -> int:
    async with stage(CONFIG, command=ROLLOUT) as made:
        await fill(made)
        say(f"filled: {ISSUED_MAX} responses are remembered; now {per_second:g} requests a second for {minutes:g} minutes")
        load = Load(made.gateway_port, kinds=schedule(), workers=WORKERS, per_second=per_second)
        running = asyncio.create_task(load.run())
        found = await sample(made, seconds=minutes * 60)
        load.stop.set()
        await running
        peaks = {"gateway": resident_kb(made.gateway_pid, peak=True) / 1024, "control": resident_kb(made.control_pid, peak=True) / 1024}
        say((await tell(made.folder, "rollout", "ls")).strip())
        complaints = [line for line in made.log().splitlines() if "Traceback" in line]
    return report([trend(name, samples, peaks[name]) for name, samples in found.items()], load.tally, complaints)


def report(trends: Sequence[Trend], tally: Tally, complaints: Sequence[str]) -> int:
    say(f"{tally.asked} requests: " + ", ".join(f"{often} {kind}" for kind, often in sorted(tally.answered.items())))
    for surprise, often in tally.surprises.items():
        say(f"not as expected, {often} times: {surprise}")
    for complaint in complaints:
        say(f"the server complained: {complaint}")
    for one in trends:
        say(str(one))
    met = not tally.surprises and not complaints and all(one.growth_mb <= GROWTH_MAX_MB for one in trends)
    say("flat" if met else "NOT FLAT, or not answered as expected")
    return 0 if met else 1


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.memory", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--per-second", type=float, default=200.0)
    options = parser.parse_args(arguments)
    try:
        raise_open_files(FILES)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(soak(minutes=options.minutes, per_second=options.per_second))
    except StageError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
