"""How many requests were served, of what kind, how fast? Counted on the request path at the price of two additions."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from changeover.exchange.observation import Observation, Outcome
from changeover.traffic.table import Side

BOUNDS_MS: Final[Sequence[float]] = (
    50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 30_000.0, 60_000.0, 120_000.0, 300_000.0,
)  # fmt: skip
"""Upper ends of the latency buckets; one more bucket holds the rest."""

KINDS_MAX: Final = 5_000
"""Kinds of requests told apart. Tasks and deployments are those of the tables; a provider could still invent statuses."""

_ANSWERED: Final = Outcome.ANSWERED


class Served(NamedTuple):
    """A kind of request: what it was, whom it was for, who served it, how it ended. ``attempts`` were made of each."""

    task: str | None
    side: Side | None
    assigned: str | None
    served: str | None
    outcome: Outcome
    status: int | None
    attempts: int


@dataclass(slots=True)
class Latencies:
    """Answered requests by time to the last byte."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    sum_ms: float = 0.0


class _Count:
    """Requests of one kind, and where their latencies are counted: nowhere if they were not answered."""

    __slots__ = ("latencies", "requests")

    def __init__(self, latencies: Latencies | None) -> None:
        self.requests = 0
        self.latencies = latencies


class Tally:
    """Counts since the start of the process."""

    def __init__(self, kinds_max: int = KINDS_MAX) -> None:
        self._kinds_max = kinds_max
        self._requests: dict[tuple[object, ...], _Count] = {}
        self._latencies: dict[tuple[str | None, Side | None], Latencies] = {}

    @property
    def requests(self) -> Mapping[Served, int]:
        """How many of each kind there were."""
        return {Served._make(key): count.requests for key, count in self._requests.items()}

    @property
    def latencies(self) -> Mapping[tuple[str | None, Side | None], Latencies]:
        """By task and side."""
        return self._latencies

    def note(self, seen: Observation) -> None:
        """Count one request."""
        key = (seen.task, seen.side, seen.assigned, seen.served, seen.outcome, seen.status, seen.attempts)
        count = self._requests.get(key)
        if count is None:
            count = self._first(key, seen)
        count.requests += 1
        latencies = count.latencies
        if latencies is not None:
            latency_ms = seen.latency_ms
            latencies.counts[bisect_left(BOUNDS_MS, latency_ms)] += 1
            latencies.sum_ms += latency_ms

    def _first(self, key: tuple[object, ...], seen: Observation) -> _Count:
        """The count of a new kind. Beyond ``kinds_max`` a kind keeps its outcome alone, and what is returned is not kept."""
        latencies = None
        if seen.outcome is _ANSWERED:
            latencies = self._latencies.setdefault((seen.task, seen.side), Latencies())
        count = _Count(latencies)
        if len(self._requests) < self._kinds_max:
            self._requests[key] = count
        else:
            others = self._requests.setdefault((None, None, None, None, seen.outcome, None, 0), _Count(None))
            others.requests += 1
        return count
