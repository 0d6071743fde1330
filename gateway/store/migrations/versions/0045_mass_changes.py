"""Changes of what a destination was told, by day."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "mass_change",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("changes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("destination", "day"),
    )
