"""The hash that ties every change to the one before, and the last of them beside the world."""

import sqlalchemy as sa
from alembic import op

from changeover.adapters.sql.migrations.columns import TEXT
from changeover.adapters.sql.migrations.guard import guard_log, lift_guard
from changeover.rollout.audit_chain import GENESIS, link_hash

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_changes = sa.table("changes", sa.column("revision", sa.Integer), sa.column("body", sa.Text), sa.column("hash", sa.Text))
_world = sa.table("world", sa.column("head", sa.Text))


def upgrade() -> None:
    """Add the columns, and tie what was written before in the order in which it was."""
    lift_guard()
    op.add_column("changes", sa.Column("hash", TEXT, nullable=False, server_default=""))
    op.add_column("world", sa.Column("head", TEXT, nullable=False, server_default=""))
    connection, head = op.get_bind(), GENESIS
    for number, body in connection.execute(sa.select(_changes.c.revision, _changes.c.body).order_by(_changes.c.revision)).all():
        head = link_hash(head, body.encode())
        connection.execute(sa.update(_changes).where(_changes.c.revision == number).values(hash=head))
    connection.execute(sa.update(_world).values(head=head))
    guard_log()
