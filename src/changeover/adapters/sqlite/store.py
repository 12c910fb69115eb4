"""The store on disk: ledger, outbox, observation log, and the shelves of summaries, shapes and issuers over one connection."""

from pathlib import Path

import sqlalchemy as sa

from changeover.adapters.sqlite.issuer_shelf import SqliteIssuerShelf
from changeover.adapters.sqlite.ledger import SqliteLedger
from changeover.adapters.sqlite.lock import StoreLock
from changeover.adapters.sqlite.observation_log import SqliteObservationLog
from changeover.adapters.sqlite.session import Session
from changeover.adapters.sqlite.shape_shelf import SqliteShapeShelf
from changeover.adapters.sqlite.summary_shelf import SqliteSummaryShelf


class SqliteStore(SqliteLedger, SqliteObservationLog, SqliteSummaryShelf, SqliteShapeShelf, SqliteIssuerShelf):
    """``ports.store.Store`` in a SQLite file. Made by ``open_store``. Calls may come from several threads; they run one
    at a time. ``decide`` must not call the store it is asked by.
    """

    def __init__(self, connection: sa.Connection, path: Path, lock: StoreLock | None) -> None:
        super().__init__(Session(connection, path))
        self._held = lock

    def close(self) -> None:
        """See ``Store``. Twice does nothing."""
        self._session.close()
        held, self._held = self._held, None
        if held is not None:
            held.release()
