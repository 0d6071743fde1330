"""All metrics, each declared once: name, help, labels; a subject code is never a label."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.delivery import Claimed

_PREFIX = "credit_gateway"


class Metrics:
    """The metrics of one process, in their own registry, so that tests can create many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of_intake()
        self._of_reading()
        self._of_scoring()
        self._of_deliveries()
        self._of_time()
        self._of_month()
        self._of_machine()

    def _of_intake(self) -> None:
        self.records = self._counter(
            "records",
            "Items taken in, by verdict; many incomplete ones mean a source that has changed",
            "kind",
            "verdict",
        )
        self.repeats = self._counter(
            "repeats", "Items that changed nothing; many mean that a source sends again", "kind"
        )
        self.quarantined = self._counter(
            "quarantined", "Items put into quarantine; each waits for a person", "rule"
        )
        self.origin_reused = self._counter(
            "origin_reused",
            "Other bytes at a known origin: a topic was made again, or a cluster was renamed",
        )
        self.unreadable = self._counter(
            "unreadable", "Fetched records that could not be read; the partition stands still"
        )
        self.missing = self._counter(
            "missing", "Offsets that Kafka deleted before they were read; must be 0", "topic"
        )

    def _of_reading(self) -> None:
        self.batch_seconds = Histogram(
            "batch_seconds",
            "From poll to committed offsets; near max_poll_interval partitions are lost",
            namespace=_PREFIX,
            registry=self.registry,
        )
        self.intake_lag = self._gauge(
            "intake_lag_records",
            "Records behind the end of our partitions; rising for long means too few processes",
        )
        self.assigned_partitions = self._gauge(
            "assigned_partitions",
            "Partitions assigned to us; 0 means that this process reads nothing",
        )
        self.last_progress = self._gauge(
            "intake_progress_timestamp_seconds",
            "When intake last committed a batch; old while there is lag means that it is stuck",
        )
        self.clock_ahead = self._gauge(
            "clock_ahead_seconds",
            "Clock of this host minus that of the database; beyond 300 the schedule stands still",
        )

    def _of_scoring(self) -> None:
        self.assessments = self._counter(
            "assessments",
            "Assessments made; none for long means that scoring stands still",
            "rule_set",
        )
        self.not_evaluated = self._counter(
            "not_evaluated",
            "Subjects without a grade because of us or our data; each is an alert",
            "reason",
        )
        self.grade_changes = self._counter(
            "grade_changes",
            "Grade changes; a jump may be a wrong rule set or bad input",
            "direction",
        )

    def _of_deliveries(self) -> None:
        self._of_calls()
        self.open_deliveries = self._gauge(
            "open_deliveries",
            "Open deliveries by hours to due; those overdue or within 8 hours need a look",
            "destination",
            "due_within",
        )
        self.oldest_due = self._gauge(
            "oldest_due_timestamp_seconds",
            "Earliest due time of an open delivery; in the past means 超期",
            "destination",
        )
        self.predicted_breaches = self._gauge(
            "predicted_breaches",
            "Deliveries that will miss their due time at the present pace; above 0 act now",
            "destination",
        )
        self.silent_receipts = self._gauge(
            "silent_receipts",
            "Handed over, and no verdict for longer than agreed; ask the platform",
            "destination",
        )
        self.due_unclaimed = self._gauge(
            "due_unclaimed",
            "Ready deliveries past due that nobody claims; must be 0",
            "destination",
        )
        self.upload_ready = self._gauge(
            "upload_ready",
            "Ready deliveries that a person has to upload; near their due time do it now",
            "destination",
        )
        self.upload_open_since = self._gauge(
            "upload_open_since_timestamp_seconds",
            "When the oldest file was made of which nobody has said what became of it; 0: none",
            "destination",
        )
        self.escalations = self._counter(
            "escalations",
            "Deliveries whose slack fell to 50, 25 or 10 percent",
            "destination",
            "percent",
        )
        self.mass_changes = self._gauge(
            "mass_changes_waiting",
            "Corrections and withdrawals parked because too many came at once; a person decides",
            "destination",
        )
        self.stuck_chains = self._gauge(
            "stuck_chains", "Chains that waited for nothing and were mended; must be 0"
        )

    def _of_time(self) -> None:
        """Histograms with buckets at the edges of the clocks, in seconds."""
        self.hand_over_seconds = Histogram(
            "hand_over_seconds",
            "From our record to the answer of the destination; beyond 3 days a 7-day limit is near",
            ["destination"],
            namespace=_PREFIX,
            registry=self.registry,
            buckets=(
                1,
                10,
                60,
                600,
                3600,
                6 * 3600,
                *_days(1, 3, 5, 7, 10, 20),
            ),
        )
        self.slack_seconds = Histogram(
            "slack_seconds",
            "What was left of the strictest limit at the answer; 0 and less were late",
            ["destination"],
            namespace=_PREFIX,
            registry=self.registry,
            buckets=(0, 3600, 28_800, *_days(1, 2, 3, 5, 7)),
        )

    def handed_over(self, claimed: Claimed, now: datetime) -> None:
        """Note how long a delivery took that a destination has taken now, and what was left."""
        took, left = now - claimed.recorded_at, claimed.due_at - now
        self.hand_over_seconds.labels(claimed.destination).observe(took.total_seconds())
        self.slack_seconds.labels(claimed.destination).observe(left.total_seconds())

    def played(self, roles: Iterable[str]) -> None:
        """Note the roles of this process."""
        for role in roles:
            self.role.labels(role).set(1)

    def _of_month(self) -> None:
        self.month_decisions = self._gauge(
            "month_decisions",
            "This month's decisions so far: in_scope N, handed_over S, accepted A, timely T",
            "destination",
            "clock",
            "count",
        )
        self.ledger_late = self._gauge(
            "ledger_late", "1 while a past month has no frozen ledger after its day; freeze it now"
        )
        self.ledgers_changed = self._gauge(
            "ledgers_changed",
            "Frozen months that are different by now; `worklist` says how: freeze a new version",
        )
        self.differences_open = self._gauge(
            "differences_open",
            "Differences of the last reconciliations that nobody mended or explained",
            "side",
        )
        self.quarantine_open = self._gauge(
            "quarantine_open", "Refused items that still wait for a person; rising is a bad source"
        )
        self.calendar_lacking = self._gauge(
            "calendar_lacking",
            "1 from November on while next year's working days are unknown; import the notice",
        )

    def _of_machine(self) -> None:
        self.role = self._gauge(
            "role", "1 for each role of this process; what no process has is not done", "role"
        )
        self.audit_unlinked = self._gauge(
            "audit_unlinked_events",
            "Audit events that no link proves yet; rising means that nothing links them",
        )
        self.notices_failed = self._counter(
            "notices_failed",
            "Messages to people that no channel of a contact took; they are tried again",
        )
        self.disk_free = self._gauge(
            "disk_free_ratio", "Free part of the disk of `state`; below 0.1 make room"
        )
        self.longest_transaction = self._gauge(
            "database_longest_transaction_seconds",
            "Longest open transaction of the database; beyond 600 it keeps vacuum from working",
        )
        self.xmin_age = self._gauge(
            "database_xmin_age_transactions",
            "Transactions since the oldest xmin that somebody holds; rising slows every claim",
        )
        self.dead_deliveries = self._gauge(
            "database_dead_delivery_rows",
            "Dead rows of the table of deliveries; many mean that vacuum is kept from working",
        )
        self.certificate_expires = self._gauge(
            "certificate_expires_timestamp_seconds",
            "When the first certificate of a configured file ends; renew it two weeks before",
            "file",
        )

    def _of_calls(self) -> None:
        self.outcomes = self._counter(
            "outcomes",
            "Outcomes of calls, one for each item; watch unknown and rejected",
            "destination",
            "outcome",
        )
        self.lost_leases = self._counter(
            "lost_leases",
            "Leases that ran out: a worker died, or its calls last too long",
            "destination",
        )
        self.breaker_open = self._gauge(
            "breaker_open",
            "1 while the circuit breaker is open: nothing is sent there",
            "destination",
        )

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(name, help_, labels, namespace=_PREFIX, registry=self.registry)

    def _gauge(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(name, help_, labels, namespace=_PREFIX, registry=self.registry)


def _days(*days: int) -> tuple[int, ...]:
    """Return days in seconds."""
    return tuple(day * 86_400 for day in days)
