"""Every metric, declared once: name, help, labels; never a subject code as a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_PREFIX = "credit_gateway"


class Metrics:
    """The metrics of one process, in a registry of its own so that tests can have many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.records = self._counter("records", "Items taken in, by verdict", "kind", "verdict")
        self.repeats = self._counter("repeats", "Items that changed nothing", "kind")
        self.quarantined = self._counter("quarantined", "Items put into quarantine", "rule")
        self.origin_reused = self._counter(
            "origin_reused", "Other bytes at a known origin: a topic was made again"
        )
        self.batch_seconds = Histogram(
            "batch_seconds",
            "Time from a batch's first byte to its commit",
            namespace=_PREFIX,
            registry=self.registry,
        )
        self.assessments = self._counter("assessments", "Assessments made", "rule_set")
        self.not_evaluated = self._counter(
            "not_evaluated", "Subjects without a grade, by reason", "reason"
        )
        self.grade_changes = self._counter("grade_changes", "Grade changes", "direction")
        self.outcomes = self._counter("outcomes", "Outcomes", "destination", "outcome")
        self.lost_leases = self._counter("lost_leases", "Leases that ran out", "destination")
        self.open_deliveries = self._gauge(
            "open_deliveries", "Open deliveries by hours to due", "destination", "due_within"
        )
        self.oldest_due = self._gauge(
            "oldest_due_timestamp_seconds", "Earliest due time of an open delivery", "destination"
        )
        self.predicted_breaches = self._gauge(
            "predicted_breaches", "Deliveries that will miss their due time", "destination"
        )
        self.silent_receipts = self._gauge(
            "silent_receipts", "Handed over, and no verdict for longer than agreed", "destination"
        )
        self.due_unclaimed = self._gauge(
            "due_unclaimed", "Ready deliveries past due that nobody claims", "destination"
        )
        self.escalations = self._counter(
            "escalations", "Deliveries with so little slack left", "destination", "percent"
        )
        self.breaker_open = self._gauge(
            "breaker_open", "1 while the circuit breaker is open", "destination"
        )
        self.stuck_chains = self._gauge("stuck_chains", "Chains that waited for nothing")
        self.intake_lag = self._gauge("intake_lag_records", "Records behind the end")
        self.assigned_partitions = self._gauge("assigned_partitions", "Partitions assigned to us")
        self.last_progress = self._gauge(
            "intake_progress_timestamp_seconds", "When intake last got on"
        )

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(name, help_, labels, namespace=_PREFIX, registry=self.registry)

    def _gauge(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(name, help_, labels, namespace=_PREFIX, registry=self.registry)
