"""How does a whole store move from one database to another? Table by table, in one transaction on either side."""

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from changeover.adapters.sql import schema
from changeover.adapters.sql.engine import Kind, transaction
from changeover.ports.store import StoreError

ROWS_PER_STEP: Final = 500
_COUNTERS: Final = (schema.outbox, schema.scores, schema.response_issuers)
"""Tables whose identities are given by the database, and never twice: the counter moves with the rows."""
_PATIENT: Final = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '8s'"


def copy_all(source: sa.Connection, target: sa.Connection) -> int:
    """Replace everything in ``target`` by what ``source`` holds at one moment; how many rows that were. Both have the newest schema.
    The lease of the target's controllers moves on, so that who held it commits nothing more.
    """
    with transaction(source, Kind.READ), transaction(target, Kind.DURABLE):
        for side in (source, target):
            if side.dialect.name == "postgresql":
                side.exec_driver_sql(_PATIENT)
        epochs = _epochs(target)
        _clear(target)
        rows = sum(_copy_table(source, target, table) for table in schema.metadata.sorted_tables)
        for table in _COUNTERS:
            _set_counter(target, table, _counter(source, table))
        _move_leases(target, epochs)
        _guard(target, on=True)
    return rows


def is_empty(connection: sa.Connection) -> bool:
    """Whether nothing was ever committed there."""
    with transaction(connection, Kind.READ):
        return not connection.scalar(sa.select(schema.world.c.revision))


def expect_alone(connection: sa.Connection, place: str) -> None:
    """Refuse to replace a database that control planes are at work on.

    Raises:
        StoreError: there are any.
    """
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'changeover%' "
        "AND pid <> pg_backend_pid()"
    )
    with transaction(connection, Kind.READ):
        others = connection.scalar(query) or 0
    if others:
        raise StoreError(f"{place} is in use: {others} connections of control planes; stop them all first (traffic flows on)")


def _clear(target: sa.Connection) -> None:
    _guard(target, on=False)
    for table in reversed(schema.metadata.sorted_tables):
        target.execute(sa.delete(table))


def _guard(target: sa.Connection, *, on: bool) -> None:
    """The triggers that keep the log; off only within this transaction. In a new file there are no rows that they could guard."""
    if target.dialect.name == "postgresql":
        target.exec_driver_sql(f"ALTER TABLE changes {'ENABLE' if on else 'DISABLE'} TRIGGER USER")


def _copy_table(source: sa.Connection, target: sa.Connection, table: sa.Table) -> int:
    copied = 0
    for rows in _steps(source, table):
        target.execute(sa.insert(table), rows)
        copied += len(rows)
    return copied


def _steps(source: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    with source.execute(sa.select(table), execution_options={"yield_per": ROWS_PER_STEP}) as found:
        for rows in found.mappings().partitions(ROWS_PER_STEP):
            yield [dict(row) for row in rows]


def _counter(connection: sa.Connection, table: sa.Table) -> int:
    """The highest identity ever given."""
    if connection.dialect.name == "postgresql":
        query = sa.text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table.name}_id_seq")  # noqa: S608 - our own name
        return connection.scalar(query) or 0
    kept = connection.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    return max(kept or 0, connection.scalar(sa.select(sa.func.max(table.c.id))) or 0)


def _set_counter(connection: sa.Connection, table: sa.Table, value: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SELECT setval('{table.name}_id_seq', :value, :called)"), {"value": max(value, 1), "called": value > 0})
    elif table.kwargs.get("sqlite_autoincrement"):
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES (:name, :value)"), {"name": table.name, "value": value})


def _epochs(connection: sa.Connection) -> dict[str, int]:
    return {row.name: row.epoch for row in connection.execute(sa.select(schema.lease.c.name, schema.lease.c.epoch))}


def _move_leases(connection: sa.Connection, before: dict[str, int]) -> None:
    """Nobody holds them, and no epoch comes a second time."""
    table = schema.lease
    connection.execute(sa.update(table).values(holder=""))
    for name, epoch in before.items():
        connection.execute(sa.update(table).where(table.c.name == name, table.c.epoch <= epoch).values(epoch=epoch + 1))
