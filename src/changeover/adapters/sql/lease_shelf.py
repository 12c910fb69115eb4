"""Who acts for all control planes of one store, on disk."""

import sqlalchemy as sa

from changeover.adapters.sql import schema
from changeover.adapters.sql.engine import insert_new
from changeover.adapters.sql.session import Part
from changeover.ports.lease import CONTROLLER, Lease
from changeover.ports.store import LeaseLostError

_table = schema.lease


class SqlLeaseShelf(Part):
    """``ports.lease.LeaseShelf``."""

    def lease(self, name: str) -> Lease | None:
        """See ``LeaseShelf``."""
        with self._session.reading() as connection:
            return _found(connection, name)

    def take_lease(self, name: str, *, holder: str, seen: Lease | None, expires_at: float) -> Lease | None:
        """See ``LeaseShelf``. On disk when it returns, as what rests on it will be."""
        epoch = 1 if seen is None else seen.epoch + 1
        taken = Lease(name=name, holder=holder, epoch=epoch, expires_at=expires_at)
        row = {"holder": holder, "epoch": epoch, "expires_at": expires_at}
        with self._session.committing() as connection:
            if seen is None:
                connection.execute(insert_new(connection, _table), {"name": name, **row, "epoch": 0})
                seen = Lease(name=name, holder=holder, epoch=0, expires_at=expires_at)
            done = connection.execute(sa.update(_table).where(_as_seen(seen)).values(**row))
        return taken if done.rowcount else None

    def renew_lease(self, lease: Lease, *, expires_at: float) -> Lease:
        """See ``LeaseShelf``."""
        with self._session.committing() as connection:
            held = (_table.c.name == lease.name) & (_table.c.epoch == lease.epoch)
            if not connection.execute(sa.update(_table).where(held).values(expires_at=expires_at)).rowcount:
                raise _lost(_found(connection, lease.name), lease.epoch)
        return Lease(name=lease.name, holder=lease.holder, epoch=lease.epoch, expires_at=expires_at)

    def release_lease(self, lease: Lease) -> None:
        """See ``LeaseShelf``."""
        with self._session.committing() as connection:
            held = (_table.c.name == lease.name) & (_table.c.epoch == lease.epoch)
            connection.execute(sa.update(_table).where(held).values(holder=""))


def refuse_lost(connection: sa.Connection, epoch: int) -> None:
    """Raise ``LeaseLostError`` unless ``epoch`` is that of the controller's lease, which stays so until the transaction's end."""
    present = connection.scalar(sa.select(_table.c.epoch).where(_table.c.name == CONTROLLER).with_for_update(read=True))
    if present != epoch:
        raise _lost(_found(connection, CONTROLLER), epoch)


def _found(connection: sa.Connection, name: str) -> Lease | None:
    row = connection.execute(sa.select(_table).where(_table.c.name == name)).first()
    return None if row is None else Lease(name=row.name, holder=row.holder, epoch=row.epoch, expires_at=row.expires_at)


def _as_seen(seen: Lease) -> sa.ColumnElement[bool]:
    return (_table.c.name == seen.name) & (_table.c.epoch == seen.epoch) & (_table.c.expires_at == seen.expires_at)


def _lost(present: Lease | None, epoch: int) -> LeaseLostError:
    now = "nobody acts" if present is None else f"{present.holder or 'nobody'} acts under epoch {present.epoch}"
    return LeaseLostError(f"epoch {epoch} is over, {now}: nothing was committed; this control plane follows until it takes over again")
