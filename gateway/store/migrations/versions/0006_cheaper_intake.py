"""One index each for ready deliveries tried and never tried; plain `json` where no query looks in."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the index of ready deliveries; turn four `jsonb` columns into `json`."""
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
