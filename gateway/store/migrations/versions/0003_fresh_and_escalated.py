"""A share of each claim for deliveries never tried; the escalation of each delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the escalation column and the index of deliveries never tried."""
    op.add_column(
        "delivery",
        sa.Column("escalation", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.create_index(
        "delivery_fresh",
        "delivery",
        ["destination", "due_at", "id"],
        postgresql_where=sa.text("state = 'ready' and attempts = 0"),
    )
