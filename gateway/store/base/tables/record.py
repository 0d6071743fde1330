"""Tables of intake: subjects, authorities, inbox, decisions, facts, quarantine."""

from sqlalchemy import (
    ARRAY,
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
from sqlalchemy.dialects.postgresql import JSON, JSONB

from gateway.store.base.tables.shared import age_index, id_column, metadata, time_column

installation = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),
    Column("noted_id", BigInteger, nullable=False, server_default=text("0")),
    Column("timeline", BigInteger),
)
key_ring = Table(
    "key_ring",
    metadata,
    Column("purpose", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("master", Text, nullable=False),
    Column("sealed", LargeBinary),
    time_column("made_at"),
    PrimaryKeyConstraint("purpose", "version", "master"),
)

subject = Table(
    "subject",
    metadata,
    id_column(),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("person", Boolean, nullable=False),
    Column("criminal_suspect", Boolean, nullable=False, server_default=text("false")),
)

authority = Table(
    "authority", metadata, id_column(), Column("name", Text, nullable=False, unique=True)
)
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

origin = Table(
    "origin",
    metadata,
    id_column(),
    Column("name", Text, nullable=False, unique=True),
    Column("topic_id", Text),  #: of a partition of Kafka: the id of its topic, where known
    Column("former_ids", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("anew", Boolean, nullable=False, server_default=text("false")),  #: was made again
    Column("file_name", Text),
)
inbox = Table(
    "inbox",
    metadata,
    Column("origin_id", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("bytes_hash", LargeBinary, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("record_version_id", BigInteger),
    Column("quarantine_id", BigInteger),
    time_column("recorded_at"),
    PrimaryKeyConstraint("origin_id", "position"),
    age_index("inbox"),
)
intake_return = Table(
    "intake_return",
    metadata,
    id_column(),
    Column("origin_id", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("quarantine_id", BigInteger),
    Column("version_id", BigInteger),
    Column("destination", Text),
    Column("state", Text),
    Column("reasons", JSONB),
)
#: Work that one process does at a time, such as telling the returns.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    time_column("until"),
)
missing_messages = Table(
    "missing_messages",
    metadata,
    Column("origin", Text, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("end_position", BigInteger, nullable=False),
    time_column("found_at"),
    time_column("closed_at", null=True),  #: since when other messages stand there
    Column("skipped_by", Text),  #: the person who skipped them
    time_column("taken_back_at", null=True),  #: by a person, and not read yet
    PrimaryKeyConstraint("origin", "first_position", "end_position", "found_at"),
    Index(
        "missing_messages_open",
        "origin",
        "first_position",
        "end_position",
        unique=True,
        postgresql_where=text("closed_at is null"),
    ),
)
intake_request = Table(
    "intake_request",
    metadata,
    Column("key", Text, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    time_column("recorded_at"),
    age_index("intake_request"),
)

#: The configured kinds, and the columns by which their records are known.
record_kind = Table(
    "record_kind",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("keys", ARRAY(Text), nullable=False),
)
#: Files that were the whole list 名单 of a kind.
list_edition = Table(
    "list_edition",
    metadata,
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    time_column("taken_at"),
    Column("taken_by", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
    PrimaryKeyConstraint("kind", "name", "taken_at"),
)
decision = Table(
    "decision",
    metadata,
    id_column(),
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
    time_column("recorded_at"),
    UniqueConstraint("subject_id", "number_key", "authority_id", "kind"),
    Index("decision_by_date", "decision_date"),
    Index("decision_graded", "subject_id", postgresql_where=text("kind = 'grade'")),
    Index("decision_by_number", "number_key"),
)
record_version = Table(
    "record_version",
    metadata,
    id_column(),
    Column("decision_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("verb", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("secret", LargeBinary),
    Column("unknown_columns", LargeBinary),
    Column("key_version", Integer, nullable=False, server_default=text("1")),
    Column("verdict", Text, nullable=False),
    Column("problems", JSONB),
    Column("excluded", Text),
    time_column("recorded_at"),
    UniqueConstraint("decision_id", "version"),
    Index(
        "record_version_sealed",
        "key_version",
        "id",
        postgresql_where=text("secret is not null or unknown_columns is not null"),
    ),
)

process_event = Table(
    "process_event",
    metadata,
    id_column(),
    Column("subject_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("authority_id", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("dates", JSONB, nullable=False),
    time_column("recorded_at"),
    Column("letter", JSONB),  # of a letter 信用修复决定书: what it states, and what it found
    Index("process_event_by_decision", "subject_id", "number_key"),
)
fact = Table(
    "fact",
    metadata,
    id_column(),
    Column("subject_id", BigInteger, nullable=False),
    Column("decision_id", BigInteger, nullable=False),
    Column("body", JSON, nullable=False),
    Column("decided_on", Date, nullable=False),
    time_column("known_from"),
    time_column("known_to", null=True),
    Column("parent", Text),  # of an entry of the register: the legal person of a branch
    Index("fact_of_subject", "subject_id", "decision_id"),
    Index("fact_of_branch", "subject_id", postgresql_where=text("parent is not null")),
    Index("fact_of_parent", "parent", postgresql_where=text("parent is not null")),
)

quarantine = Table(
    "quarantine",
    metadata,
    id_column(),
    Column("origin", Text, nullable=False),
    Column("kind", Text),
    Column("bytes", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("problems", JSONB, nullable=False),
    Column("decision_date", Date),
    time_column("recorded_at"),
    Column("replays", Integer, nullable=False, server_default=text("0")),
    time_column("resolved_at", null=True),
    Index("quarantine_open", "id", postgresql_where=text("resolved_at is null")),
    Index("quarantine_sealed", "key_version", "id"),
)
