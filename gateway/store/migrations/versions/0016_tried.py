"""When a delivery was first tried, the lease of an early receipt, and excluded versions."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, which are empty for what there is already."""
    op.add_column("delivery", sa.Column("first_tried_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("record_version", sa.Column("excluded", sa.Text()))
    op.add_column("receipt", sa.Column("lease_token", sa.dialects.postgresql.UUID(as_uuid=False)))
