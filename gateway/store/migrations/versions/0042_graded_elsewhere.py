"""The few decisions that are grades computed elsewhere: looked at each day."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "decision_graded", "decision", ["subject_id"], postgresql_where=sa.text("kind = 'grade'")
    )
