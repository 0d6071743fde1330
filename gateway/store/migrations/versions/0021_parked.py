"""An index of what persons have parked, for the work list."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index, which is small."""
    op.create_index(
        "delivery_parked", "delivery", ["due_at"], postgresql_where=sa.text("state = 'parked'")
    )
