"""The register of receivers' outages 接收方中断登记, and evidence that people and calls add."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

#: What breakers said until now; a breaker that closes was open before.
_FROM_BREAKERS = """
insert into outage (id, destination, since, until, opened_by, closed_by, reason)
select nextval('gateway_id'), destination, at, until, 'credit-gateway',
    case when until is not null then 'credit-gateway' end, reason
from (
    select at, event, detail->>'destination' as destination,
        coalesce(detail->>'reason', '') as reason,
        lead(at) over (partition by detail->>'destination' order by at) as until
    from audit_event where event in ('breaker_opened', 'breaker_closed')) told
where event = 'breaker_opened'
    and (until is not null or exists (
        select from destination d where d.name = told.destination and d.breaker <> 'closed'))
"""


def upgrade() -> None:
    """Make the register, and fill it from the audit trail of the breakers."""
    op.create_table(
        "outage",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("closed_by", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("void_by", sa.Text),
        sa.Column("void_reason", sa.Text),
    )
    op.create_index(
        "outage_open",
        "outage",
        ["destination", "opened_by"],
        unique=True,
        postgresql_where=sa.text("until is null and void_by is null"),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("about_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("file_name", sa.Text),
        sa.Column("file", sa.LargeBinary),
        sa.Column("sha256", sa.Text),
    )
    op.create_index("evidence_of", "evidence", ["about", "about_id", "at"])
    op.execute(_FROM_BREAKERS)
