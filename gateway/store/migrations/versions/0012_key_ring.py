"""Keys have versions: a key ring in the database, and the version with each encrypted row."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the ring; keys of a database that has a master key already are derived from it."""
    op.create_table(
        "key_ring",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("master", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "version", "master"),
    )
    op.execute(
        """
        insert into key_ring (purpose, version, master, made_at)
        select purpose, 1, key_fingerprint, now() from installation,
            unnest(array['encryption', 'pseudonym', 'person', 'content']) as purpose
        where key_fingerprint is not null
        """
    )
    op.drop_column("installation", "key_fingerprint")
    # Hosts of the release before go on until they are restarted: they do not know the column.
    op.add_column(
        "record_version",
        sa.Column("key_version", sa.Integer(), nullable=False, server_default=sa.text("1")),
    )
    op.create_index(
        "record_version_sealed",
        "record_version",
        ["key_version", "id"],
        postgresql_where=sa.text("secret is not null or unknown_columns is not null"),
    )
    op.create_index("quarantine_sealed", "quarantine", ["key_version", "id"])
