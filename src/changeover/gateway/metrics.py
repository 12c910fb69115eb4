"""What does a data plane tell Prometheus? Counts and states that are there anyway, put together when somebody asks."""

import asyncio
import resource
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import monotonic
from typing import Final, Literal

import msgspec

from changeover import __version__
from changeover.gateway.reporter import Reporter
from changeover.gateway.server import Gateway
from changeover.gateway.table_keeper import TableKeeper
from changeover.gateway.tally import BOUNDS_MS, Served
from changeover.ports.clock import Clock
from changeover.ports.exposition import Family, Labels, Sample, gauge, histogram_samples, joined, labels, render
from changeover.ports.plane_disk import MetricsShelf
from changeover.traffic.breaker import CLOSED, Stance, stance

KEEP_S: Final = 1.0
FRESH_S: Final = 15.0
"""What a data plane beside this one last kept is told for so long; then it is taken to be gone."""

_PREFIX: Final = "changeover_gateway_"
_STANCES: Final = {Stance.CLOSED: 0, Stance.HALF_OPEN: 1, Stance.OPEN: 2}
_MS: Final = 1_000.0


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One data plane's families at ``at`` (Unix time)."""

    at: float
    families: tuple[Family, ...]


def _one(_: Served) -> int:
    return 1


class GatewayMetrics:
    """``shelf`` is where data planes that share a port leave their numbers for each other: a scrape reaches one of them, by
    chance, and tells of all. A count is told only after it was kept, so that no later scrape, of another one, finds a
    smaller one and takes it for a restart; the numbers are then up to ``KEEP_S`` old.
    """

    def __init__(
        self, *, plane: str, gateway: Gateway, reporter: Reporter, keeper: TableKeeper, clock: Clock, shelf: MetricsShelf | None
    ) -> None:
        self._at = labels(plane=plane)
        self._gateway = gateway
        self._reporter = reporter
        self._keeper = keeper
        self._clock = clock
        self._shelf = shelf
        self._kept: Sequence[Family] | None = None

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        own = self._kept or self.families()
        return render(own if self._shelf is None else joined((own, *self._beside(self._shelf))))

    async def run(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Keep the numbers for the others, until cancelled."""
        while self._shelf is not None:
            found = tuple(self.families())
            body = msgspec.json.encode(Snapshot(at=self._clock.now(), families=found))
            await asyncio.to_thread(self._shelf.keep, body)
            self._kept = found
            await sleep(KEEP_S)

    def families(self) -> list[Family]:
        """Those of this data plane alone."""
        return [*self._traffic(), *self._deployments(), *self._reporting(), *self._process()]

    def _beside(self, shelf: MetricsShelf) -> list[tuple[Family, ...]]:
        now = self._clock.now()
        found: list[tuple[Family, ...]] = []
        for body in shelf.others():
            try:
                snapshot = msgspec.json.decode(body, type=Snapshot)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # of another release, or cut short: its next one is a second away
            if abs(now - snapshot.at) < FRESH_S:
                found.append(snapshot.families)
        return found

    # What was served

    def _traffic(self) -> list[Family]:
        return [
            self._counter("requests_total", "Requests by task, assigned side, who served, and how they ended.", _request_at),
            self._counter("attempts_total", "Calls of deployments, repetitions and failovers included.", _task_at, _attempts),
            self._counter("failovers_total", "Requests answered by another deployment than the assigned one.", _moved_at),
            self._latencies(),
        ]

    def _counter(self, name: str, text: str, at: Callable[[Served], Labels | None], weigh: Callable[[Served], int] = _one) -> Family:
        """One count for each set of labels; ``None`` leaves a kind out."""
        totals: defaultdict[Labels, int] = defaultdict(int)
        for kind, count in self._reporter.tally.requests.items():
            found = at(kind)
            if found is not None:
                totals[found] += count * weigh(kind)
        return self._family(name, "counter", text, (Sample((*found, *self._at), total) for found, total in totals.items()))

    def _latencies(self) -> Family:
        samples: list[Sample] = []
        for (task, side), found in self._reporter.tally.latencies.items():
            at = (*labels(task=task or "", side=_side(side)), *self._at)
            bounds_s = [bound / _MS for bound in BOUNDS_MS]
            samples += histogram_samples(at, bounds_s=bounds_s, counts=found.counts, sum_s=found.sum_ms / _MS)
        return self._family("request_duration_seconds", "histogram", "Answered requests, to the caller's last byte.", samples)

    # Whom it calls

    def _deployments(self) -> list[Family]:
        now, breakers, idle = monotonic(), self._gateway.health.breakers, self._gateway.idle
        states = {name: _STANCES[stance(breakers.get(name, CLOSED), now)] for name in idle}
        return [
            self._by_deployment("breaker_state", "0: requests are sent; 1: one is, to try; 2: none is.", states),
            self._by_deployment("pool_idle_connections", "Connections to a deployment that wait for a request.", idle),
        ]

    def _by_deployment(self, name: str, text: str, values: dict[str, int]) -> Family:
        samples = (Sample((*labels(deployment=deployment), *self._at), value) for deployment, value in values.items())
        return self._family(name, "gauge", text, samples)

    # What it reports, and serves from

    def _reporting(self) -> list[Family]:
        reporter, keeper, gateway = self._reporter, self._keeper, self._gateway
        dropped = reporter.dropped
        sides = (("stable", dropped.stable), ("candidate", dropped.candidate), ("unassigned", dropped.unassigned))
        drops = (Sample((*labels(side=side), *self._at), count) for side, count in sides)
        return [
            self._gauge("requests_under_way", "Requests sent to a deployment and not yet answered.", gateway.under_way),
            self._gauge("callers_open", "Open connections of callers.", gateway.open_callers),
            self._gauge("observations_waiting", "Observations not yet delivered to the control plane.", reporter.waiting),
            self._family("observations_dropped_total", "counter", "Observations dropped because too many waited.", drops),
            self._gauge("observations_lost", "Requests of earlier runs that were never reported, as found at this start.", reporter.lost),
            self._gauge("table_revision", "Revision of the routing table it serves from; 0 without one.", keeper.revision),
            self._gauge("connected", "1 while the control plane answers.", int(bool(keeper.connected))),
        ]

    def _process(self) -> list[Family]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = Sample(self._at, used.ru_utime + used.ru_stime)
        return [
            self._family("cpu_seconds_total", "counter", "Processor time of this process.", [cpu]),
            gauge("changeover_build_info", "1; the version that runs.", 1, (*labels(version=__version__), *self._at)),
        ]

    def _gauge(self, name: str, text: str, value: float) -> Family:
        return gauge(f"{_PREFIX}{name}", text, value, self._at)

    def _family(self, name: str, kind: Literal["counter", "gauge", "histogram"], text: str, samples: Iterable[Sample]) -> Family:
        return Family(name=f"{_PREFIX}{name}", kind=kind, help=text, samples=tuple(samples))


def _attempts(kind: Served) -> int:
    return kind.attempts


def _request_at(kind: Served) -> Labels:
    return labels(
        task=kind.task or "",
        side=_side(kind.side),
        deployment=kind.served or "",
        outcome=kind.outcome.value,
        status="" if kind.status is None else f"{kind.status // 100}xx",
    )


def _task_at(kind: Served) -> Labels:
    return labels(task=kind.task or "", side=_side(kind.side))


def _moved_at(kind: Served) -> Labels | None:
    if kind.served is None or kind.assigned is None or kind.served == kind.assigned:
        return None
    return labels(task=kind.task or "", assigned=kind.assigned, deployment=kind.served)


def _side(side: str | None) -> str:
    return side or ""
