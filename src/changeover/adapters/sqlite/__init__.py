"""Where does the control plane remember? In one SQLite file, opened by one process."""

from changeover.adapters.sqlite.opening import open_store
from changeover.adapters.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "open_store"]
