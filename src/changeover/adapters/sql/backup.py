"""How is a store kept elsewhere, and brought back? A backup is always a SQLite file of the store's own schema, whatever database it
is of: it can be verified, looked into, and restored into either.
"""

import contextlib
import os
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from changeover.adapters.sql.copying import copy_all, expect_alone, is_empty
from changeover.adapters.sql.engine import Kind, transaction
from changeover.adapters.sql.lock import StoreLock
from changeover.adapters.sql.migration import REVISIONS, bring_up, schema_found, steps_due
from changeover.adapters.sql.opening import FILE_MODE, open_store, read_store
from changeover.adapters.sql.postgres_engine import PostgresEngine
from changeover.adapters.sql.postgres_opening import connected, postgres_engine
from changeover.adapters.sql.sqlite_engine import SqliteEngine
from changeover.adapters.sql.store import SqlStore
from changeover.ports.store import StoreError, UnsoundError

_UNFINISHED: Final = ".unfinished"


class DueUpgrade:
    """What an upgrade does, or did: from which schema, to which, and every step with its one line."""

    def __init__(self, found: str | None) -> None:
        self.found = found
        self.newest = REVISIONS[-1]
        self.steps = tuple(steps_due(found))


def read_database(url: str) -> SqlStore:
    """Open the store in a database to look at it; nothing is made there.

    Raises:
        StoreError: it cannot be reached, or is not of the newest schema.
    """
    engine = postgres_engine(url)
    with _opened(engine) as (_, found):
        if found != REVISIONS[-1]:
            raise StoreError(f"{engine.place} has schema {found or 'none'}, expected {REVISIONS[-1]}; see: changeover db upgrade --dry-run")
    return SqlStore(connected(engine, only_empty=True), engine)


@contextlib.contextmanager
def read_moved_up(path: Path, scratch: Path) -> Generator[SqlStore]:
    """The store in a file, to look at; one of an older schema as a copy in ``scratch`` that was moved up.

    Raises:
        StoreError: it cannot be read, or is of a newer version.
        UnsoundError: it is damaged, or holds no store.
    """
    if not path.exists():
        raise StoreError(f"found no store at {path}; name the state directory of a server, or a backup")
    shown = path
    if _kept_schema(path) != REVISIONS[-1]:
        shown = scratch / path.name
        _copy_file(path, shown)
        open_store(shown, lock=False).close()
    with contextlib.closing(read_store(shown)) as store:
        yield store


def due_upgrade(path: Path, url: str | None) -> DueUpgrade:
    """What an upgrade would do. Nothing is changed.

    Raises:
        StoreError: the store cannot be read, or is of a newer version.
    """
    if url is None and not path.exists():
        raise StoreError(f"found no store at {path}; name the state directory of a server")
    engine = SqliteEngine(path, read_only=True) if url is None else postgres_engine(url)
    with _opened(engine) as (_, found):
        return DueUpgrade(found)


def upgrade(path: Path, url: str | None) -> DueUpgrade:
    """Move a store up to the newest schema, all of it or nothing.

    Raises:
        StoreError: it is in use, or cannot be moved up.
    """
    due = due_upgrade(path, url)
    if not due.steps:
        return due
    if url is None:
        open_store(path).close()
        return due
    engine = postgres_engine(url)
    with engine.translated("upgrade"):
        connection = engine.connect()
        try:
            expect_alone(connection, engine.place)
            bring_up(connection, engine.place)
        finally:
            connection.close()
    return due


def back_up(path: Path, url: str | None, target: Path) -> None:
    """Write everything as it is at one moment into the new file ``target``, also while servers run.

    Raises:
        StoreError: the store cannot be read; ``target`` is there already, or cannot be written. Nothing is left of it then.
    """
    with _written_whole(target) as draft:
        if url is None:
            _copy_file(path, draft)
        else:
            _copy_database(postgres_engine(url), draft)


