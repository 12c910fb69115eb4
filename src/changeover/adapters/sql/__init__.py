"""Where does the control plane remember? In one SQLite file, opened by one process, or in a PostgreSQL database that several share."""

from changeover.adapters.sql.lock import StoreLock
from changeover.adapters.sql.opening import open_store, read_store
from changeover.adapters.sql.postgres_bell import PostgresBell
from changeover.adapters.sql.postgres_opening import open_database
from changeover.adapters.sql.store import SqlStore

__all__ = ["PostgresBell", "SqlStore", "StoreLock", "open_database", "open_store", "read_store"]
