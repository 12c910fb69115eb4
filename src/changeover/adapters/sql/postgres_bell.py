"""Has anybody committed? A connection of its own hears it at once; without one, whoever waits looks often."""

import threading
from typing import TYPE_CHECKING, Final

from changeover.adapters.sql.database_url import database_url
from changeover.adapters.sql.postgres_engine import CHANNEL, CONNECT_S

if TYPE_CHECKING:
    import psycopg

DEAF_S: Final = 0.1
"""How long to wait between two looks while nothing can be heard: a table must be out well before a quarter of a second."""


class PostgresBell:
    """``ports.store.CommitBell`` over ``LISTEN``."""

    def __init__(self, url: str) -> None:
        # Here libpq reads the URL itself; what it does not know was refused before.
        self._url = database_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._closed = threading.Event()

    def wait(self, longest_s: float) -> None:
        """See ``CommitBell``."""
        import psycopg

        try:
            connection = self._listening()
            for _ in connection.notifies(timeout=longest_s, stop_after=1):
                return
        except (psycopg.Error, OSError):
            self._hang_up()
            self._closed.wait(min(longest_s, DEAF_S))

    def close(self) -> None:
        """See ``CommitBell``. Called when nobody waits any more."""
        self._closed.set()
        self._hang_up()

    def _listening(self) -> "psycopg.Connection[tuple[object, ...]]":
        import psycopg

        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=CONNECT_S, application_name="changeover bell", prepare_threshold=None
            )
            self._connection.execute(f"LISTEN {CHANNEL}")
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
