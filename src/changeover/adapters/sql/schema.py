"""The tables as this version of the code reads and writes them. The migrations make them; a test compares the two.

Columns exist for what queries ask; everything else of a value stays in its JSON ``body``, so that a new optional field
needs no migration and an old row stays readable.
"""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata: Final = sa.MetaData()

_ESCAPE: Final = "\x01"


class _WithoutNul(sa.types.TypeDecorator[str]):
    """PostgreSQL's text holds every character but NUL; that one goes in as two others, and comes back as it was."""

    impl = postgresql.TEXT
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None or not ("\x00" in value or _ESCAPE in value):
            return value
        return value.replace(_ESCAPE, _ESCAPE * 2).replace("\x00", f"{_ESCAPE}0")

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None or _ESCAPE not in value:
            return value
        return _ESCAPE.join(part.replace(f"{_ESCAPE}0", "\x00") for part in value.split(_ESCAPE * 2))


TEXT: Final = sa.Text().with_variant(_WithoutNul(collation="C"), "postgresql")
"""Text in the order of its bytes in every database, whatever language one was set up in."""
COUNTER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""An identity that is given by the database. SQLite counts to 2**63 only where the column is an ``INTEGER``."""

world: Final = sa.Table(
    "world",
    metadata,
    sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1", name="one_world"), primary_key=True, autoincrement=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("body", TEXT, nullable=False),
    sa.Column("head", TEXT, nullable=False, server_default=""),
)
"""One row: the present world, which every commit reads and replaces. ``head`` is the hash of its last change."""

changes: Final = sa.Table(
    "changes",
    metadata,
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("actor", TEXT, nullable=False),
    sa.Column("body", TEXT, nullable=False),
    sa.Column("hash", TEXT, nullable=False, server_default=""),
)
"""The log. Triggers refuse to update or delete a row; ``hash`` ties it to the one before (``rollout.audit_chain``)."""

routing_tables: Final = sa.Table(
    "routing_tables",
    metadata,
    sa.Column("revision", sa.Integer, sa.ForeignKey("changes.revision"), primary_key=True, autoincrement=False),
    sa.Column("body", TEXT, nullable=False),
)

outbox: Final = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", COUNTER, primary_key=True),
    sa.Column("revision", sa.Integer, sa.ForeignKey("changes.revision"), nullable=False),
    sa.Column("body", TEXT, nullable=False),
    sqlite_autoincrement=True,
)
"""Commands owed; a settled one is deleted. An identity is never given twice, or settling late could settle another."""

planes: Final = sa.Table(
    "planes",
    metadata,
    sa.Column("plane", TEXT, primary_key=True),
    sa.Column("boot", TEXT, nullable=False),
    sa.Column("watermark_at", sa.Double, nullable=False),
)
"""Every data plane, with the boot last heard of."""

boots: Final = sa.Table(
    "boots",
    metadata,
    sa.Column("plane", TEXT, sa.ForeignKey("planes.plane"), primary_key=True),
    sa.Column("boot", TEXT, primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("body", TEXT, nullable=False),
)
"""Every boot's own state: batches are told apart by (plane, boot, sequence), and a late one of an earlier boot may come."""

observations: Final = sa.Table(
    "observations",
    metadata,
    sa.Column("request_id", TEXT, primary_key=True),
    sa.Column("task", TEXT),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("side", TEXT),
    sa.Column("forced", sa.Boolean, nullable=False),
    sa.Column("body", TEXT, nullable=False),
    sa.Index("observations_by_attempt", "task", "attempt", "started_at"),
)

scores: Final = sa.Table(
    "scores",
    metadata,
    sa.Column("id", COUNTER, primary_key=True),
    sa.Column("request_id", TEXT, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("scorer", TEXT, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("body", TEXT, nullable=False),
    sa.UniqueConstraint("request_id", "name", "scorer", name="scores_once"),
)
"""Without a foreign key to observations: a score may come first. ``id`` is the order in which they came."""

summaries: Final = sa.Table(
    "summaries",
    metadata,
    sa.Column("rollout", TEXT, primary_key=True),
    sa.Column("stream", TEXT, primary_key=True),
    sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

enrolments: Final = sa.Table(
    "enrolments",
    metadata,
    sa.Column("rollout", TEXT, primary_key=True),
    sa.Column("stream", TEXT, primary_key=True),
    sa.Column("unit", TEXT, primary_key=True),
    sa.Column("block", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(["rollout", "stream", "block"], ["summaries.rollout", "summaries.stream", "summaries.block"]),
    sqlite_with_rowid=False,
)

request_shapes: Final = sa.Table(
    "request_shapes",
    metadata,
    sa.Column("task", TEXT, primary_key=True),
    sa.Column("key", TEXT, primary_key=True),
    sa.Column("seen_at", sa.Double, nullable=False),
    sa.Column("body", TEXT, nullable=False),
)
"""What requests look like, without any text of theirs; the newest of each task."""

response_issuers: Final = sa.Table(
    "response_issuers",
    metadata,
    sa.Column("id", COUNTER, primary_key=True),
    sa.Column("response", TEXT, nullable=False),
    sa.Column("task", TEXT, nullable=False),
    sa.Column("deployment", TEXT, nullable=False),
    sa.Column("noted_at", sa.Double, nullable=False),
    sa.UniqueConstraint("response", name="response_issuers_once"),
    sa.Index("response_issuers_by_age", "noted_at"),
    sqlite_autoincrement=True,
)
"""Who made which response. ``id`` is the order in which they were reported: those reported first are forgotten first."""

lease: Final = sa.Table(
    "lease",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("holder", TEXT, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
)
"""Who acts for all, under which number. ``holder`` is empty where the last one gave it back."""
