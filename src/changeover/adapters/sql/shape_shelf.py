"""What each task's requests look like, on disk."""

from collections.abc import Sequence

import sqlalchemy as sa

from changeover.adapters.sql import schema
from changeover.adapters.sql.engine import insert_new
from changeover.adapters.sql.session import Part, as_text
from changeover.ports.planes import TaskShape
from changeover.ports.store import SHAPES_PER_TASK_MAX
from changeover.wire.sent_shape import SentShape, merged

_table = schema.request_shapes


class SqlShapeShelf(Part):
    """``ports.store.ShapeShelf``. Nothing here syncs: what is lost is told again."""

    def keep_shapes(self, shapes: Sequence[TaskShape], *, at: float) -> None:
        """See ``ShapeShelf``."""
        with self._session.writing(durable=False) as connection:
            for told in shapes:
                self._keep(connection, told, at)
            for task in {told.task for told in shapes}:
                _forget_oldest(connection, task)

    def shapes(self, task: str) -> Sequence[SentShape]:
        """See ``ShapeShelf``."""
        query = sa.select(_table.c.key, _table.c.body).where(_table.c.task == task).order_by(_table.c.seen_at.desc(), _table.c.key)
        with self._session.reading() as connection:
            return [self._read(body, key) for key, body in connection.execute(query)]

    def _keep(self, connection: sa.Connection, told: TaskShape, at: float) -> None:
        key = told.shape.key
        here = (_table.c.task == told.task) & (_table.c.key == key)
        known = connection.scalar(sa.select(_table.c.body).where(here))
        shape = told.shape if known is None else merged((told.shape, self._read(known, key)))
        row = {"seen_at": at, "body": as_text(shape)}
        connection.execute(insert_new(connection, _table), {"task": told.task, "key": key, **row})
        connection.execute(sa.update(_table).where(here).values(**row))

    def _read(self, body: str, key: str) -> SentShape:
        return self._session.read_back(body, SentShape, f"request shape {key}")


def _forget_oldest(connection: sa.Connection, task: str) -> None:
    of_task = _table.c.task == task
    newest = sa.select(_table.c.key).where(of_task).order_by(_table.c.seen_at.desc(), _table.c.key).limit(SHAPES_PER_TASK_MAX)
    connection.execute(sa.delete(_table).where(of_task, _table.c.key.not_in(newest)))
