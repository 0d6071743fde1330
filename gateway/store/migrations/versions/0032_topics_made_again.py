"""Missing messages of a topic that was made again: what stands at their places now is another's."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_PLACE = ["origin", "first_position", "end_position"]


def upgrade() -> None:
    """Add the column, and let the same positions go missing again after that."""
    op.add_column("missing_messages", sa.Column("closed_at", sa.TIMESTAMP(timezone=True)))
    op.drop_constraint("missing_messages_pkey", "missing_messages")
    op.create_primary_key("missing_messages_pkey", "missing_messages", [*_PLACE, "found_at"])
    op.create_index(
        "missing_messages_open",
        "missing_messages",
        _PLACE,
        unique=True,
        postgresql_where=sa.text("closed_at is null"),
    )
