"""Hand uploads: files that a person carries to a destination, their rows and attachments."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "hand_upload",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("ended_by", sa.Text),
    )
    op.create_index("hand_upload_of", "hand_upload", ["destination", "made_at"])
    op.create_index(
        "hand_upload_open",
        "hand_upload",
        ["destination"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "hand_upload_row",
        sa.Column("upload_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("row_place", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "number"),
    )
    op.create_index("hand_upload_row_of", "hand_upload_row", ["delivery_id", "upload_id"])
    op.create_table(
        "hand_upload_file",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("upload_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
    )
    op.create_index("hand_upload_file_of", "hand_upload_file", ["upload_id"])
    op.create_index("hand_upload_file_sealed", "hand_upload_file", ["key_version", "id"])
