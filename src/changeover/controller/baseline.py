"""What did the stable do before the rollout? A sample of its last day, when nothing was on trial."""

from typing import Final, NamedTuple

from changeover.gates.streams import Row
from changeover.ports.store import Store
from changeover.rollout.state import Rollout

DAY_S: Final = 24 * 3600.0
SLICES: Final = 288
"""Of five minutes each."""

STRIDE: Final = 89
"""Without a common factor with ``SLICES``: the slices read first lie evenly over the whole day."""

ROWS_MAX: Final = 20_000
"""No slice is read after so many rows: more would tell hardly more, and the store serves others too."""

NO_ATTEMPT: Final = 0
"""The attempt number of requests that were served while nothing was on trial."""


def stable_before(store: Store, rollout: Rollout, *, score: str | None) -> list[Row]:
    """Requests of the rollout's stable in the 24 hours before its start, in the order they began."""
    return stable_day(store, Served(rollout.task, rollout.stable), until=rollout.started_at, score=score)


class Served(NamedTuple):
    """A task and the stable that serves it."""

    task: str
    stable: str


def stable_day(store: Store, served: Served, *, until: float, score: str | None, rows_max: int = ROWS_MAX) -> list[Row]:
    """Requests of the stable in the 24 hours before ``until`` while nothing was on trial, in the order they began."""
    began, slice_s = until - DAY_S, DAY_S / SLICES
    found: list[Row] = []
    for number in range(SLICES):
        since = began + (number * STRIDE % SLICES) * slice_s
        rows = store.rows(task=served.task, attempt=NO_ATTEMPT, since=since, until=since + slice_s, score=score)
        found += [(row.observation, row.score) for row in rows if row.observation.assigned == served.stable]
        if len(found) >= rows_max:
            break
    return sorted(found, key=lambda row: (row[0].started_at, row[0].request_id))
