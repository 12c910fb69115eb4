"""`python -m benchmarks.streams`: does a gateway hold a thousand streams at once, and at what price in memory and time?

Real processes on the loopback: a provider, `changeover serve`, and callers here. First the same streams straight to the
provider (what is not the gateway's), then through it. Fails unless every stream ended in its own ``[DONE]`` with all its
events and all were open at one moment.
"""

import argparse
import asyncio
import platform
import statistics
import sys
from asyncio import BaseTransport, Transport
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Final, cast

import uvloop

from benchmarks.stage import TASK, Stage, StageError, cpu_s, raise_open_files, resident_kb, stage

FILES_PER_STREAM: Final = 2
FILES_SPARE: Final = 256
START_WAIT_S: Final = 60.0
OTHER_EVENTS: Final = 4
"""Role, finish, usage, end."""
CONTENT: Final = b'"content":" word"'
DIRECT_PATH: Final = b"/openai/deployments/x/chat/completions"
GATEWAY_PATH: Final = b"/v1/chat/completions"


@dataclass
class Crowd:
    """All streams of one run."""

    streams: int
    events: int
    flowing: int = 0
    most: int = 0
    ended: int = 0
    first_content_s: list[float] = field(default_factory=list)
    total_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, seconds: float) -> None:
        self.first_content_s.append(seconds)
        self.flowing += 1
        self.most = max(self.most, self.flowing)

    def end(self, *, began: bool, seconds: float, fault: str | None) -> None:
        self.flowing -= began
        self.ended += 1
        self.total_s.append(seconds)
        if fault is not None:
            self.faults.append(fault)
        if self.ended == self.streams:
            self.over.set()


class Caller(asyncio.Protocol):
    """One stream: asked for, read to its end, judged."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self._crowd = crowd
        self._request = request
        self._said = bytearray()
        self._sent_at = 0.0
        self._begun = self._judged = False
        self._transport: Transport | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast("Transport", transport)
        self._sent_at = perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._said += data
        if not self._begun and CONTENT in self._said:
            self._begun = True
            self._crowd.begin(perf_counter() - self._sent_at)
        if self._said.endswith(b"0\r\n\r\n"):
            self._judge(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._judge(f"the connection ended: {exc}")

    def _judge(self, fault: str | None) -> None:
        if self._judged:
            return
        self._judged = True
        said = bytes(self._said)
        if fault is None and not said.startswith(b"HTTP/1.1 200 "):
            fault = said[:200].decode("latin-1")
        events = said.count(CONTENT)
        if fault is None and (events != self._crowd.events or said.count(b"data: [DONE]\n\n") != 1 or b'"error"' in said):
            fault = f"{events} of {self._crowd.events} events, ends {said[-80:]!r}"
        self._crowd.end(began=self._begun, seconds=perf_counter() - self._sent_at, fault=fault)
        if self._transport is not None:
            self._transport.close()


REQUEST: Final = (
    b"POST %b HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nauthorization: Bearer sk-bench\r\ncontent-length: %d\r\n\r\n%b"
)
BODY: Final = (
    b'{"messages":[{"role":"user","content":"Summarise."}],"model":"%b","user":"user-%d","stream":true,"bench":{"events":%d,"gap_ms":%g}}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What every run asks for."""

    streams: int
    events: int
    gap_ms: float
    per_second: float


def request(path: bytes, number: int, plan: Plan) -> bytes:
    body = BODY % (TASK.encode(), number, plan.events, plan.gap_ms)
    return REQUEST % (path, len(body), body)


async def gather(port: int, path: bytes, plan: Plan) -> Crowd:
    """All streams, begun at an even pace and open together; ends when the last has ended."""
    crowd = Crowd(plan.streams, plan.events)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(plan.streams):
        await asyncio.sleep(began + number / plan.per_second - loop.time())
        data = request(path, number, plan)
        await loop.create_connection(lambda data=data: Caller(crowd, data), "127.0.0.1", port)
    await asyncio.wait_for(crowd.over.wait(), START_WAIT_S + 3 * plan.events * plan.gap_ms / 1000)
    return crowd


def percentiles(values: list[float]) -> str:
    cuts = statistics.quantiles(values, n=100)
    return f"P50 {cuts[49] * 1000:.1f}, P95 {cuts[94] * 1000:.1f}, P99 {cuts[98] * 1000:.1f}, max {max(values) * 1000:.1f} ms"


def report(name: str, crowd: Crowd) -> None:
    print(f"{name:<8} {crowd.streams} streams of {crowd.events} events, {crowd.most} at once, {len(crowd.faults)} failed")
    for fault in crowd.faults[:5]:
        print(f"         failed: {fault}")
    if crowd.first_content_s:
        print(f"         to the first content: {percentiles(crowd.first_content_s)}")
        print(f"         to the last byte:     {percentiles(crowd.total_s)}")


async def measure(plan: Plan) -> int:
    warm = replace(plan, streams=min(50, plan.streams), gap_ms=5.0)
    async with stage() as made:
        direct = await gather(made.provider_port, DIRECT_PATH, plan)
        await gather(made.gateway_port, GATEWAY_PATH, warm)
        before_kb, before_s = resident_kb(made.gateway_pid), cpu_s(made.gateway_pid)
        ours = await gather(made.gateway_port, GATEWAY_PATH, plan)
        spent_s, peak_kb = cpu_s(made.gateway_pid) - before_s, resident_kb(made.gateway_pid, peak=True)
        complaints = _complaints(made)
    print(f"{platform.machine()}, CPython {platform.python_version()}; loopback, no isolation: latency is the machine's as much as ours")
    print(f"{plan.streams} streams begun at {plan.per_second:g} a second, an event each {plan.gap_ms:g} ms")
    report("direct", direct)
    report("gateway", ours)
    a_stream_kb, a_stream_ms = (peak_kb - before_kb) / plan.streams, spent_s / plan.streams * 1000
    print(
        f"gateway  {before_kb / 1024:.1f} MB before, {peak_kb / 1024:.1f} MB at most ({a_stream_kb:.1f} KB a stream); "
        f"{a_stream_ms:.2f} ms CPU a stream, {a_stream_ms * 1000 / (plan.events + OTHER_EVENTS):.0f} us an event"
    )
    for line in complaints:
        print(f"         the server complained: {line}")
    held = not ours.faults and ours.most == plan.streams and not complaints
    print(f"{'held' if held else 'NOT HELD'}: expected {plan.streams} at once and none failed")
    return 0 if held else 1


def _complaints(made: Stage) -> list[str]:
    return [line for line in made.log().splitlines() if "Traceback" in line or '"level":"error"' in line or "[error" in line][:5]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--events", type=int, default=12)
    parser.add_argument("--gap-ms", type=float, default=500.0)
    parser.add_argument("--per-second", type=float, default=250.0, help="streams begun a second; all must be open before the first ends")
    options = parser.parse_args()
    plan = Plan(streams=options.streams, events=options.events, gap_ms=options.gap_ms, per_second=options.per_second)
    try:
        raise_open_files(FILES_PER_STREAM * plan.streams + FILES_SPARE)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(measure(plan))
    except StageError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
