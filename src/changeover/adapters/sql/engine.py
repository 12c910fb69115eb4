"""What may differ from database to database: connecting, how a transaction begins, and what an error means. The rest of this
adapter is the same SQL for all of them.
"""

import contextlib
from collections.abc import Generator
from enum import StrEnum
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

KIND: Final = "changeover_kind"
"""The execution option under which a transaction's kind reaches the engine."""


class Kind(StrEnum):
    """What a transaction needs.

    What is committed as ``WRITE`` is on disk when a later one of the other two kinds is, in order: so a change is never on disk
    without the evidence it rests on, and what may be told again costs no sync. ``WRITE`` and ``DURABLE`` come one after the
    other. A ``LEDGER`` transaction touches the ledger alone and does not wait for those where the database can tell them apart.
    """

    READ = "read"
    WRITE = "write"
    DURABLE = "durable"
    LEDGER = "ledger"


class Engine(Protocol):
    """One database."""

    place: str
    """How messages name it; never with a password."""

    def connect(self) -> sa.Connection:
        """The one connection of a store, usable from any one thread at a time."""
        ...

    def translated(self, verb: str) -> contextlib.AbstractContextManager[None]:
        """Turn the driver's errors into ``StoreError``, with what to do about them; everything else passes."""
        ...

    def damage(self, connection: sa.Connection) -> list[str]:
        """What the database finds wrong with its own files; empty when they are whole, or when it cannot tell."""
        ...

    def announce(self, connection: sa.Connection, revision: int) -> None:
        """Tell the other control planes of this store that ``revision`` is committed, once it is."""
        ...


@contextlib.contextmanager
def transaction(connection: sa.Connection, kind: Kind) -> Generator[sa.Connection]:
    """Commit at the end, or roll back on any exception."""
    with connection.execution_options(**{KIND: kind}).begin():
        yield connection


def kind_of(connection: sa.Connection) -> Kind:
    """What the transaction that begins on ``connection`` needs."""
    return connection.get_execution_options().get(KIND, Kind.READ)


def insert_new(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that leaves the row that is there already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


class AsJson(GenericFunction[Any]):
    """A text column, read as the JSON that it holds."""

    type = sa.JSON()
    name = "as_json"
    inherit_cache = True


@compiles(AsJson)
def _plain(element: AsJson, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction]
    return compiler.process(element.clauses, **options)


@compiles(AsJson, "postgresql")
def _cast(element: AsJson, compiler: SQLCompiler, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction]
    return f"CAST({compiler.process(element.clauses, **options)} AS JSON)"
