"""Structured logs: one JSON object per line, with an event name and without message bodies."""

import logging
import secrets
import sys
from enum import StrEnum

from pythonjsonlogger.json import JsonFormatter

logger = logging.getLogger("credit_gateway")


class LogEvent(StrEnum):
    """All log events: the message is one of these, everything else is in `extra`."""

    STARTED = "started"
    STOPPED = "stopped"
    DATABASE_AWAY = "database_away"
    DATABASE_BACK = "database_back"
    ITEM_FAILED = "item_failed"
    TOO_MANY_CLIENTS = "too_many_clients"
    SLOW_CLIENT = "slow_client"
    READ_AGAIN = "read_again"  #: what Kafka has and the database lacks
    SERVER_ENDED = "server_ended"  #: an embedded one, which is started again
    SERVER_STARTED_AGAIN = "server_started_again"
    OFFSETS_UNCOMMITTED = "offsets_uncommitted"
    LEDGER_LATE = "ledger_late"  #: that of last month is due, and is not frozen
    LEDGER_CHANGED = "ledger_changed"  #: a frozen month is different by now: it needs a new version
    SILENT_ASKED = "silent_asked"
    NOT_EVALUATED = "not_evaluated"
    GRADE_NOT_TAKEN = "grade_not_taken"  #: of another rule set than the subject's kind is bound to
    ENGINE_FAILED = "engine_failed"
    ORIGIN_REUSED = "origin_reused"
    RECORDS_UNREADABLE = "records_unreadable"  #: a partition cannot be read on
    RECORDS_MISSING = "records_missing"  #: Kafka deleted them before they were read
    SKIP_BEYOND_END = "skip_beyond_end"  #: messages that are not there yet are not skipped
    TOPIC_MADE_AGAIN = "topic_made_again"  #: it is read again from its start
    INTAKE_TROUBLE = "intake_trouble"  #: live or ready fails, and why
    PARTITIONS_WAIT = "partitions_wait"
    HEARTBEAT_FAILED = "heartbeat_failed"
    RECEIPT_FAILED = "receipt_failed"
    CALL_FAILED = "call_failed"
    LEASE_LOST = "lease_lost"
    BREAKER_CHANGED = "breaker_changed"
    CHAIN_MENDED = "chain_mended"
    START_WAITS = "start_waits"  #: somebody holds a lock in the database
    FROZEN_ENDED = "frozen_ended"  #: a connection stood still and blocked others
    WORK_FAILED = "work_failed"
    LEDGER_NOT_SENT = "ledger_not_sent"  #: to a recipient; it is tried again
    CERTIFICATE_UNREAD = "certificate_unread"  #: a configured file; its end is not watched
    RETURNS_WAIT = "returns_wait"  #: the topic of returns does not take them
    RECONCILED = "reconciled"
    RECONCILE_FAILED = "reconcile_failed"  #: a side could not be read to its end
    ESCALATED = "escalated"
    CALENDAR_ENDS = "calendar_ends"
    CLOCK_DIFFERS = "clock_differs"  #: this host and the database have different times
    NOTICE_NOT_SENT = "notice_not_sent"  #: to a contact by one channel; it is tried again
    DATABASE_FAILED_OVER = "database_failed_over"  #: open deliveries are found out
    DATABASE_RESTORED = "database_restored"  #: from a back-up; open deliveries are found out
    AUDIT_SIGNED = "audit_signed"  #: the head of the chain; kept apart, it proves its length
    RETENTION_BEHIND = "retention_behind"  #: the clock jumped, or the gateway stood still
    DUES_RENEWED = "dues_renewed"
    HELD_RELEASED = "held_released"
    OWED_AFTER_ALL = "owed_after_all"  #: a destination has what was withdrawn
    OWED_TO_DROPPED = "owed_to_dropped"
    RULE_TEXT_CHANGED = "rule_text_changed"
    ACTIVATION_PAUSED = "activation_paused"
    ACTIVATION_FINISHED = "activation_finished"
    GRADES_PUBLISHED = "grades_published"


def item_failed(fault: BaseException, **extra: object) -> str:
    """Log what one item failed with; return the reference by which people name the entry."""
    reference = secrets.token_hex(4)
    logger.error(LogEvent.ITEM_FAILED, exc_info=fault, extra={**extra, "reference": reference})
    return reference


def set_up(level: int = logging.INFO) -> None:
    """Write our log to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("aiokafka", "alembic", "faststream", "httpx", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
