"""What is known before a rollout starts? The stable's own last day, and how fast new units came in the last week."""

from collections import Counter
from typing import Final

from changeover.controller.baseline import DAY_S, NO_ATTEMPT, Served, stable_day
from changeover.evidence.arrivals import Arrivals, DayCount, arrivals_of
from changeover.gates.criteria import Criteria
from changeover.gates.facts import facts_of
from changeover.ports.office import Foreknowledge
from changeover.ports.store import Store
from changeover.rollout.world import TaskState

ROWS_MAX: Final = 5_000
"""Requests that the facts are read from: somebody waits for the answer."""

WINDOWS_S: Final = (7 * DAY_S, DAY_S, 3600.0, 300.0)
"""Arrivals are read from the longest of these that holds no more than `REQUESTS_MAX`."""

REQUESTS_MAX: Final = 200_000


def foreknowledge(store: Store, task: TaskState, criteria: Criteria, *, now: float) -> Foreknowledge:
    """Everything a forecast of ``task`` under ``criteria`` rests on, as of ``now``."""
    served = Served(task.name, task.stable)
    quality = criteria.quality
    score = None if quality is None else quality.score
    rows = stable_day(store, served, until=now, score=score, rows_max=ROWS_MAX)
    harm = None if criteria.safety is None else criteria.safety.harmful
    harmful = [] if harm is None else stable_day(store, served, until=now, score=harm, rows_max=ROWS_MAX)
    return Foreknowledge(facts_of(rows, quality=quality, harmful=harmful), _arrivals(store, task, now))


def _arrivals(store: Store, task: TaskState, now: float) -> Arrivals | None:
    attempts = range(NO_ATTEMPT, task.attempts + 1)
    for window_s in WINDOWS_S:
        seen = store.first_seen(task=task.name, attempts=attempts, since=now - window_s, until=now, most=REQUESTS_MAX)
        if seen is not None:
            days = Counter(int(at // DAY_S) for at in seen)
            counts = [DayCount(day=day, units=units) for day, units in sorted(days.items())]
            return arrivals_of(counts, since=seen[0], until=now) if seen else None
    return None
