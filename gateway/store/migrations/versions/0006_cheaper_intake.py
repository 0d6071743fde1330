"""What is ready stands in one index, fresh or tried; JSON that nobody looks into kept as written."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is ready stands in one index, fresh or tried; JSON that nobody looks into kept as written."""
    op.drop_index("delivery_ready", "delivery")
    op.create_index(
        "delivery_tried",
        "delivery",
        ["destination", "due_at", "id"],
        postgresql_where=sa.text("state = 'ready' and attempts > 0"),
    )
    for table, column in (
        ("record_version", "body"),
        ("fact", "body"),
        ("assessment", "result"),
        ("delivery", "dues"),
    ):
        op.execute(f"alter table {table} alter column {column} type json using {column}::json")
