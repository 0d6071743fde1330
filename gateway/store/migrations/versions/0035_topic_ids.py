"""Origins know the id of their topic; skips know who skipped, and are taken back by a mark."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

#: Who skipped what is not closed yet; what Kafka deleted has nobody.
_SKIPPED_BY = """
    update missing_messages m set skipped_by = a.actor from audit_event a
    where a.event = 'messages_skipped' and a.detail->>'origin' = m.origin
      and (a.detail->>'first')::bigint = m.first_position
      and (a.detail->>'end')::bigint = m.end_position
"""


def upgrade() -> None:
    """Add the columns."""
    op.add_column("origin", sa.Column("topic_id", sa.Text))
    anew = sa.Column("anew", sa.Boolean, nullable=False, server_default=sa.text("false"))
    op.add_column("origin", anew)
    op.add_column("missing_messages", sa.Column("skipped_by", sa.Text))
    op.add_column("missing_messages", sa.Column("taken_back_at", sa.TIMESTAMP(timezone=True)))
    op.execute(_SKIPPED_BY)
