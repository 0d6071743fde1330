"""The calls made within the windows of a destination's rates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("destination", sa.Column("calls", JSONB))
