"""Whether an earlier attempt of a delivery may have arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and set it where the last outcome or an earlier one is unknown."""
    op.add_column(
        "delivery",
        sa.Column("maybe_arrived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.execute(
        """
        update delivery d set maybe_arrived = true
        where state = 'unknown' or (state in ('ready', 'deferred', 'leased') and exists (
            select from attempt a where a.delivery_id = d.id and a.outcome = 'unknown'))
        """
    )
