"""Take the structure of a database back to an earlier release."""

from tests.integration.world import World

#: Revision → what takes the structure back to the revision before it, the newest first.
BACK = {
    "0049": ("alter table destination drop column by_listing",),
    "0048": (
        "drop index decision_by_number",
        "create index decision_grade_number on decision (number_key) where kind = 'grade'",
    ),
    "0047": ("drop table hand_upload_file", "drop table hand_upload_row", "drop table hand_upload"),
    "0046": ("alter table destination drop column calls",),
    "0045": ("drop table mass_change",),
    "0044": ("drop table record_kind", "drop table list_edition"),
    "0043": (
        "delete from process_event where letter is not null",
        "alter table process_event drop column letter",
    ),
    "0042": (
        "drop index decision_graded",
        "drop index decision_grade_number",
        "drop index assessment_unscored",
    ),
    "0041": ("drop table ledger_review",),
    "0040": ("alter table installation drop column timeline",),
    "0039": (
        "alter table installation drop column noted_id",
        "alter table origin drop column former_ids",
    ),
    "0038": (
        "alter table concealment_hint drop column missing",
        "alter table concealment_hint drop column settled",
        "alter table concealment_hint drop column gone_at",
        "alter table origin drop column file_name",
    ),
    "0037": ("drop table notice",),
    "0036": (
        "drop table audit_checkpoint",
        "drop table audit_link",
        "drop table audit_unlinked",
        "alter table audit_event drop column id",
        "alter table audit_event drop column source",
    ),
    "0035": (
        "alter table origin drop column topic_id",
        "alter table origin drop column anew",
        "alter table missing_messages drop column skipped_by",
        "alter table missing_messages drop column taken_back_at",
    ),
    "0034": ("drop table lease",),
    "0033": (
        "alter table reconcile_run drop column unread",
        "alter table reconcile_run drop column failed",
    ),
    "0032": (
        "drop index missing_messages_open",
        "alter table missing_messages drop constraint missing_messages_pkey",
        "alter table missing_messages add primary key (origin, first_position, end_position)",
        "alter table missing_messages drop column closed_at",
    ),
    "0031": (),
    "0030": ("drop table ledger_sending",),
    "0029": ("drop table intake_return",),
    "0028": ("drop table bulk_task",),
    "0027": (
        "drop table reconcile_run",
        "drop table difference",
        """create table difference (id bigint primary key, run_id bigint not null,
            destination text not null, kind text not null, decision_id bigint,
            key text not null, cause text not null, detail jsonb not null,
            since timestamptz not null, found_at timestamptz not null)""",
        "create index difference_of_run on difference (run_id)",
    ),
    "0026": ("drop table ledger_hold",),
    "0025": (
        "alter table ledger drop column rows",
        "alter table ledger drop column signature",
        "drop table signing_key",
    ),
    "0024": ("drop table evidence", "drop table outage"),
    "0023": (
        "drop index grade_change_recorded",
        "drop index fact_of_subject",
        "create index fact_current on fact (subject_id, decision_id) where known_to is null",
    ),
    "0022": ("drop table concealment_hint",),
    "0021": ("drop index delivery_parked",),
    "0020": ("drop table calendar_year",),
    "0019": ("alter table fact drop column parent",),
    "0018": ("drop table publication", "drop table published_grade"),
    "0017": ("alter table destination drop column receipts_pages",),
    "0016": (
        "alter table delivery drop column first_tried_at",
        "alter table receipt drop column lease_token",
        "alter table record_version drop column excluded",
    ),
    "0015": ("drop table missing_messages",),
    "0014": ("drop index delivery_obsolete",),
    "0013": (
        "drop index inbox_by_age",
        "drop index intake_request_by_age",
        "drop index assessment_by_age",
    ),
    "0012": (
        "drop table key_ring",
        "alter table record_version drop column key_version",
        "drop index quarantine_sealed",
        "alter table installation add column key_fingerprint text",
    ),
    "0011": ("drop index delivery_open",),
    "0010": ("alter table rule_set_activation drop column started_at",),
    "0009": ("alter table installation drop column key_fingerprint",),
    "0008": ("alter table destination drop column dropped_at",),
    "0007": ("create index fact_of_decision on fact (decision_id) where known_to is null",),
}


async def back_to(world: World, revision: str) -> None:
    """Undo the migrations after this revision; what they deleted comes back empty."""
    for later, statements in BACK.items():
        if later > revision:
            for statement in statements:
                await world.run(statement)
    await world.run("update alembic_version set version_num = :revision", revision=revision)
