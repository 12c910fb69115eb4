"""Is this database of the schema that the code knows? Makes an empty one, moves an older one up, refuses the rest."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from changeover.adapters.sql.engine import Kind, transaction
from changeover.ports.store import StoreError, UnsoundError

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005")
"""The schema revisions this code knows, oldest first, written down so that alembic is imported only when one is due."""

_version: Final = sa.table("alembic_version", sa.column("version_num", sa.Text))


def bring_up(connection: sa.Connection, place: str, *, only_empty: bool = False) -> None:
    """Make the schema the newest one, all of it or nothing. With ``only_empty`` an older one is refused.

    Raises:
        StoreError: the database holds a schema that this code does not know, or something else altogether.
    """
    with transaction(connection, Kind.READ):
        found = schema_found(connection, place)
    if found == REVISIONS[-1]:
        return
    if only_empty and found is not None:
        raise StoreError(
            f"{place} has schema {found}, this version of changeover needs {REVISIONS[-1]}. Stop every control plane of an older "
            "version (traffic flows on), make a backup with: changeover db backup FILE, then run: changeover db upgrade"
        )
    with transaction(connection, Kind.DURABLE):
        # Another process may have done it between the two transactions.
        if schema_found(connection, place) != REVISIONS[-1]:
            _upgrade(connection)


def schema_found(connection: sa.Connection, place: str) -> str | None:
    """The revision of the schema in the database, ``None`` for an empty one.

    Raises:
        StoreError: it is not one that this code knows, or what is there is not ours.
    """
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    if _version.name not in tables:
        raise UnsoundError(
            f"{place} holds tables of something else ({', '.join(tables[:3])}), expected a store of changeover or an empty one; "
            "name another"
        )
    found = connection.scalar(sa.select(_version.c.version_num))
    if found not in REVISIONS:
        raise StoreError(
            f"{place} has schema {found}, this version of changeover knows {REVISIONS[0]} to {REVISIONS[-1]}; "
            "it was written by a newer version: run that one, or restore a backup made before the upgrade"
        )
    return str(found)


def expect_schema(connection: sa.Connection, place: str) -> None:
    """Refuse to write into a schema that was changed by a newer version while this one runs.

    Raises:
        StoreError: it was.
    """
    found = connection.scalar(sa.select(_version.c.version_num))
    if found != REVISIONS[-1]:
        raise StoreError(
            f"{place} was moved to schema {found} while this control plane runs with {REVISIONS[-1]}; "
            "stop it and start the version that made the upgrade"
        )


def steps_due(found: str | None) -> list[tuple[str, str]]:
    """What an upgrade from ``found`` would do: every revision with its one line."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    due = REVISIONS[0 if found is None else REVISIONS.index(found) + 1 :]
    return [(revision, (scripts.get_revision(revision).doc or "").partition("\n")[0]) for revision in due]


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "changeover.adapters.sql:migrations")
    command.upgrade(config, REVISIONS[-1])
