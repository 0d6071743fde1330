"""The installation knows the fingerprint of its master key."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the fingerprint, which the next start stores."""
    op.add_column("installation", sa.Column("key_fingerprint", sa.Text()))
