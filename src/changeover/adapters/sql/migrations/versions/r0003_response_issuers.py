"""Who made which response."""

import sqlalchemy as sa
from alembic import op

from changeover.adapters.sql.migrations.columns import COUNTER, TEXT

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "response_issuers",
        sa.Column("id", COUNTER, primary_key=True),
        sa.Column("response", TEXT, nullable=False),
        sa.Column("task", TEXT, nullable=False),
        sa.Column("deployment", TEXT, nullable=False),
        sa.Column("noted_at", sa.Double, nullable=False),
        sa.UniqueConstraint("response", name="response_issuers_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("response_issuers_by_age", "response_issuers", ["noted_at"])
