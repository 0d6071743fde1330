"""Tables of destinations, deliveries, attempts and receipts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, UUID

from gateway.store.base.statements import one_of
from gateway.store.base.tables.shared import id_column, metadata, time_column
from schemas.delivery import OPEN, OVER, UNDELIVERED

destination = Table(
    "destination",
    metadata,
    Column("name", Text, primary_key=True),
    Column("config_hash", Text, nullable=False),
    Column("owner", Text),
    Column("fencing", BigInteger, nullable=False, server_default=text("0")),
    time_column("owned_until", null=True),
    Column("breaker", Text, nullable=False, server_default=text("'closed'")),
    time_column("breaker_until", null=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("receipts_cursor", Text, nullable=False, server_default=text("''")),
    Column("receipts_pages", Text, nullable=False, server_default=text("''")),
    time_column("dropped_at", null=True),
    #: Only what its listing shows is accepted there.
    Column("by_listing", Boolean, nullable=False, server_default=text("false")),
    Column("calls", JSONB),  #: made within the windows of its rates
)
delivery = Table(
    "delivery",
    metadata,
    id_column(),
    Column("item_kind", Text, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("destination", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("verb", Text, nullable=False),
    Column("state", Text, nullable=False),
    time_column("due_at"),
    Column("clock", Text, nullable=False),
    Column("calendar", Text),
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    Column("dues", JSON, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    time_column("first_tried_at", null=True),
    time_column("next_at", null=True),
    time_column("look_after", null=True),
    Column("lease_token", UUID(as_uuid=False)),
    time_column("lease_until", null=True),
    time_column("breached_at", null=True),
    time_column("submitted_at", null=True),
    time_column("accepted_at", null=True),
    time_column("platform_at", null=True),
    Column("reference", Text),
    Column("reasons", JSONB),
    time_column("created_at"),
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
    # Not finished: every question of the schedule is about some of these.
    Index(
        "delivery_open",
        "due_at",
        postgresql_where=text(f"state in {one_of(OPEN | UNDELIVERED)}"),
    ),
    Index("delivery_parked", "due_at", postgresql_where=text("state = 'parked'")),
    Index("delivery_chain", "chain_id", "destination", "id"),
    # Over, and the destination may have it.
    Index(
        "delivery_obsolete",
        "chain_id",
        postgresql_where=text(f"maybe_arrived and state in {one_of(OVER)}"),
    ),
    Index("delivery_provisional", "id", postgresql_where=text("provisional")),
)
#: Changes of what a destination was told, by day.
mass_change = Table(
    "mass_change",
    metadata,
    Column("destination", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("changes", BigInteger, nullable=False),
    PrimaryKeyConstraint("destination", "day"),
)
bulk_task = Table(
    "bulk_task",
    metadata,
    id_column(),
    Column("act", Text, nullable=False),
    Column("chosen", JSONB, nullable=False),
    Column("reason", Text),
    Column("actor", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("ids", ARRAY(BigInteger), nullable=False),
    Column("done", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("failed", ARRAY(BigInteger), nullable=False),
    time_column("made_at"),
    time_column("stepped_at"),
)
#: A file that a person carries to a destination, and where each delivery is in it.
hand_upload = Table(
    "hand_upload",
    metadata,
    id_column(),
    Column("destination", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("sha256", Text),
    time_column("made_at"),
    Column("made_by", Text, nullable=False),
    time_column("uploaded_at", null=True),
    time_column("ended_at", null=True),
    Column("ended_by", Text),
    Index("hand_upload_of", "destination", "made_at"),
    Index("hand_upload_open", "destination", postgresql_where=text("state = 'open'")),
)
hand_upload_row = Table(
    "hand_upload_row",
    metadata,
    Column("upload_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("delivery_id", BigInteger, nullable=False),
    Column("row_place", Text, nullable=False),
    PrimaryKeyConstraint("upload_id", "number"),
    Index("hand_upload_row_of", "delivery_id", "upload_id"),
)
#: What a person attaches: a screenshot, a receipt, a list of results.
hand_upload_file = Table(
    "hand_upload_file",
    metadata,
    id_column(),
    Column("upload_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", Integer, nullable=False),
    time_column("added_at"),
    Column("added_by", Text, nullable=False),
    Index("hand_upload_file_of", "upload_id"),
    Index("hand_upload_file_sealed", "key_version", "id"),
)
calendar_year = Table(
    "calendar_year",
    metadata,
    Column("year", Integer, nullable=False),
    time_column("imported_at"),
    Column("imported_by", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("content", Text, nullable=False),
    PrimaryKeyConstraint("year", "imported_at"),
)
attempt = Table(
    "attempt",
    metadata,
    Column("delivery_id", BigInteger, nullable=False),
    Column("lease_token", UUID(as_uuid=False), nullable=False),
    time_column("started_at"),
    time_column("finished_at", null=True),
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
    time_column("platform_at"),
    time_column("received_at"),
    Column("reference", Text),
    # The lease during which it was read: it is applied when that ends.
    Column("lease_token", UUID(as_uuid=False)),
    Index("receipt_of_delivery", "delivery_id"),
    postgresql_partition_by="RANGE (received_at)",
)
