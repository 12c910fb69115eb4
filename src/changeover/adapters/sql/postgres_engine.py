"""Everything that only PostgreSQL says: connecting, how a transaction begins, and what its errors mean."""

import contextlib
from collections.abc import Generator, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from changeover.adapters.sql.database_url import shown, without_secrets
from changeover.adapters.sql.engine import Kind, kind_of
from changeover.ports.store import StoreError

SERVER_MIN: Final = 150_000
"""PostgreSQL 15."""
CONNECT_S: Final = 5
IDLE_IN_TRANSACTION_MS: Final = 4000
"""A process that stands still in the middle of a commit holds the others up so long; then the database ends its session."""
LOCK_WAIT_MS: Final = 8000
"""Longer than that: whoever waits for one who stands still gets through."""
STATEMENT_MS: Final = 30_000
CHANNEL: Final = "changeover"
"""On which a commit is announced to all control planes of the database."""
EVIDENCE_LOCK: Final = 0x6368616E67656F76
"""Writers of evidence come one after the other; the number is ours, and its lock is one per database."""

_LOCKED: Final = f"SELECT pg_advisory_xact_lock({EVIDENCE_LOCK})"
_BEGIN: Final[Mapping[Kind, str]] = {
    Kind.READ: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    Kind.WRITE: f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off; {_LOCKED}",
    Kind.DURABLE: f"BEGIN ISOLATION LEVEL READ COMMITTED; {_LOCKED}",
    Kind.LEDGER: "BEGIN ISOLATION LEVEL READ COMMITTED",
}
"""Each statement of a ``READ COMMITTED`` transaction sees what was committed before it began: what is read after a lock was taken is
the latest, and stays so. Without ``synchronous_commit`` a commit reaches the disk with the next one that has it, in order.
"""

_ADVICE: Final[Mapping[str, str]] = {
    "53100": "the database's disk is full; make room and try again",
    "53300": "the database takes no more connections; raise max_connections, or close some",
    "25006": "it may not be written: it is a standby, or set to read only; name the primary",
    "55P03": "another session held it for too long; look for one that stands still in pg_stat_activity",
    "25P03": "this process stood still in the middle of a transaction, and the database ended it; nothing was written",
    "57014": "it took too long; look at the load of the database",
    "57P01": "the database was stopped; it is asked again",
    "57P03": "the database is starting or stopping; it is asked again",
    "28P01": "the password is not accepted; check CHANGEOVER_DATABASE, PGPASSWORD or the passfile",
    "28000": "this user may not come in so; check the user, and pg_hba.conf",
    "3D000": "there is no such database; make one: createdb NAME",
    "42501": "this user may not do that; it needs all rights on its own schema",
    "XX001": "the database is damaged; stop, keep a copy, and restore a backup",
    "XX002": "an index of the database is damaged; reindex it, or restore a backup",
    "58030": "the database's disk failed; look at its log",
}
_REFUSED_AT_THE_DOOR: Final = (
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("no pg_hba.conf entry", "28000"),
    ("role ", "28000"),
    ("database ", "3D000"),
    ("too many clients", "53300"),
    ("starting up", "57P03"),
    ("shutting down", "57P03"),
)
"""Who is refused while connecting is told in words alone; the first that is found counts."""
_CONNECTION: Final = "it cannot be reached; check that it runs, the address, and the way there"
_CLASS_CONNECTION: Final = "08"
_CLASS_CONSTRAINT: Final = "23"
_RULE: Final = "it would break a rule of the store; this is a fault of the program, please report it"


class PostgresEngine:
    """``engine.Engine`` for one database."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.place = shown(url)

    def connect(self) -> sa.Connection:
        """See ``Engine``. A connection that was lost is made again by the next transaction."""
        # autocommit: the driver begins nothing by itself, the listener below does. Nothing is prepared on the server, so that a
        # pooler may stand between.
        arguments: dict[str, Any] = {
            "autocommit": True,
            "prepare_threshold": None,
            "connect_timeout": CONNECT_S,
            "application_name": "changeover",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        }
        engine = sa.create_engine(self.url, poolclass=NullPool, connect_args=arguments, use_native_hstore=False)
        event.listen(engine, "connect", self._prepare)
        event.listen(engine, "begin", _begin)
        return engine.connect()

    @contextlib.contextmanager
    def translated(self, verb: str) -> Generator[None]:
        """See ``Engine``."""
        import psycopg

        try:
            yield
        except DBAPIError as error:
            raise self._error(verb, error.orig) from None
        except psycopg.Error as error:
            raise self._error(verb, error) from None

    def damage(self, connection: sa.Connection) -> list[str]:  # noqa: ARG002 - see below
        """See ``Engine``: a server looks after its own files, and every row of the ledger is read anyway."""
        return []

    def announce(self, connection: sa.Connection, revision: int) -> None:
        """See ``Engine``. It is heard when the transaction has committed, and not otherwise."""
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}, '{revision}'")

    def _error(self, verb: str, error: BaseException | None) -> StoreError:
        """Without the cause: what a driver carries along may hold the password."""
        said = without_secrets(str(error), self.url)
        state = str(getattr(error, "sqlstate", None) or "") or _state_of(said)
        advice = _ADVICE.get(state, "")
        if not advice:
            advice = _RULE if state.startswith(_CLASS_CONSTRAINT) else ""
            is_away = not state and type(error).__name__ == "OperationalError"
            advice = _CONNECTION if is_away or state.startswith(_CLASS_CONNECTION) else advice
        return StoreError(f"cannot {verb} {self.place}: {said}{': ' if advice else ''}{advice}")

    def _prepare(self, connection: Any, _record: object) -> None:
        version = connection.info.server_version
        if version < SERVER_MIN:
            raise StoreError(f"found PostgreSQL {version // 10_000} at {self.place}, expected {SERVER_MIN // 10_000} or newer")
        connection.execute(
            f"SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS}; SET lock_timeout = {LOCK_WAIT_MS}; "
            f"SET statement_timeout = {STATEMENT_MS}"
        )
        (syncs,) = connection.execute("SHOW synchronous_commit").fetchone()
        if syncs == "off":
            connection.execute("SET synchronous_commit = on")


def _state_of(said: str) -> str:
    _, fatal, reason = said.partition("FATAL: ")
    return next((state for words, state in _REFUSED_AT_THE_DOOR if fatal and words in reason), "")


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(_BEGIN[kind_of(connection)])
