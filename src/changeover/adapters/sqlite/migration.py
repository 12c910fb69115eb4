"""Is this file of the schema that the code knows? Makes an empty one, moves an older one up, refuses the rest."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from changeover.adapters.sqlite.dialect import Kind, transaction
from changeover.ports.store import StoreError

REVISIONS: Final = ("0001", "0002", "0003")
"""The schema revisions this code knows, oldest first, written down so that alembic is imported only when one is due."""

_version: Final = sa.table("alembic_version", sa.column("version_num", sa.Text))


def bring_up(connection: sa.Connection, path: Path) -> None:
    """Make the schema the newest one, all of it or nothing.

    Raises:
        StoreError: the file holds a schema that this code does not know, or something else altogether.
    """
    with transaction(connection, Kind.READ):
        found = _found(connection, path)
    if found == REVISIONS[-1]:
        return
    with transaction(connection, Kind.DURABLE):
        # Another process may have done it between the two transactions.
        if _found(connection, path) != REVISIONS[-1]:
            _upgrade(connection)


def _found(connection: sa.Connection, path: Path) -> str | None:
    """The revision of the schema in the file, ``None`` for an empty file."""
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    if _version.name not in tables:
        raise StoreError(
            f"{path} holds tables of something else ({', '.join(tables[:3])}), expected a store of changeover or an empty file; "
            "name another file"
        )
    found = connection.scalar(sa.select(_version.c.version_num))
    if found not in REVISIONS:
        raise StoreError(
            f"{path} has schema {found}, this version of changeover knows {REVISIONS[0]} to {REVISIONS[-1]}; "
            "it was written by a newer version: run that one, or restore a backup made before the upgrade"
        )
    return str(found)


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "changeover.adapters.sqlite:migrations")
    command.upgrade(config, REVISIONS[-1])