def restore_file(source: Path, path: Path, *, replace: bool) -> Path | None:
    """Put what the backup ``source`` holds into the store at ``path``. Where what was there before lies now, if there was any.

    Raises:
        StoreError: the backup is not whole; a server holds the store; it is not empty and ``replace`` is not set.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = StoreLock(path.with_name(f"{path.name}.lock"))
    try:
        draft = path.with_name(f"{path.name}{_UNFINISHED}")
        with _draft_of(source, draft):
            kept = _set_aside(path, replace=replace)
            draft.rename(path)
            return kept
    finally:
        lock.release()


def restore_database(source: Path, url: str, scratch: Path, *, replace: bool) -> None:
    """Put what the backup ``source`` holds into the database, in one transaction. ``scratch`` is a directory for a copy.

    Raises:
        StoreError: the backup is not whole; control planes are at work there; it is not empty and ``replace`` is not set.
    """
    engine = postgres_engine(url)
    draft = scratch / f"restore{_UNFINISHED}"
    with _draft_of(source, draft):
        target = connected(engine, only_empty=True)
        given = SqliteEngine(draft, read_only=True)
        with contextlib.closing(target), contextlib.closing(given.connect()) as rows, engine.translated("restore"):
            expect_alone(target, engine.place)
            if not replace and not is_empty(target):
                raise _not_empty(engine.place)
            copy_all(rows, target)


def _kept_schema(path: Path) -> str:
    """The schema of the store that a file holds.

    SQLite takes a file of no bytes for a database without tables, which the next step would fill as a new store.

    Raises:
        StoreError: it cannot be read, or is of a newer version.
        UnsoundError: it is damaged, or holds no store.
    """
    with _opened(SqliteEngine(path, read_only=True)) as (_, found):
        if found is None:
            what = "a database without tables" if path.stat().st_size else "an empty file"
            raise UnsoundError(f"{path}: found {what}, expected a backup made by changeover db backup")
        return found


@contextlib.contextmanager
def _opened(engine: SqliteEngine | PostgresEngine) -> Generator[tuple[sa.Connection, str | None]]:
    """A connection to look with, and the schema that it found."""
    with engine.translated("open"):
        connection = engine.connect()
    with contextlib.closing(connection):
        with engine.translated("read"), transaction(connection, Kind.READ):
            found = schema_found(connection, engine.place)
        yield connection, found


@contextlib.contextmanager
def _written_whole(target: Path) -> Generator[Path]:
    """A draft beside ``target`` that takes its name at the end, on disk, for this user only; or nothing."""
    draft = target.with_name(f"{target.name}{_UNFINISHED}")
    try:
        if target.exists():
            raise StoreError(f"{target} is there already; a backup overwrites nothing, name another file")
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
        try:
            yield draft
            _sync(draft)
            draft.rename(target)
            _sync(target.parent)
        finally:
            _remove(draft)
    except FileExistsError as error:
        raise StoreError(f"found {draft}, left by a backup that did not end; remove it and try again") from error
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}; name a place with room for it that this user may write") from error


def _copy_file(path: Path, draft: Path) -> None:
    """SQLite's own backup: a consistent copy beside whoever writes."""
    if not path.exists():
        raise StoreError(f"found no store at {path}; name the state directory of a server, or --database")
    with (
        SqliteEngine(path).translated("back up"),
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(draft)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")


def _copy_database(engine: PostgresEngine, draft: Path) -> None:
    made = SqliteEngine(draft)
    with _opened(engine) as (source, found):
        if found != REVISIONS[-1]:
            raise StoreError(f"{engine.place} has schema {found or 'none'}; back it up with the version of changeover that wrote it")
        with made.translated("write"), contextlib.closing(made.connect()) as target:
            bring_up(target, made.place)
            with engine.translated("back up"):
                copy_all(source, target)
    with contextlib.closing(sqlite3.connect(draft)) as target:
        target.execute("PRAGMA journal_mode=DELETE")


@contextlib.contextmanager
def _draft_of(source: Path, draft: Path) -> Generator[None]:
    """A copy of the backup at ``draft``, of the newest schema and proven whole: replayed, chained, and its pages read."""
    _remove(draft)
    try:
        if source.exists():
            _kept_schema(source)
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
        _copy_file(source, draft)
        store = open_store(draft, lock=False)
        try:
            faults = store.verify()
        finally:
            store.close()
        if faults:
            raise UnsoundError(f"{source} is not whole, nothing was restored: {'; '.join(faults[:3])}")
        yield
    except OSError as error:
        raise StoreError(f"cannot restore {source}: {error.strerror}; make room, and check who may write there") from error
    finally:
        _remove(draft)


def _set_aside(path: Path, *, replace: bool) -> Path | None:
    if not path.exists():
        return None
    store_is_empty = False
    with contextlib.suppress(StoreError), contextlib.closing(read_store(path)) as store:
        store_is_empty = store.world().revision == 0
    if not (replace or store_is_empty):
        raise _not_empty(str(path))
    number = 1
    while (kept := path.with_name(f"{path.name}.replaced-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + suffix))
    return kept


def _not_empty(place: str) -> StoreError:
    return StoreError(f"{place} is not empty; what is there would be replaced: say so with --yes, after a backup of it")


def _remove(draft: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    held = os.open(path, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
