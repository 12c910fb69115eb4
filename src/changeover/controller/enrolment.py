"""Which requests of a block count? Those of units that were not enrolled before."""

from collections.abc import Sequence
from typing import NamedTuple

from changeover.gates.streams import Row
from changeover.ports.store import Store
from changeover.rollout.state import Rollout


class Enrolled(NamedTuple):
    """A block's rows that count, the sticky units that they enrol, and the later requests of units enrolled before."""

    rows: list[Row]
    units: list[str]
    later: list[Row]


def rows_between(store: Store, rollout: Rollout, *, since: float, until: float, score: str | None) -> list[Row]:
    """The attempt's assigned requests of that time, each with its first score of that name."""
    found = store.rows(task=rollout.task, attempt=rollout.attempt, since=since, until=until, score=score)
    return [(row.observation, row.score) for row in found]


def enrolled(store: Store, rows: Sequence[Row], *, rollout: str, stream: str) -> Enrolled:
    """A sticky unit counts once per rollout: its first request (rule I14). What an SDK repeats is never a first one."""
    sticky = {row.unit for row, _ in rows if row.sticky}
    seen = store.enrolled(rollout=rollout, stream=stream, units=sorted(sticky)) if sticky else set[str]()
    kept: list[Row] = []
    later: list[Row] = []
    for row, score in rows:
        if row.retry or (row.sticky and row.unit in seen):
            later.append((row, score))
            continue
        if row.sticky:
            seen.add(row.unit)
        kept.append((row, score))
    return Enrolled(kept, [row.unit for row, _ in kept if row.sticky], later)
