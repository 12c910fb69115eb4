"""Who made which response, on disk."""

from collections.abc import Sequence

import sqlalchemy as sa

from changeover.adapters.sql import schema
from changeover.adapters.sql.engine import insert_new
from changeover.adapters.sql.session import Part
from changeover.exchange.observation import Observation
from changeover.ports.planes import Issuer
from changeover.ports.store import ISSUER_AGE_S, ISSUERS_MAX

_table = schema.response_issuers


class SqlIssuerShelf(Part):
    """``ports.store.IssuerShelf``."""

    def issuer(self, response: str) -> Issuer | None:
        """See ``IssuerShelf``."""
        query = sa.select(_table.c.task, _table.c.deployment).where(_table.c.response == response)
        with self._session.reading() as connection:
            found = connection.execute(query).first()
        return None if found is None else Issuer(task=found.task, deployment=found.deployment)


def note_issuers(connection: sa.Connection, observations: Sequence[Observation], *, at: float) -> None:
    """Keep who made the responses among ``observations``, and forget what is too old or too many at ``at``."""
    rows = [
        {"response": seen.response, "task": seen.task, "deployment": seen.served, "noted_at": at}
        for seen in observations
        if seen.response is not None and seen.task is not None and seen.served is not None
    ]
    if not rows:
        return
    connection.execute(insert_new(connection, _table), rows)
    newest = connection.scalar(sa.select(sa.func.max(_table.c.id))) or 0
    connection.execute(sa.delete(_table).where(_table.c.id <= newest - ISSUERS_MAX))
    connection.execute(sa.delete(_table).where(_table.c.noted_at < at - ISSUER_AGE_S))
