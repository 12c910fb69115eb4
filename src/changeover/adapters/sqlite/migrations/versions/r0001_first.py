"""The first schema: changes, world, tables, outbox, planes, observations, scores, summaries."""

import sqlalchemy as sa
from alembic import op

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
    world = sa.table("world", sa.column("id", sa.Integer), sa.column("revision", sa.Integer), sa.column("body", sa.Text))
    op.execute(sa.insert(world).values(id=1, revision=0, body=_EMPTY_WORLD))
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER changes_refuse_{verb.lower()} BEFORE {verb} ON changes "
            "BEGIN SELECT RAISE(ABORT, 'the log of changes is append-only'); END"
        )


def _create_ledger() -> None:
    op.create_table(
        "world",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1", name="one_world"), primary_key=True, autoincrement=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "changes",
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "routing_tables",
        sa.Column("revision", sa.Integer, sa.ForeignKey("changes.revision"), primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.Integer, sa.ForeignKey("changes.revision"), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )


def _create_observations() -> None:
    op.create_table(
        "planes",
        sa.Column("plane", sa.Text, primary_key=True),
        sa.Column("boot", sa.Text, nullable=False),
        sa.Column("watermark_at", sa.Double, nullable=False),
    )
    op.create_table(
        "boots",
        sa.Column("plane", sa.Text, sa.ForeignKey("planes.plane"), primary_key=True),
        sa.Column("boot", sa.Text, primary_key=True),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "observations",
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("task", sa.Text),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("side", sa.Text),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("observations_by_attempt", "observations", ["task", "attempt", "started_at"])
    op.create_table(
        "scores",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scorer", sa.Text, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("request_id", "name", "scorer", name="scores_once"),
    )


def _create_shelf() -> None:
    op.create_table(
        "summaries",
        sa.Column("rollout", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "enrolments",
        sa.Column("rollout", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("block", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["rollout", "stream", "block"], ["summaries.rollout", "summaries.stream", "summaries.block"]),
        sqlite_with_rowid=False,
    )
