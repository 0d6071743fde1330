"""A fact's body has its id, as a fact of the `score` input has; one index finds what is current."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A fact's body has its id, as a fact of the `score` input has; one index finds what is current."""
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
