"""What is looked at each day: grades computed elsewhere, and assessments by no rule set."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes, which have few rows."""
    op.create_index(
        "decision_graded", "decision", ["subject_id"], postgresql_where=sa.text("kind = 'grade'")
    )
    op.create_index(
        "decision_grade_number",
        "decision",
        ["number_key"],
        postgresql_where=sa.text("kind = 'grade'"),
    )
    op.create_index(
        "assessment_unscored",
        "assessment",
        ["subject_id"],
        postgresql_where=sa.text("rule_set_hash is null"),
    )
