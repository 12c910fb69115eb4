"""The shapes of requests, by task."""

import sqlalchemy as sa
from alembic import op

from changeover.adapters.sql.migrations.columns import TEXT

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "request_shapes",
        sa.Column("task", TEXT, primary_key=True),
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("body", TEXT, nullable=False),
    )
