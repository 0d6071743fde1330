"""Rows that a run could not read, why it failed, and the days of differences that were moved."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and fill what 0027 could not know."""
    op.add_column("reconcile_run", sa.Column("unread", sa.BigInteger))
    op.add_column("reconcile_run", sa.Column("failed", sa.Text))
    op.execute(
        """
        update difference f set day = d.decision_date from decision d
        where d.id = f.decision_id and f.day is null
        """
    )
