"""The store on disk: ledger, outbox, observation log, leases, and the shelves of summaries, shapes and issuers over one connection."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from changeover.adapters.sql.engine import Engine
from changeover.adapters.sql.issuer_shelf import SqlIssuerShelf
from changeover.adapters.sql.lease_shelf import SqlLeaseShelf
from changeover.adapters.sql.ledger import SqlLedger
from changeover.adapters.sql.letter_shelf import SqlLetterShelf
from changeover.adapters.sql.lock import StoreLock
from changeover.adapters.sql.observation_log import SqlObservationLog
from changeover.adapters.sql.session import Session
from changeover.adapters.sql.shape_shelf import SqlShapeShelf
from changeover.adapters.sql.summary_shelf import SqlSummaryShelf

UNREADABLE_NAMED_MAX: Final = 10
"""So many unreadable observations and scores are named; more would say no more."""


class SqlStore(SqlLedger, SqlObservationLog, SqlSummaryShelf, SqlShapeShelf, SqlIssuerShelf, SqlLeaseShelf, SqlLetterShelf):
    """``ports.store.Store`` in a database. Made by ``open_store`` and ``open_database``. Calls may come from several threads;
    they run one at a time. ``decide`` must not call the store it is asked by.
    """

    def __init__(self, connection: sa.Connection, engine: Engine, lock: StoreLock | None = None) -> None:
        super().__init__(Session(connection, engine))
        self._held = lock

    @property
    def place(self) -> str:
        """How messages name it; never with a password."""
        return self._session.place

    def verify(self) -> Sequence[str]:
        """See ``Ledger``. In a ledger that is whole, also asks whether every observation and score can be read: no chain holds them."""
        return super().verify() or self.unreadable(most=UNREADABLE_NAMED_MAX)

    def close(self) -> None:
        """See ``Store``. Twice does nothing."""
        self._session.close()
        held, self._held = self._held, None
        if held is not None:
            held.release()
