"""The database knows on which timeline its ids were given last."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the first process notes the present timeline."""
    op.add_column("installation", sa.Column("timeline", sa.BigInteger))

