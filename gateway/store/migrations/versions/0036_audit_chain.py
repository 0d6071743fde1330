"""The chain of audit events. It begins with this release: events before it are not linked."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and give each new event an id; without a default, no row is written anew."""
    op.add_column("audit_event", sa.Column("id", sa.BigInteger))
    op.alter_column("audit_event", "id", server_default=sa.text("nextval('gateway_id')"))
    op.add_column("audit_event", sa.Column("source", sa.Text))
    op.create_table(
        "audit_unlinked",
        sa.Column("event_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
    )
    op.create_table(
        "audit_link",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("audit_link_by_time", "audit_link", ["at"])
    op.create_table(
        "audit_checkpoint",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
    )
