"""Decisions by their number alone, as some platforms tell them apart, and as people ask for them."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index in place of that of grades."""
    op.create_index("decision_by_number", "decision", ["number_key"])
    op.drop_index("decision_grade_number", "decision")
