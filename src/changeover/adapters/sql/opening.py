"""How is a store opened? For this user only, by one process, with the newest schema, or not at all."""

import os
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from changeover.adapters.sql.engine import Kind, transaction
from changeover.adapters.sql.lock import StoreLock
from changeover.adapters.sql.migration import REVISIONS, bring_up, schema_found
from changeover.adapters.sql.sqlite_engine import SqliteEngine
from changeover.adapters.sql.store import SqlStore
from changeover.ports.store import StoreError

DIRECTORY_MODE: Final = 0o700
FILE_MODE: Final = 0o600


def open_store(path: Path, *, lock: bool = True) -> SqlStore:
    """Open the store at ``path``; a missing file, and its directory, are made.

    Without ``lock`` several stores may have the file open: commits are still in order, but nothing keeps two servers
    from both acting on it.

    Raises:
        StoreError: another process holds it; it is damaged, newer than this code, or may not be written.
    """
    held = _prepare_files(path, lock=lock)
    try:
        engine = SqliteEngine(path)
        return SqlStore(_connection(engine), engine, held)
    except BaseException:
        if held is not None:
            held.release()
        raise


def _prepare_files(path: Path, *, lock: bool) -> StoreLock | None:
    """The lock comes first: who does not hold it touches nothing. SQLite gives its other files the mode of the first."""
    held = None
    try:
        path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        held = StoreLock(path.with_name(f"{path.name}.lock")) if lock else None
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            os.fchmod(file, FILE_MODE)
        finally:
            os.close(file)
    except OSError as error:
        if held is not None:
            held.release()
        raise StoreError(
            f"cannot open {path}: {error.strerror}; expected a file that this user may write, in a directory of its own"
        ) from error
    return held


def read_store(path: Path) -> SqlStore:
    """Open the store at ``path`` to look at it alone: no lock, nothing is written, also while a server runs.

    Raises:
        StoreError: there is none, it is damaged, or its schema is not the newest.
    """
    if not path.exists():
        raise StoreError(f"found no store at {path}; name the state directory of a server, or a backup")
    engine = SqliteEngine(path, read_only=True)
    with engine.translated("open"):
        connection = engine.connect()
        try:
            with transaction(connection, Kind.READ):
                _expect_newest(connection, engine.place)
        except BaseException:
            connection.close()
            raise
    return SqlStore(connection, engine)


def _expect_newest(connection: sa.Connection, place: str) -> None:
    found = schema_found(connection, place)
    if found != REVISIONS[-1]:
        raise StoreError(f"{place} has schema {found or 'none'}, expected {REVISIONS[-1]}; move it up first: changeover db upgrade")


def _connection(engine: SqliteEngine) -> sa.Connection:
    with engine.translated("open"):
        connection = engine.connect()
        try:
            bring_up(connection, engine.place)
        except BaseException:
            connection.close()
            raise
        return connection
