"""An index of deliveries with a provisional due time."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        "delivery_provisional", "delivery", ["id"], postgresql_where=sa.text("provisional")
    )
