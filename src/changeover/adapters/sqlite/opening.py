"""How is a store opened? For this user only, by one process, with the newest schema, or not at all."""

import os
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from changeover.adapters.sqlite.dialect import connect, translated
from changeover.adapters.sqlite.lock import StoreLock
from changeover.adapters.sqlite.migration import bring_up
from changeover.adapters.sqlite.store import SqliteStore
from changeover.ports.store import StoreError

DIRECTORY_MODE: Final = 0o700
FILE_MODE: Final = 0o600


def open_store(path: Path, *, lock: bool = True) -> SqliteStore:
    """Open the store at ``path``; a missing file, and its directory, are made.

    Without ``lock`` several stores may have the file open: commits are still in order, but nothing keeps two servers
    from both acting on it.

    Raises:
        StoreError: another process holds it; it is damaged, newer than this code, or may not be written.
    """
    held = _prepare_files(path, lock=lock)
    try:
        return SqliteStore(_connection(path), path, held)
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


def _connection(path: Path) -> sa.Connection:
    with translated(path, "open"):
        connection = connect(path)
        try:
            bring_up(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection
