"""Alerts that are owed, with how far each has come, on disk."""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from changeover.adapters.sql import schema
from changeover.adapters.sql.session import Part, as_text
from changeover.ports.alerts import Delivery, Letter
from changeover.rollout.state import Command


class _Owed(Command, frozen=True, kw_only=True):
    """A command as the outbox holds it. Whoever asks for the command alone does not see the rest."""

    deliveries: dict[str, Delivery] = msgspec.field(default_factory=dict[str, Delivery])


class _Why(msgspec.Struct, frozen=True):
    """Of a change, what an alert says about it."""

    reason: str


class SqlLetterShelf(Part):
    """The part of ``ports.store.Outbox`` that is about alerts."""

    def letters(self, limit: int) -> Sequence[Letter]:
        """See ``Outbox``."""
        outbox, changes = schema.outbox, schema.changes
        query = (
            sa.select(outbox.c.id, outbox.c.revision, outbox.c.body, changes.c.at, changes.c.actor, changes.c.body.label("change"))
            .join(changes, changes.c.revision == outbox.c.revision)
            .order_by(outbox.c.id)
            .limit(limit)
        )
        with self._session.reading() as connection:
            return [letter for row in connection.execute(query).mappings() if (letter := self._letter(row)) is not None]

    def note_deliveries(self, identity: int, deliveries: Mapping[str, Delivery]) -> None:
        """See ``Outbox``."""
        body = schema.outbox.c.body
        with self._session.writing(durable=True) as connection:
            found = connection.scalar(sa.select(body).where(schema.outbox.c.id == identity))
            if found is None:
                return
            owed = self._session.read_back(found, _Owed, f"command {identity}")
            noted = msgspec.structs.replace(owed, deliveries={**owed.deliveries, **deliveries})
            connection.execute(sa.update(schema.outbox).where(schema.outbox.c.id == identity), {"body": as_text(noted)})

    def _letter(self, row: sa.RowMapping) -> Letter | None:
        identity, revision = int(row["id"]), int(row["revision"])
        owed = self._session.read_back(row["body"], _Owed, f"command {identity}")
        if owed.kind != "alert":
            return None
        return Letter(
            identity=identity,
            revision=revision,
            at=row["at"],
            actor=row["actor"],
            reason=self._session.read_back(row["change"], _Why, f"change {revision}").reason,
            command=self._session.read_back(row["body"], Command, f"command {identity}"),
            deliveries=owed.deliveries,
        )
