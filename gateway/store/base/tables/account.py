"""Tables of audit events, differences, ledgers and jobs."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gateway.store.base.tables.shared import id_column, metadata, time_column

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger, server_default=text("nextval('gateway_id')")),
    time_column("at"),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("source", Text),
    Column("detail", JSONB, nullable=False),
    Index("audit_event_by_time", "at"),
    postgresql_partition_by="RANGE (at)",
)
#: A need of a person while it lasts, and which contacts were told.
notice = Table(
    "notice",
    metadata,
    Column("key", Text, primary_key=True),
    Column("title", Text, nullable=False),
    time_column("since"),
    Column("silent", Boolean, nullable=False),
    Column("told", ARRAY(Text), nullable=False, server_default=text("'{}'")),
)
audit_unlinked = Table(
    "audit_unlinked", metadata, Column("event_id", BigInteger, primary_key=True), time_column("at")
)
audit_link = Table(
    "audit_link",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", BigInteger, nullable=False),
    time_column("at"),
    Column("digest", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("audit_link_by_time", "at"),
)
audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("day", Date, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("signature", Text, nullable=False),
)

difference = Table(
    "difference",
    metadata,
    id_column(),
    Column("side", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("decision_id", BigInteger),
    Column("key", Text, nullable=False),
    Column("day", Date),
    Column("flags", JSONB, nullable=False),
    Column("words", Text, nullable=False),
    time_column("since"),
    Column("run_id", BigInteger, nullable=False),
    time_column("first_seen"),
    time_column("last_seen"),
    time_column("mended_at", null=True),
    time_column("explained_at", null=True),
    Column("explained_by", Text),
    Column("reason", Text),
    UniqueConstraint("side", "identity"),
)
reconcile_run = Table(
    "reconcile_run",
    metadata,
    id_column(),
    Column("side", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("end_day", Date, nullable=False),
    time_column("began_at"),
    time_column("finished_at", null=True),
    Column("ours", BigInteger),
    Column("shown", BigInteger),
    time_column("complete_until", null=True),
    Column("unproven", BigInteger),
    Column("found", BigInteger),
    Column("counts", JSONB),
    Column("unread", BigInteger),
    Column("failed", Text),
    Index("reconcile_run_of_side", "side", "began_at"),
)
concealment_hint = Table(
    "concealment_hint",
    metadata,
    id_column(),
    Column("kind", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("words", Text, nullable=False),
    time_column("first_seen"),
    time_column("last_seen"),
    time_column("closed_at", null=True),
    Column("closed_by", Text),
    Column("reason", Text),
    Column("missing", ARRAY(Integer), nullable=False, server_default=text("'{}'")),
    Column("settled", ARRAY(Integer), nullable=False, server_default=text("'{}'")),
    time_column("gone_at", null=True),
    UniqueConstraint("kind", "authority", "key"),
)
outage = Table(
    "outage",
    metadata,
    id_column(),
    Column("destination", Text, nullable=False),
    time_column("since"),
    time_column("until", null=True),
    Column("opened_by", Text, nullable=False),
    Column("closed_by", Text),
    Column("reason", Text, nullable=False),
    Column("void_by", Text),
    Column("void_reason", Text),
    Index(
        "outage_open",
        "destination",
        "opened_by",
        unique=True,
        postgresql_where=text("until is null and void_by is null"),
    ),
)
evidence = Table(
    "evidence",
    metadata,
    id_column(),
    Column("about", Text, nullable=False),
    Column("about_id", BigInteger, nullable=False),
    time_column("at"),
    Column("actor", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("file_name", Text),
    Column("file", LargeBinary),
    Column("sha256", Text),
    Index("evidence_of", "about", "about_id", "at"),
)
ledger_hold = Table(
    "ledger_hold",
    metadata,
    Column("month", Text, primary_key=True),
    Column("held_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    time_column("held_at"),
)
ledger_review = Table(
    "ledger_review",
    metadata,
    Column("month", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("reviewed_on", Date, nullable=False),
    Column("seen", Text, nullable=False),
    Column("changed", Text),
)
ledger_sending = Table(
    "ledger_sending",
    metadata,
    Column("month", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    time_column("next_at"),
    time_column("ended_at", null=True),
    Column("ended_by", Text),
    Column("error", Text),
    PrimaryKeyConstraint("month", "version", "recipient"),
)
signing_key = Table(
    "signing_key",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False),
    time_column("made_at"),
)
ledger = Table(
    "ledger",
    metadata,
    Column("month", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("figures", JSONB, nullable=False),
    Column("workbook", LargeBinary, nullable=False),
    Column("rows", LargeBinary),
    Column("signature", Text),
    Column("reason", Text, nullable=False),
    time_column("recorded_at"),
    PrimaryKeyConstraint("month", "version"),
)
job_run = Table(
    "job_run",
    metadata,
    Column("job", Text, nullable=False),
    Column("day", Date, nullable=False),
    time_column("finished_at"),
    PrimaryKeyConstraint("job", "day"),
)
