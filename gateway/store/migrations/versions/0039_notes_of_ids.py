"""Ids that were noted, and ids that topics of an origin had before."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    zero = sa.Column("noted_id", sa.BigInteger, nullable=False, server_default=sa.text("0"))
    op.add_column("installation", zero)
    op.execute("update installation set noted_id = (select last_value from gateway_id)")
    none = sa.text("'{}'")
    ids = sa.Column("former_ids", sa.ARRAY(sa.Text), nullable=False, server_default=none)
    op.add_column("origin", ids)
