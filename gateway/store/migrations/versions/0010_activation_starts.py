"""A text of a rule set scores from one point on, in the whole database."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the start of an activation; those that score already have started."""
    op.add_column("rule_set_activation", sa.Column("started_at", sa.DateTime(timezone=True)))
    op.execute(
        """
        update rule_set_activation set started_at = coalesce(confirmed_at, approved_at)
        where finished_at is not null or rescored_to > 0
        """
    )
