"""Which schema has a store, without opening it as one? It takes no lock and changes nothing, also while a server runs."""

import sqlite3
from pathlib import Path

from changeover.adapters.sql.migration import REVISIONS
from changeover.ports.store import StoreError


def schema_of(path: Path) -> str | None:
    """The revision in the file, ``None`` for an empty one.

    Raises:
        StoreError: it cannot be read, or its schema is not one that this code knows.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)
        try:
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'").fetchone()
            row = None if found is None else connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be read as a store: {error}; restore a backup, or move it away to begin anew") from error
    if row is not None and row[0] not in REVISIONS:
        raise StoreError(f"{path} has schema {row[0]}, expected one of {REVISIONS[0]} to {REVISIONS[-1]}: run the version that wrote it")
    return None if row is None else str(row[0])


def newest_schema() -> str:
    return REVISIONS[-1]
