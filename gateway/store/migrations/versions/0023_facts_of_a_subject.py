"""All facts of a subject by an index, also those that are no longer current."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the index of current facts by one of all; find changes of grades by their time."""
    op.create_index("fact_of_subject", "fact", ["subject_id", "decision_id"])
    op.drop_index("fact_current", "fact")
    op.create_index(
        "grade_change_recorded", "grade_change", ["recorded_at"], postgresql_using="brin"
    )
