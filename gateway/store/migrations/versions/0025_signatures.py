"""Keys that sign; the signature and the rows of a frozen ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of keys and two columns; ledgers frozen before have neither."""
    op.create_table(
        "signing_key",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("ledger", sa.Column("rows", sa.LargeBinary))
    op.add_column("ledger", sa.Column("signature", sa.Text))
