"""Published grades, stored on the day of their publication, and the progress of each publication."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; the schedule stores the publications of the last years in them."""
    op.create_table(
        "publication",
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("stored_to", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("stored", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("period_end", "published_on"),
    )
    op.create_table(
        "published_grade",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("criminal_suspect", sa.Boolean(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("rule_set_hash", sa.Text(), nullable=False),
        sa.Column("fact_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("grade", sa.Text()),
        sa.Column("listings", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("result", sa.dialects.postgresql.JSON(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "published_grade_of_subject", "published_grade", ["subject_id", "published_on", "id"]
    )
