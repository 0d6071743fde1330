"""Returns: what became of what a source sent, until it has been told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; the triggers come where returns are configured."""
    op.create_table(
        "intake_return",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("origin_id", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("quarantine_id", sa.BigInteger),
        sa.Column("version_id", sa.BigInteger),
        sa.Column("destination", sa.Text),
        sa.Column("state", sa.Text),
        sa.Column("reasons", JSONB),
    )
