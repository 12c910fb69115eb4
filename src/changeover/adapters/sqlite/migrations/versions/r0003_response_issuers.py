"""Who made which response."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "response_issuers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("response", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("noted_at", sa.Double, nullable=False),
        sa.UniqueConstraint("response", name="response_issuers_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("response_issuers_by_age", "response_issuers", ["noted_at"])
