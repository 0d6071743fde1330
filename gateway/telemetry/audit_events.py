"""The catalogue of audit events 审计事件; `store.audit` writes them."""

from enum import StrEnum


class AuditEvent(StrEnum):
    """All audit events; released names never change."""

    ORIGIN_REUSED = "origin_reused"  #: other bytes at a known origin and position
    TOPIC_MADE_AGAIN = "topic_made_again"  #: a topic of Kafka; its messages are others
    MESSAGES_MISSING = "messages_missing"  #: the bus deleted them before they were read
    MESSAGES_SKIPPED = "messages_skipped"  #: by a person, since nobody can read them
    SKIP_SET_ASIDE = "skip_set_aside"  #: it reaches beyond the end of the log
    SKIP_TAKEN_BACK = "skip_taken_back"  #: by a person, before anything behind it was taken
    QUARANTINE_REPLAYED = "quarantine_replayed"
    DELIVERY_RETRIED = "delivery_retried"
    DELIVERY_PARKED = "delivery_parked"
    DELIVERY_WITHDRAWN = "delivery_withdrawn"  #: by a person: nothing is owed any more
    DELIVERY_RESOLVED = "delivery_resolved"  #: a person found out what became of it
    UPLOAD_MADE = "upload_made"  #: a file for a person to carry to a destination
    UPLOAD_HANDED_OUT = "upload_handed_out"  #: the same file once more
    UPLOAD_DONE = "upload_done"  #: it was uploaded, says a person
    UPLOAD_UNDONE = "upload_undone"  #: it was not
    UPLOAD_ANSWERED = "upload_answered"  #: a list of results of the platform was read
    BULK_STARTED = "bulk_started"  #: the same for all that a filter matched
    BULK_PAUSED = "bulk_paused"
    BULK_RESUMED = "bulk_resumed"
    BULK_CANCELLED = "bulk_cancelled"
    BREAKER_OPENED = "breaker_opened"
    BREAKER_CLOSED = "breaker_closed"
    OUTAGE_OPENED = "outage_opened"  #: of a receiver, by a person
    OUTAGE_CLOSED = "outage_closed"
    OUTAGE_VOIDED = "outage_voided"  #: it was none, says a person
    EVIDENCE_ADDED = "evidence_added"
    CHAIN_MENDED = "chain_mended"
    RECONCILED = "reconciled"
    DIFFERENCE_EXPLAINED = "difference_explained"  #: by a person
    HINT_CLOSED = "hint_closed"  #: of concealed decisions, by a person
    LEDGER_HELD = "ledger_held"  #: a person keeps a month from being frozen by itself
    LEDGER_RELEASED = "ledger_released"
    LEDGER_SENT = "ledger_sent"  #: a version to one of its recipients
    LEDGER_RECEIVED = "ledger_received"  #: says the recipient
    LEDGER_FROZEN = "ledger_frozen"
    CALENDAR_IMPORTED = "calendar_imported"
    KEY_ROTATED = "key_rotated"
    MASTER_KEY_ADDED = "master_key_added"
    MASTER_KEY_DROPPED = "master_key_dropped"
    RETENTION_APPLIED = "retention_applied"  #: rows or a month older than their class is kept
    GRADES_PUBLISHED = "grades_published"  #: the grades of a period are stored
    RULE_SET_PROPOSED = "rule_set_proposed"
    RULE_SET_APPROVED = "rule_set_approved"
    RULE_SET_CONFIRMED = "rule_set_confirmed"  #: more grades change than the set share
    RULE_SET_WITHDRAWN = "rule_set_withdrawn"
    RULE_SET_ACTIVATED = "rule_set_activated"  #: all subjects have been scored again
    DATABASE_FAILED_OVER = "database_failed_over"  #: to a standby: a new epoch
    DATABASE_RESTORED = "database_restored"  #: from a back-up: a new epoch
    ACTION_REFUSED = "action_refused"  #: a person's command, and why
    ACCESS_REFUSED = "access_refused"  #: requests without a valid key, counted
