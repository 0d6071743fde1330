"""Who was told of which need."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "notice",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("silent", sa.Boolean, nullable=False),
        sa.Column("told", sa.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    )
