"""Indexes that find old rows, for retention."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes; each reads its table once and takes a few pages."""
    for table in ("inbox", "intake_request", "assessment"):
        op.create_index(
            f"{table}_by_age",
            table,
            ["recorded_at"],
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        )
