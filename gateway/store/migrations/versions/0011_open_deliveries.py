"""An index of the deliveries that are not finished, so that finished ones cost nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index; on ten million deliveries it takes about ten seconds."""
    op.create_index(
        "delivery_open",
        "delivery",
        ["due_at"],
        postgresql_where=sa.text(
            "state in ('deferred', 'held', 'leased', 'ready', 'rejected', 'submitted', "
            "'unknown', 'waiting')"
        ),
    )
