"""A fact's body has its id, as a fact of the `score` input has; facts are found by their subject."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A fact's body has its id, as a fact of the `score` input has; facts are found by their subject."""
    op.execute(
        "update fact set body = (jsonb_build_object('id', id::text) || body::jsonb)::json"
    )
    op.drop_index("fact_of_decision", "fact")
