"""The deliveries whose due times wait for a calendar are found without a walk."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The deliveries whose due times wait for a calendar are found without a walk."""
    op.create_index(
        "delivery_provisional", "delivery", ["id"], postgresql_where=sa.text("provisional")
    )
