"""The body of a fact contains its id, as in the `score` input; one index finds current facts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Write the id into the body of each fact, and replace two indexes by one."""
    op.drop_index("fact_of_decision", "fact")
    op.drop_index("fact_current", "fact")
    op.execute(
        "alter table fact alter column body type json "
        "using (jsonb_build_object('id', id::text) || body::jsonb)::json"
    )
    op.create_index(
        "fact_current",
        "fact",
        ["subject_id", "decision_id"],
        postgresql_where=sa.text("known_to is null"),
    )
