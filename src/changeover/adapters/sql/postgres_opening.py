"""How is a store in PostgreSQL opened? By as many control planes as like, all of one schema."""

import importlib.util

import sqlalchemy as sa

from changeover.adapters.sql.database_url import database_url
from changeover.adapters.sql.migration import bring_up
from changeover.adapters.sql.postgres_engine import PostgresEngine
from changeover.adapters.sql.store import SqlStore
from changeover.ports.store import StoreError


def postgres_engine(text: str) -> PostgresEngine:
    """The engine for the database that a URL names.

    Raises:
        StoreError: it is no URL of ours, or the driver is not installed.
    """
    url = database_url(text)
    if importlib.util.find_spec("psycopg") is None:
        raise StoreError("a PostgreSQL store needs the driver psycopg; install it: pip install 'changeover[postgres]'")
    return PostgresEngine(url)


def open_database(text: str) -> SqlStore:
    """Open the store in the database that the URL ``text`` names. An empty database gets the schema; an older one is refused, since
    other control planes may be at work on it.

    Raises:
        StoreError: it cannot be reached, is of another schema or of something else.
    """
    engine = postgres_engine(text)
    return SqlStore(connected(engine, only_empty=True), engine)


def connected(engine: PostgresEngine, *, only_empty: bool) -> sa.Connection:
    """A connection to a database with the newest schema; see ``migration.bring_up``."""
    with engine.translated("open"):
        connection = engine.connect()
        try:
            bring_up(connection, engine.place, only_empty=only_empty)
        except BaseException:
            connection.close()
            raise
        return connection
