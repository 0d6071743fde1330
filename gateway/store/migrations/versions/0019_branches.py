"""The legal person of a branch, for entries of the register of participants."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which is empty for what there is already, and its two indexes."""
    op.add_column("fact", sa.Column("parent", sa.Text()))
    named = sa.text("parent is not null")
    op.create_index("fact_of_branch", "fact", ["subject_id"], postgresql_where=named)
    op.create_index("fact_of_parent", "fact", ["parent"], postgresql_where=named)
