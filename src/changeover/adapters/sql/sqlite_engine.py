"""Everything that only SQLite says: connecting, how a transaction begins, and what its errors mean."""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from changeover.adapters.sql.engine import Kind, kind_of
from changeover.ports.store import StoreError, UnsoundError

BUSY_MS: Final = 5000
"""How long a writer waits for another. Nobody else should write; a backup or a shell may read and lock for a moment."""
WAL_BYTES_MAX: Final = 64 * 1024 * 1024

_DURABLE: Final = ("PRAGMA synchronous=FULL", "BEGIN IMMEDIATE")
_BEGIN: Final = {
    Kind.READ: ("PRAGMA synchronous=NORMAL", "BEGIN"),
    Kind.WRITE: ("PRAGMA synchronous=NORMAL", "BEGIN IMMEDIATE"),
    Kind.DURABLE: _DURABLE,
    Kind.LEDGER: _DURABLE,
}
"""``IMMEDIATE`` takes the write lock before anything is read: what is read is the latest, and stays so until commit.

In WAL mode ``synchronous=NORMAL`` survives the death of the process but not of the machine: it syncs at checkpoints
only. ``FULL`` syncs the log at every commit, and with it everything that was committed before, in order.
"""

_ADVICE: Final[dict[int | None, str]] = {
    sqlite3.SQLITE_FULL: "the disk is full; make room and try again",
    sqlite3.SQLITE_READONLY: "it may not be written; check the owner and mode of the file and of its directory",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; stop the server, keep a copy of the file, and restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database, or damaged at its beginning; restore a backup, or move it away to begin anew",
    sqlite3.SQLITE_BUSY: f"another program held it for over {BUSY_MS // 1000} s; close what has it open and try again",
    sqlite3.SQLITE_LOCKED: "another connection holds a table of it; close what has it open and try again",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write; look at the system's log and the free space",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its directory exists and may be written",
    sqlite3.SQLITE_CONSTRAINT: "it would break a rule of the store; this is a fault of the program, please report it",
}
_PRIMARY_CODE: Final = 0xFF
_UNSOUND: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NO_TEXT: Final = "Could not decode to UTF-8"
"""The driver's words, without a code, for text that is none: we never wrote it."""


class SqliteEngine:
    """``engine.Engine`` for one file. With ``read_only`` nothing is written to it, whoever asks."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.place = str(path)
        self._read_only = read_only

    def connect(self) -> sa.Connection:
        """See ``Engine``."""
        # isolation_level None: the driver begins nothing by itself, the listener below does.
        arguments = {"check_same_thread": False, "timeout": BUSY_MS / 1000, "isolation_level": None}
        engine = sa.create_engine(self._url(), poolclass=NullPool, connect_args=arguments)
        event.listen(engine, "connect", _look_only if self._read_only else _prepare)
        event.listen(engine, "begin", _begin)
        return engine.connect()

    def _url(self) -> sa.URL:
        if not self._read_only:
            return sa.URL.create("sqlite", database=str(self.path))
        return sa.URL.create("sqlite", database=self.path.absolute().as_uri(), query={"mode": "ro", "uri": "true"})

    @contextlib.contextmanager
    def translated(self, verb: str) -> Generator[None]:
        """See ``Engine``."""
        try:
            yield
        except DBAPIError as error:
            raise _translation(verb, self.place, error.orig) from error
        except sqlite3.Error as error:
            raise _translation(verb, self.place, error) from error

    def damage(self, connection: sa.Connection) -> list[str]:
        """See ``Engine``."""
        found = [str(line) for (line,) in connection.exec_driver_sql("PRAGMA quick_check(10)")]
        found += [
            f"table {row[0]} row {row[1]} points to a missing row of {row[2]}"
            for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
        ]
        return [line for line in found if line != "ok"]

    def announce(self, connection: sa.Connection, revision: int) -> None:
        """See ``Engine``: there is nobody else."""


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"found journal mode {mode}, expected wal; put the store on a local disk")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES_MAX}")


def _look_only(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


def _begin(connection: sa.Connection) -> None:
    for statement in _BEGIN[kind_of(connection)]:
        connection.exec_driver_sql(statement)


def _translation(verb: str, place: str, error: BaseException | None) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & _PRIMARY_CODE if isinstance(code, int) else None
    is_text_damaged = str(error).startswith(_NO_TEXT)
    advice = _ADVICE.get(sqlite3.SQLITE_CORRUPT if is_text_damaged else primary)
    # the driver quotes the text, which may be anybody's
    said = _NO_TEXT if is_text_damaged else f"{error}"
    kind = UnsoundError if is_text_damaged or primary in _UNSOUND else StoreError
    return kind(f"cannot {verb} {place}: {said}: {advice}" if advice else f"cannot {verb} {place}: {said}")
