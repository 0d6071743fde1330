"""A destination that was dropped from the configuration is known as such."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the time at which a destination was dropped."""
    op.add_column("destination", sa.Column("dropped_at", sa.DateTime(timezone=True)))
