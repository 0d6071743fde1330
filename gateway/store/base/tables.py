"""The tables, named by the words of GLOSSARY.md. Migrations must give the same database.

Every id comes from one sequence, `gateway_id`, handed out in blocks under the subject lock, so
that within a subject a later row has the higher id.

What is read as a whole is `json`, kept as it was written: making `jsonb` of it cost the database a
tenth of intake. `jsonb` is for what queries look into.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB, UUID

metadata = MetaData()

gateway_id = Sequence("gateway_id", metadata=metadata)


def _id() -> Column[int]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _time(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=null)


installation = Table("installation", metadata, Column("name", Text, primary_key=True))

subject = Table(
    "subject",
    metadata,
    _id(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("person", Boolean, nullable=False),
    Column("criminal_suspect", Boolean, nullable=False, server_default=text("false")),
)

authority = Table("authority", metadata, _id(), Column("name", Text, nullable=False, unique=True))
authority_alias = Table(
    "authority_alias",
    metadata,
    Column("alias", Text, primary_key=True),
    Column("authority_id", BigInteger, nullable=False),
)
authority_code = Table(
    "authority_code",
    metadata,
    Column("authority_id", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    PrimaryKeyConstraint("authority_id", "code"),
)

origin = Table("origin", metadata, _id(), Column("name", Text, nullable=False, unique=True))
inbox = Table(
    "inbox",
    metadata,
    Column("origin_id", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("bytes_hash", LargeBinary, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("record_version_id", BigInteger),
    Column("quarantine_id", BigInteger),
    _time("recorded_at"),
    PrimaryKeyConstraint("origin_id", "position"),
)
intake_request = Table(
    "intake_request",
    metadata,
    Column("key", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    _time("recorded_at"),
)

decision = Table(
    "decision",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("authority_id", BigInteger, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("document_number", Text),
    Column("decision_date", Date, nullable=False),
    Column("excluded", Text),
    Column("verdict", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("version_id", BigInteger, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    _time("recorded_at"),
    UniqueConstraint("subject_id", "number_key", "authority_id", "kind"),
    Index("decision_by_date", "decision_date"),
)
record_version = Table(
    "record_version",
    metadata,
    _id(),
    Column("decision_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("verb", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("secret", LargeBinary),
    Column("unknown_columns", LargeBinary),
    Column("verdict", Text, nullable=False),
    Column("problems", JSONB),
    _time("recorded_at"),
    UniqueConstraint("decision_id", "version"),
)

process_event = Table(
    "process_event",
    metadata,
    _id(),
    Column("subject_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("authority_id", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("dates", JSONB, nullable=False),
    _time("recorded_at"),
    Index("process_event_by_decision", "subject_id", "number_key"),
)
fact = Table(
    "fact",
    metadata,
    _id(),
    Column("subject_id", BigInteger, nullable=False),
    Column("decision_id", BigInteger, nullable=False),
    Column("body", JSON, nullable=False),
    Column("decided_on", Date, nullable=False),
    _time("known_from"),
    _time("known_to", null=True),
    Index("fact_current", "subject_id", "decision_id", postgresql_where=text("known_to is null")),
)
rule_set_version = Table(
    "rule_set_version",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    _time("recorded_at"),
)
rule_set_diff = Table(
    "rule_set_diff",
    metadata,
    _id(),
    Column("old_hash", Text, nullable=False),
    Column("new_hash", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("population", BigInteger, nullable=False),
    Column("flips", BigInteger, nullable=False),
    Column("totals", JSONB, nullable=False),
    Column("made_by", Text, nullable=False),
    _time("made_at"),
    Index("rule_set_diff_of_texts", "old_hash", "new_hash", "made_at"),
)
rule_set_activation = Table(
    "rule_set_activation",
    metadata,
    _id(),
    Column("bound", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("from_day", Date, nullable=False),
    Column("diff_id", BigInteger),
    Column("population", BigInteger, nullable=False),
    Column("flip_limit", BigInteger, nullable=False),
    Column("flips", BigInteger, nullable=False),
    Column("proposed_by", Text, nullable=False),
    _time("proposed_at"),
    Column("approved_by", Text),
    _time("approved_at", null=True),
    Column("confirmed_by", Text),
    _time("confirmed_at", null=True),
    _time("withdrawn_at", null=True),
    Column("rescored_to", BigInteger, nullable=False, server_default=text("0")),
    Column("changed", BigInteger, nullable=False, server_default=text("0")),
    _time("paused_at", null=True),
    _time("finished_at", null=True),
)
assessment = Table(
    "assessment",
    metadata,
    _id(),
    Column("subject_id", BigInteger, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("criminal_suspect", Boolean, nullable=False),
    Column("rule_set_hash", Text),
    Column("as_of", Date, nullable=False),
    Column("fact_ids", ARRAY(BigInteger), nullable=False),
    Column("grade", Text),
    Column("not_evaluated", Text),
    Column("changes_on", Date),
    Column("result", JSON, nullable=False),
    _time("recorded_at"),
    Index("assessment_of_subject", "subject_id", "id"),
    Index("assessment_changes", "changes_on", postgresql_where=text("changes_on is not null")),
)
grade_change = Table(
    "grade_change",
    metadata,
    _id(),
    Column("number", BigInteger, unique=True),
    Column("subject_id", BigInteger, nullable=False),
    Column("assessment_id", BigInteger),
    Column("from_grade", Text),
    Column("to_grade", Text),
    Column("body", JSONB, nullable=False),
    _time("recorded_at"),
    Index("grade_change_of_subject", "subject_id", "id"),
    Index("grade_change_unnumbered", "id", postgresql_where=text("number is null")),
)

destination = Table(
    "destination",
    metadata,
    Column("name", Text, primary_key=True),
    Column("config_hash", Text, nullable=False),
    Column("owner", Text),
    Column("fencing", BigInteger, nullable=False, server_default=text("0")),
    _time("owned_until", null=True),
    Column("breaker", Text, nullable=False, server_default=text("'closed'")),
    _time("breaker_until", null=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("receipts_cursor", Text, nullable=False, server_default=text("''")),
)
delivery = Table(
    "delivery",
    metadata,
    _id(),
    Column("item_kind", Text, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("destination", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("verb", Text, nullable=False),
    Column("state", Text, nullable=False),
    _time("due_at"),
    Column("clock", Text, nullable=False),
    Column("calendar", Text),
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    Column("dues", JSON, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _time("next_at", null=True),
    _time("look_after", null=True),
    Column("lease_token", UUID(as_uuid=False)),
    _time("lease_until", null=True),
    _time("breached_at", null=True),
    _time("submitted_at", null=True),
    _time("accepted_at", null=True),
    _time("platform_at", null=True),
    Column("reference", Text),
    Column("reasons", JSONB),
    _time("created_at"),
    Column("escalation", SmallInteger, nullable=False, server_default=text("0")),
    Column("maybe_arrived", Boolean, nullable=False, server_default=text("false")),
    Index(
        "delivery_fresh",
        "destination",
        "due_at",
        "id",
        postgresql_where=text("state = 'ready' and attempts = 0"),
    ),
    Index(
        "delivery_tried",
        "destination",
        "due_at",
        "id",
        postgresql_where=text("state = 'ready' and attempts > 0"),
    ),
    Index(
        "delivery_later",
        "destination",
        "state",
        "next_at",
        postgresql_where=text("state in ('deferred', 'unknown', 'leased', 'submitted')"),
    ),
    Index("delivery_chain", "chain_id", "destination", "id"),
    Index("delivery_provisional", "id", postgresql_where=text("provisional")),
)
attempt = Table(
    "attempt",
    metadata,
    Column("delivery_id", BigInteger, nullable=False),
    Column("lease_token", UUID(as_uuid=False), nullable=False),
    _time("started_at"),
    _time("finished_at", null=True),
    Column("act", Text, nullable=False),
    Column("outcome", Text),
    Column("reasons", JSONB),
    PrimaryKeyConstraint("delivery_id", "lease_token", "started_at"),
    postgresql_partition_by="RANGE (started_at)",
)
receipt = Table(
    "receipt",
    metadata,
    Column("delivery_id", BigInteger, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("reasons", JSONB),
    _time("platform_at"),
    _time("received_at"),
    Column("reference", Text),
    Index("receipt_of_delivery", "delivery_id"),
    postgresql_partition_by="RANGE (received_at)",
)

quarantine = Table(
    "quarantine",
    metadata,
    _id(),
    Column("origin", Text, nullable=False),
    Column("kind", Text),
    Column("bytes", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("problems", JSONB, nullable=False),
    Column("decision_date", Date),
    _time("recorded_at"),
    Column("replays", Integer, nullable=False, server_default=text("0")),
    _time("resolved_at", null=True),
    Index("quarantine_open", "id", postgresql_where=text("resolved_at is null")),
)
audit_event = Table(
    "audit_event",
    metadata,
    _time("at"),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Index("audit_event_by_time", "at"),
    postgresql_partition_by="RANGE (at)",
)

difference = Table(
    "difference",
    metadata,
    _id(),
    Column("run_id", BigInteger, nullable=False),
    Column("destination", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("decision_id", BigInteger),
    Column("key", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    _time("since"),
    _time("found_at"),
    Index("difference_of_run", "run_id"),
)
ledger = Table(
    "ledger",
    metadata,
    Column("month", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("figures", JSONB, nullable=False),
    Column("workbook", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    _time("recorded_at"),
    PrimaryKeyConstraint("month", "version"),
)
job_run = Table(
    "job_run",
    metadata,
    Column("job", Text, nullable=False),
    Column("day", Date, nullable=False),
    _time("finished_at"),
    PrimaryKeyConstraint("job", "day"),
)
