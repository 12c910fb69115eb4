"""Closed blocks' summaries and the units they enrolled, on disk."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from changeover.adapters.sql import schema
from changeover.adapters.sql.session import Part
from changeover.ports.store import StoreError

UNITS_PER_QUERY: Final = 2000
"""Databases bound the parameters of one statement; SQLite's bound is 32,766."""


class SqlSummaryShelf(Part):
    """``ports.store.SummaryShelf``. Nothing here syncs: the change that rests on a summary does (see ``dialect.Kind``)."""

    def save_summary(self, *, rollout: str, stream: str, block: int, body: bytes, units: Sequence[str]) -> None:
        """See ``SummaryShelf``."""
        key = {"rollout": rollout, "stream": stream, "block": block}
        name = f"block {block} of {stream} of rollout {rollout}"
        with self._session.writing(durable=False) as connection:
            kept = _summary(connection, rollout, stream, block)
            if kept == body:
                return
            if kept is not None:
                raise StoreError(f"{name} is closed with another summary; it is written once")
            if len(set(units)) < len(units) or _enrolled(connection, rollout, stream, units):
                raise StoreError(f"{name} enrols a unit twice; a unit counts once per rollout")
            connection.execute(sa.insert(schema.summaries), {**key, "body": body})
            if units:
                connection.execute(sa.insert(schema.enrolments), [{**key, "unit": unit} for unit in units])

    def enrolled(self, *, rollout: str, stream: str, units: Sequence[str]) -> set[str]:
        """See ``SummaryShelf``."""
        with self._session.reading() as connection:
            return _enrolled(connection, rollout, stream, units)

    def summaries(self, *, rollout: str, stream: str, after: int = -1) -> Sequence[tuple[int, bytes]]:
        """See ``SummaryShelf``."""
        table = schema.summaries
        query = (
            sa.select(table.c.block, table.c.body)
            .where(table.c.rollout == rollout, table.c.stream == stream, table.c.block > after)
            .order_by(table.c.block)
        )
        with self._session.reading() as connection:
            return [(block, body) for block, body in connection.execute(query)]


def _summary(connection: sa.Connection, rollout: str, stream: str, block: int) -> bytes | None:
    table = schema.summaries
    return connection.scalar(sa.select(table.c.body).where(table.c.rollout == rollout, table.c.stream == stream, table.c.block == block))


def _enrolled(connection: sa.Connection, rollout: str, stream: str, units: Sequence[str]) -> set[str]:
    table = schema.enrolments
    found: set[str] = set()
    for first in range(0, len(units), UNITS_PER_QUERY):
        asked = units[first : first + UNITS_PER_QUERY]
        found.update(
            connection.scalars(sa.select(table.c.unit).where(table.c.rollout == rollout, table.c.stream == stream, table.c.unit.in_(asked)))
        )
    return found
