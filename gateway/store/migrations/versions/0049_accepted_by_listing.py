"""Destinations at which only what the listing shows is accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "destination",
        sa.Column("by_listing", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
