"""The one connection of a store and its transactions: one at a time, with errors in our words."""

import contextlib
import threading
from collections.abc import Generator
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from changeover.adapters.sql.engine import Engine, Kind, transaction
from changeover.ports.store import UnsoundError

T = TypeVar("T")


class Session:
    """Transactions on one connection, safe to use from several threads."""

    def __init__(self, connection: sa.Connection, engine: Engine) -> None:
        self.engine = engine
        self._connection = connection
        self._lock = threading.RLock()

    @property
    def place(self) -> str:
        """How messages name the store."""
        return self.engine.place

    @contextlib.contextmanager
    def reading(self) -> Generator[sa.Connection]:
        """One consistent look."""
        with self._lock, self.engine.translated("read"), transaction(self._connection, Kind.READ):
            yield self._connection

    @contextlib.contextmanager
    def writing(self, *, durable: bool) -> Generator[sa.Connection]:
        """One transaction, whole or not at all; on disk when it ends if ``durable``, else when a later durable one ends."""
        with self._lock, self.engine.translated("write"), transaction(self._connection, Kind.DURABLE if durable else Kind.WRITE):
            yield self._connection

    @contextlib.contextmanager
    def committing(self) -> Generator[sa.Connection]:
        """One durable transaction on the ledger. It locks what it rests on by its own first statement."""
        with self._lock, self.engine.translated("write"), transaction(self._connection, Kind.LEDGER):
            yield self._connection

    def close(self) -> None:
        """Give the connection back. Twice does nothing."""
        with self._lock, self.engine.translated("close"):
            self._connection.close()

    def read_back(self, text: str, kind: type[T], what: str) -> T:
        """Decode a stored value; ``what`` names it where it cannot be.

        Raises:
            UnsoundError: it is not what this code writes.
        """
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.DecodeError as error:
            advice = "it was changed by something else: restore a backup"
            raise UnsoundError(f"cannot read {what} in {self.place}: {error}; {advice}") from error


class Part:
    """A part of the store, on the session that all parts share."""

    def __init__(self, session: Session) -> None:
        self._session = session


def as_text(value: object) -> str:
    """A value as it is stored."""
    return msgspec.json.encode(value).decode()
