"""The tables as this version of the code reads and writes them. The migrations make them; a test compares the two.

Columns exist for what queries ask; everything else of a value stays in its JSON ``body``, so that a new optional field
needs no migration and an old row stays readable.
"""

from typing import Final

import sqlalchemy as sa

metadata: Final = sa.MetaData()

world: Final = sa.Table(
    "world",
    metadata,
    sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1", name="one_world"), primary_key=True, autoincrement=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""One row: the present world, which every commit reads and replaces."""

changes: Final = sa.Table(
    "changes",
    metadata,
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""The log. Triggers refuse to update or delete a row."""

routing_tables: Final = sa.Table(
    "routing_tables",
    metadata,
    sa.Column("revision", sa.Integer, sa.ForeignKey("changes.revision"), primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),
)

outbox: Final = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("revision", sa.Integer, sa.ForeignKey("changes.revision"), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Commands owed; a settled one is deleted. An identity is never given twice, or settling late could settle another."""

planes: Final = sa.Table(
    "planes",
    metadata,
    sa.Column("plane", sa.Text, primary_key=True),
    sa.Column("boot", sa.Text, nullable=False),
    sa.Column("watermark_at", sa.Double, nullable=False),
)
"""Every data plane, with the boot last heard of."""

boots: Final = sa.Table(
    "boots",
    metadata,
    sa.Column("plane", sa.Text, sa.ForeignKey("planes.plane"), primary_key=True),
    sa.Column("boot", sa.Text, primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""Every boot's own state: batches are told apart by (plane, boot, sequence), and a late one of an earlier boot may come."""

observations: Final = sa.Table(
    "observations",
    metadata,
    sa.Column("request_id", sa.Text, primary_key=True),
    sa.Column("task", sa.Text),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("side", sa.Text),
    sa.Column("forced", sa.Boolean, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("observations_by_attempt", "task", "attempt", "started_at"),
)

scores: Final = sa.Table(
    "scores",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scorer", sa.Text, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("request_id", "name", "scorer", name="scores_once"),
)
"""Without a foreign key to observations: a score may come first. ``id`` is the order in which they came."""

summaries: Final = sa.Table(
    "summaries",
    metadata,
    sa.Column("rollout", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

enrolments: Final = sa.Table(
    "enrolments",
    metadata,
    sa.Column("rollout", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("block", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(["rollout", "stream", "block"], ["summaries.rollout", "summaries.stream", "summaries.block"]),
    sqlite_with_rowid=False,
)

request_shapes: Final = sa.Table(
    "request_shapes",
    metadata,
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("seen_at", sa.Double, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
"""What requests look like, without any text of theirs; the newest of each task."""

response_issuers: Final = sa.Table(
    "response_issuers",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("response", sa.Text, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("deployment", sa.Text, nullable=False),
    sa.Column("noted_at", sa.Double, nullable=False),
    sa.UniqueConstraint("response", name="response_issuers_once"),
    sa.Index("response_issuers_by_age", "noted_at"),
    sqlite_autoincrement=True,
)
"""Who made which response. ``id`` is the order in which they were reported: those reported first are forgotten first."""
