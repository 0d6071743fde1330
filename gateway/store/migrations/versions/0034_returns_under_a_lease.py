"""Returns are told under a lease, and also that a newer version superseded one."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

#: Where returns are on, the trigger has the function of the release before.
_NOTE_DELIVERED = """
    create or replace function note_delivered() returns trigger language plpgsql as $$ begin
        insert into intake_return (id, origin_id, position, version_id, destination, state, reasons)
        select nextval('gateway_id'), i.origin_id, i.position, a.item_id, a.destination, a.state,
            case when a.state in ('rejected', 'parked', 'withdrawn') then a.reasons end
        from after a join before b using (id)
        join lateral (select origin_id, position from inbox where record_version_id = a.item_id
            order by recorded_at, origin_id, position limit 1) i on true
        where a.item_kind = 'record_version' and a.state <> b.state and a.state in ('accepted',
            'accepted_blind', 'parked', 'rejected', 'submitted', 'superseded', 'withdrawn');
        return null;
    end $$
"""


def upgrade() -> None:
    """Make the table of leases, and replace the function."""
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("until", sa.TIMESTAMP(timezone=True), nullable=False),
    )
    op.execute(_NOTE_DELIVERED)
