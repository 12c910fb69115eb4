"""How many requests were served, of what kind, how fast? Counted on the request path at the price of two additions."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from changeover.exchange.observation import Observation, Outcome
from changeover.traffic.table import Side

BOUNDS_MS: Final = (50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 30_000.0, 60_000.0, 120_000.0, 300_000.0)
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


class Tally:
    """Counts since the start of the process."""

    def __init__(self) -> None:
        self._requests: dict[tuple[object, ...], int] = {}
        self._latencies: dict[tuple[str | None, Side | None], Latencies] = {}

    @property
    def requests(self) -> Mapping[Served, int]:
        """How many of each kind there were."""
        return {Served(*key): count for key, count in self._requests.items()}  # pyright: ignore[reportArgumentType]

    @property
    def latencies(self) -> Mapping[tuple[str | None, Side | None], Latencies]:
        """By task and side."""
        return self._latencies

    def note(self, seen: Observation) -> None:
        """Count one request."""
        key = (seen.task, seen.side, seen.assigned, seen.served, seen.outcome, seen.status, seen.attempts)
        requests = self._requests
        if key in requests:
            requests[key] += 1
        else:
            self._first(key)
        if seen.outcome is _ANSWERED:
            found = self._latencies.get((seen.task, seen.side))
            if found is None:
                found = self._latencies[seen.task, seen.side] = Latencies()
            found.counts[bisect_left(BOUNDS_MS, seen.latency_ms)] += 1
            found.sum_ms += seen.latency_ms

    def _first(self, key: tuple[object, ...]) -> None:
        """Beyond ``KINDS_MAX`` a kind keeps its outcome alone."""
        kind = key if len(self._requests) < KINDS_MAX else (None, None, None, None, key[4], None, 0)
        self._requests[kind] = self._requests.get(kind, 0) + 1
