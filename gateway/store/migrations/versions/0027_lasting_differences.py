"""Differences last over the runs that find them; of the runs before, the last of each side stays."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_MOVE = """
    insert into difference (id, side, identity, decision_id, key, flags, words, since, run_id,
        first_seen, last_seen)
    select max(id), destination, coalesce('decision ' || decision_id, min(key)), decision_id,
        min(key), jsonb_agg(jsonb_build_object('kind', kind, 'cause', cause, 'action', '',
            'since', since, 'detail', detail) order by id),
        '', min(since), max(run_id), min(found_at), max(found_at)
    from difference_of_runs
    where run_id in (select max(run_id) from difference_of_runs group by destination)
    group by destination, decision_id, case when decision_id is null then key end
"""


def upgrade() -> None:
    """Make the tables anew, and move the last run of each destination."""
    op.rename_table("difference", "difference_of_runs")
    op.execute("alter index difference_pkey rename to difference_of_runs_pkey")
    op.create_table(
        "difference",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("decision_id", sa.BigInteger),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("day", sa.Date),
        sa.Column("flags", JSONB, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mended_at", sa.DateTime(timezone=True)),
        sa.Column("explained_at", sa.DateTime(timezone=True)),
        sa.Column("explained_by", sa.Text),
        sa.Column("reason", sa.Text),
        sa.UniqueConstraint("side", "identity"),
    )
    op.create_table(
        "reconcile_run",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("end_day", sa.Date, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("ours", sa.BigInteger),
        sa.Column("shown", sa.BigInteger),
        sa.Column("complete_until", sa.DateTime(timezone=True)),
        sa.Column("unproven", sa.BigInteger),
        sa.Column("found", sa.BigInteger),
        sa.Column("counts", JSONB),
    )
    op.create_index("reconcile_run_of_side", "reconcile_run", ["side", "began_at"])
    op.execute(_MOVE)
    op.drop_table("difference_of_runs")
