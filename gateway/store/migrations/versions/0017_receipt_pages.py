"""The pages of receipts that were read last."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which is empty for what there is already."""
    op.add_column(
        "destination",
        sa.Column("receipts_pages", sa.Text(), server_default=sa.text("''"), nullable=False),
    )
