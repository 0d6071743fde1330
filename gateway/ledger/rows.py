"""The line of a decision in the ledger 台账明细: its state by destination and clock (pure)."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from gateway.check.completeness import required_names
from gateway.check.penalty_kinds import split_kinds
from gateway.decide.takes import required_columns, takes
from gateway.due.deadline import due as due_of
from gateway.due.deadline import parse_dues, utc
from gateway.due.workdays import Workdays
from gateway.ledger.causes import Cause, DownTime, Told, Why, why
from gateway.ledger.passes import is_first_pass, mended_at, was_held
from gateway.ledger.row import DecisionStanding, LedgerRow
from gateway.ledger.timeliness import LATE, timeliness
from gateway.titles import EXCLUSIONS, PERSON, STATES, VERB_TITLES
from schemas.base import end_of
from schemas.codes import FOLLOW_UPS, RecordKind, Verb
from schemas.delivery import DeliveryState as S
from schemas.destination import Destination, TimeLimit
from schemas.identifiers import masked
from schemas.kinds import KINDS
from schemas.obligation import ReportedVersion
from schemas.verdict import Exclusion


@dataclass(frozen=True, slots=True)
class LedgerScope:
    """What a ledger needs besides the database; `pseudonym` gives the public name of a person."""

    destinations: tuple[Destination, ...]
    clocks: Mapping[str, TimeLimit]
    workdays: Workdays
    pseudonym: Callable[[str], str]
    entry_clock: TimeLimit | None = None
    #: Name → title of what is reconciled: destinations and registers.
    sides: Mapping[str, str] = field(default_factory=dict)
    #: Authority, normalised → its own website 本单位公示网址, which nobody else can know.
    sites: Mapping[str, str] = field(default_factory=dict)
    #: Destinations to which a person carries files.
    by_person: frozenset[str] = frozenset()


class Assembler:
    """Turn the rows of the store into rows of the ledger."""

    def __init__(
        self,
        scope: LedgerScope,
        now: datetime,
        outages: Mapping[str, Sequence[DownTime]],
        notes: Mapping[int, str],
    ) -> None:
        """Take the outages by destination, and what people said by delivery."""
        self.scope = scope
        self.now = now
        self.outages = outages
        self.notes = notes
        self._required: dict[tuple[str, str], frozenset[str]] = {}
        self._fresh: dict[tuple[str, date], tuple[datetime, bool]] = {}

    def row(self, rows: Sequence[Any]) -> LedgerRow:
        """Return the row of one decision, with its state at each destination that it is owed to.

        `rows` are those of the store, one for each of its deliveries, or one without any.
        """
        decision, told = rows[0], _by_destination(rows)
        standings = {}
        for destination in self.scope.destinations:
            deliveries = told.get(destination.name, [])
            if deliveries or self._owed_all_the_same(decision, destination):
                standings[destination.name] = self._standing(decision, destination, deliveries)
        number, name, code = self._named(decision)
        return LedgerRow(
            decision_id=decision.id,
            kind=RecordKind(decision.kind),
            document_number=number,
            authority=masked(decision.authority or ""),
            subject_name=name,
            subject_code=code,
            decision_date=decision.decision_date,
            excluded=_excluded_title(decision.excluded),
            withdrawn=decision.withdrawn_at is not None,
            standings={} if decision.excluded else standings,
            arrived_at=utc(decision.arrived_at),
            asked=_asked(decision.kind, decision.category, decision.penalty_kinds),
            lacking=decision.lacking,
            amount=_amount(decision),
        )

    def _named(self, decision: Any) -> tuple[str, str, str]:
        """Return document number, subject and code as they may be shown: nothing of a secret.

        Identity numbers that stand in a wrong column are masked.
        """
        if decision.excluded == Exclusion.STATE_SECRET:
            return "", "", ""
        number, code = masked(decision.document_number or ""), decision.subject_code
        if decision.person:
            return number, PERSON, self.scope.pseudonym(code)
        return number, masked(decision.subject_name or ""), code

    def _owed_all_the_same(self, decision: Any, destination: Destination) -> bool:
        """Whether a decision without any delivery is owed to the destination.

        A destination with `since` is owed all decisions from that day on: one without a delivery
        counts in N and not in S, so that the missing delivery is seen. Without `since`, it is owed
        only decisions recorded after it was configured, and these have deliveries.
        """
        if destination.since is None or decision.decision_verb == Verb.WITHDRAW:
            return False
        version = ReportedVersion(
            id=0,
            decision_id=decision.id,
            subject_id=0,
            subject_code=decision.subject_code,
            kind=RecordKind(decision.kind),
            verb=Verb.NEW,
            decision_date=decision.decision_date,
            record=None,
            problem_fields=frozenset(),
            excluded=False,
            person=decision.person,
        )
        return takes(destination, version)

    def _standing(
        self, decision: Any, destination: Destination, deliveries: list[Any]
    ) -> DecisionStanding:
        reports = [d for d in deliveries if d.verb not in FOLLOW_UPS]
        handed_over_at = _earliest(d.handed_over_at for d in reports)
        accepted_at = _earliest(d.accepted_at for d in reports)
        due = self._dues(reports, destination, decision.decision_date)
        found = {
            name: timeliness(
                due=due[name],
                provisional=self._due(name, decision.decision_date)[1],
                handed_over_at=handed_over_at,
                accepted_at=accepted_at,
                withdrawn_at=decision.withdrawn_at,
                now=self.now,
            )
            for name in destination.clocks
        }
        late = [due[name] for name, result in found.items() if result in LATE]
        held = self._held(decision, destination, reports)
        outages = self.outages.get(destination.name, ())
        queue = Cause.UPLOAD if destination.name in self.scope.by_person else Cause.OURS
        reason = _why(decision, min(late), outages, reports, held, queue) if late else None
        rejected_at = _earliest(d.rejected_at for d in reports)
        return DecisionStanding(
            destination=destination.name,
            state=_state(deliveries),
            due=due,
            timeliness=found,
            handed_over_at=handed_over_at,
            accepted_at=accepted_at,
            blind=accepted_at is None and any(d.state == S.ACCEPTED_BLIND for d in reports),
            attempts=sum(d.attempts for d in deliveries),
            reasons=tuple(map(masked, deliveries[-1].reasons or ())) if deliveries else (),
            why=reason and reason.words,
            cause=reason and reason.cause,
            rejected_at=rejected_at,
            first_pass=is_first_pass(reports, held),
            mended_at=mended_at(reports),
            notes=tuple(
                masked(self.notes[d.delivery_id]) for d in reports if d.delivery_id in self.notes
            ),
        )

    def _held(
        self, decision: Any, destination: Destination, reports: Iterable[Any]
    ) -> frozenset[int]:
        """Return the deliveries that waited for a column, by what the destination requires now."""
        of = destination.name, decision.kind
        if of not in self._required:
            self._required[of] = required_columns(destination, RecordKind(decision.kind))
        demands = destination.requires is not None
        return frozenset(
            one.delivery_id for one in reports if was_held(one, self._required[of], demands=demands)
        )

    def _dues(
        self, reports: Iterable[Any], destination: Destination, day: date
    ) -> dict[str, datetime]:
        """Return the due time by each clock: the earliest stored.

        It is computed from the decision date for a clock that the destination did not have when it
        was first told, and where the first version had another date: what a mistyped one was given
        counts for nothing, and a correction's own due time is no decision's.
        """
        told = [parse_dues(one.dues) if _is_of(one, day) else {} for one in reports]
        first = told[0] if told else {}
        found: dict[str, datetime] = {}
        for name in destination.clocks:
            stored = [dues[name] for dues in told if name in dues]
            found[name] = min(stored if name in first else [*stored, self._due(name, day)[0]])
        return found

    def _due(self, clock: str, day: date) -> tuple[datetime, bool]:
        key = (clock, day)
        if key not in self._fresh:
            due = due_of(self.scope.clocks[clock], day, self.scope.workdays)
            self._fresh[key] = (utc(due.at), due.provisional)
        return self._fresh[key]


def _why(
    decision: Any,
    due: datetime,
    outages: Sequence[DownTime],
    reports: list[Any],
    held: Set[int],
    queue: Cause,
) -> Why:
    """Return where the time up to the earliest due time went that was not met."""
    told = [
        Told(
            one.created_at,
            held=one.delivery_id in held,
            handed_over_at=one.handed_over_at,
            rejected_at=one.rejected_at,
            accepted_at=one.accepted_at,
        )
        for one in reports
    ]
    return why(end_of(decision.decision_date), due, decision.arrived_at, told, outages, queue)


def _is_of(report: Any, day: date) -> bool:
    """Whether a delivery told the decision with this date; one that says none is taken to."""
    return report.version_day in {None, day}


def _by_destination(rows: Iterable[Any]) -> dict[str, list[Any]]:
    told: dict[str, list[Any]] = {}
    for row in rows:
        if row.destination is not None:
            told.setdefault(row.destination, []).append(row)
    return told


def _amount(decision: Any) -> str:
    """Return what a decision imposes by its latest version: 罚款 2 万元，没收 0.5 万元."""
    if decision.excluded == Exclusion.STATE_SECRET:
        return ""
    told = (("罚款", decision.fine), ("没收", decision.confiscated))
    return "，".join(f"{title} {_plainly(amount)} 万元" for title, amount in told if amount)


def _plainly(amount: str) -> str:
    """Return a number without its last zeros; any other text as it may be shown."""
    whole, _, part = amount.partition(".")
    is_number = whole.isdecimal() and (part.isdecimal() or not part)
    return amount.rstrip("0").rstrip(".") if is_number and part else masked(amount)


@KINDS.cached
def _asked(kind: str, category: str | None, penalty_kinds: str | None) -> int:
    """Return how many items a decision of a kind, for such a subject and penalty, must have."""
    kinds = split_kinds((penalty_kinds,)) if penalty_kinds else ()
    values = {"subject_category": category, "penalty_kinds": kinds or None}
    return len(required_names(RecordKind(kind), values))


def _state(deliveries: list[Any]) -> str:
    """Return the last delivery's state in Chinese, with its verb unless it is the first version."""
    if not deliveries:
        return "没有报送任务"
    last = deliveries[-1]
    verb = VERB_TITLES.get(Verb(last.verb))
    title = STATES[S(last.state)]
    return f"{verb}：{title}" if verb else title


def _excluded_title(reason: str | None) -> str | None:
    return EXCLUSIONS[Exclusion(reason)] if reason else None


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    known = [utc(at) for at in times if at is not None]
    return min(known, default=None)
