"""Hints know which numbers are missing, which a person has spoken of, and that they are gone.

And a file that came has a name besides its hash.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is open is looked for anew, and gone if it is not found."""
    for name in ("missing", "settled"):
        none = sa.text("'{}'")
        column = sa.Column(name, ARRAY(sa.Integer), nullable=False, server_default=none)
        op.add_column("concealment_hint", column)
    op.add_column("concealment_hint", sa.Column("gone_at", sa.TIMESTAMP(timezone=True)))
    op.add_column("origin", sa.Column("file_name", sa.Text))
