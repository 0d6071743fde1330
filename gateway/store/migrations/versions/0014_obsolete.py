"""An index of what is over and may have arrived all the same."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index, which is small; it reads the table once."""
    op.create_index(
        "delivery_obsolete",
        "delivery",
        ["chain_id"],
        postgresql_where=sa.text("maybe_arrived and state in ('superseded', 'withdrawn')"),
    )
