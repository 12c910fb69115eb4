"""The first schema: changes, world, tables, outbox, planes, observations, scores, summaries."""

import sqlalchemy as sa
from alembic import op

from changeover.adapters.sql.migrations.columns import COUNTER, TEXT
from changeover.adapters.sql.migrations.guard import guard_log

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_EMPTY_WORLD = '{"revision":0}'


def upgrade() -> None:
    """Make every table, the empty world, and the triggers that keep the log as it was written."""
    _create_ledger()
    _create_observations()
    _create_shelf()
    world = sa.table("world", sa.column("id", sa.Integer), sa.column("revision", sa.Integer), sa.column("body", TEXT))
    op.execute(sa.insert(world).values(id=1, revision=0, body=_EMPTY_WORLD))
    guard_log()


def _create_ledger() -> None:
    op.create_table(
        "world",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1", name="one_world"), primary_key=True, autoincrement=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", TEXT, nullable=False),
    )
    op.create_table(
        "changes",
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
    )
    op.create_table(
        "routing_tables",
        sa.Column("revision", sa.Integer, sa.ForeignKey("changes.revision"), primary_key=True, autoincrement=False),
        sa.Column("body", TEXT, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", COUNTER, primary_key=True),
        sa.Column("revision", sa.Integer, sa.ForeignKey("changes.revision"), nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )


def _create_observations() -> None:
    op.create_table(
        "planes",
        sa.Column("plane", TEXT, primary_key=True),
        sa.Column("boot", TEXT, nullable=False),
        sa.Column("watermark_at", sa.Double, nullable=False),
    )
    op.create_table(
        "boots",
        sa.Column("plane", TEXT, sa.ForeignKey("planes.plane"), primary_key=True),
        sa.Column("boot", TEXT, primary_key=True),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("body", TEXT, nullable=False),
    )
    op.create_table(
        "observations",
        sa.Column("request_id", TEXT, primary_key=True),
        sa.Column("task", TEXT),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("side", TEXT),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("body", TEXT, nullable=False),
    )
    op.create_index("observations_by_attempt", "observations", ["task", "attempt", "started_at"])
    op.create_table(
        "scores",
        sa.Column("id", COUNTER, primary_key=True),
        sa.Column("request_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("scorer", TEXT, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.UniqueConstraint("request_id", "name", "scorer", name="scores_once"),
    )


def _create_shelf() -> None:
    op.create_table(
        "summaries",
        sa.Column("rollout", TEXT, primary_key=True),
        sa.Column("stream", TEXT, primary_key=True),
        sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "enrolments",
        sa.Column("rollout", TEXT, primary_key=True),
        sa.Column("stream", TEXT, primary_key=True),
        sa.Column("unit", TEXT, primary_key=True),
        sa.Column("block", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["rollout", "stream", "block"], ["summaries.rollout", "summaries.stream", "summaries.block"]),
        sqlite_with_rowid=False,
    )
