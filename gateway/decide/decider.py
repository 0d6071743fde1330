"""Decide (pure): destinations, due time and verb of a record version or grade change."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from gateway.decide.doubled import other_keys
from gateway.decide.guard import Guard
from gateway.decide.takes import in_region, required_columns, takes
from gateway.due.deadline import dues
from gateway.due.workdays import Workdays
from schemas.base import today
from schemas.codes import FOLLOW_UPS, RecordKind, Verb
from schemas.columns import filled
from schemas.delivery import (
    HANDED_OVER,
    TO_COME,
    DeliveryState,
    ItemKind,
)
from schemas.destination import GRADE_CHANGE, Destination, TimeLimit
from schemas.identifiers import region
from schemas.kinds import KINDS
from schemas.obligation import DueTime, Obligation, PastDelivery, ReportedVersion, Route

S = DeliveryState

#: One working day for withdrawals and repairs (河南省社会信用条例 42, 43).
FOLLOW_UP_LIMIT = TimeLimit(
    name="follow-up-1", days=1, counts="working", source="河南省社会信用条例 第42、43条"
)


#: Cached routes at most, by day, region and columns; and due times, by clocks and day.
MEMORY = 10_000


class DecidedVersion(NamedTuple):
    """The obligation of one version, and the deliveries that it replaces."""

    obligation: Obligation
    superseded: list[int]


class Decider:
    """Decide with the configured destinations and clocks; equal questions get equal answers."""

    def __init__(
        self,
        destinations: Sequence[Destination],
        clocks: Mapping[str, TimeLimit],
        workdays: Workdays,
    ) -> None:
        self.destinations = tuple(destinations)
        self.clocks = {**clocks, FOLLOW_UP_LIMIT.name: FOLLOW_UP_LIMIT}
        self.workdays = workdays
        self.guard = Guard(destinations)
        #: Of destinations that do not tell decisions apart as we do: by what they do.
        self.other_keys = other_keys(destinations)
        self._required = {
            (destination.name, kind): required_columns(destination, kind)
            for destination in destinations
            for kind in KINDS.reported
        }
        #: Destinations that name the columns they require: empty ones are no problem of check.
        self._demanding = {one.name for one in destinations if one.requires is not None}
        self._dues_of = lru_cache(MEMORY)(self._computed_dues)
        self._routes: dict[tuple[object, ...], list[Route]] = {}

    def versions(
        self,
        versions: Sequence[ReportedVersion],
        stored: Mapping[int, list[PastDelivery]],
        now: datetime,
    ) -> tuple[list[Obligation], list[int]]:
        """Decide the versions of a batch, in their order.

        `stored` are the deliveries of their decisions, as for `version`. Returns the obligations
        and the ids of the stored deliveries that they replace. How a stream was divided into
        batches changes neither.
        """
        owed: list[Obligation] = []
        superseded: list[int] = []
        times = Counter(version.decision_id for version in versions)
        batch = _Batch(stored)
        for version in versions:
            chain = version.decision_id
            if times[chain] == 1:
                decided = self.version(version, stored.get(chain, ()), now)
                superseded += decided.superseded
            else:
                decided = self.version(version, batch.past(chain), now)
                superseded += batch.supersede(owed, decided.superseded, chain)
                batch.add(len(owed), decided.obligation)
            owed.append(decided.obligation)
        return owed, superseded

    def version(
        self, version: ReportedVersion, past: Sequence[PastDelivery], now: datetime
    ) -> DecidedVersion:
        """Decide the deliveries of a record version.

        `past` are the deliveries of its decision, to all destinations, that stand or may have
        arrived.
        """
        if version.verb in FOLLOW_UPS or version.excluded:
            return self._follow_up(version, past, now)
        if not past:
            return DecidedVersion(_obligation(version, self._first(version)), [])
        routes: list[Route] = []
        superseded: list[int] = []
        for destination in self.destinations:
            mine = [p for p in past if p.destination == destination.name]
            # Filters decide only where nobody holds an earlier version: a correction is told.
            if any(p.is_told for p in mine) or takes(destination, version):
                route, replaced = self._report(version, destination, mine, now)
                routes.append(route)
                superseded += replaced
            else:
                superseded += [p.id for p in mine if p.is_replaceable]
        return DecidedVersion(_obligation(version, routes), superseded)

    def _first(self, version: ReportedVersion) -> list[Route]:
        """Return the routes of a first version; those of one day, region and kind are cached."""
        given = _given(version) if self._demanding else None
        whose = None if version.person else region(version.subject_code)
        alike = (version.kind, version.decision_date, whose, version.problem_fields, given)
        routes = self._routes.get(alike)
        if routes is None:
            if len(self._routes) >= MEMORY:
                self._routes.clear()
            routes = self._routes[alike] = [
                self._route(version, destination)
                for destination in self.destinations
                if takes(destination, version)
            ]
        return routes

    def grade_changes(
        self, changes: Iterable[tuple[int, int, str]], now: datetime
    ) -> list[Obligation]:
        """Return the obligations of (grade change id, subject id, subject code).

        A grade change goes to every destination that takes it; it is never held and never
        superseded.
        """
        owed: list[Obligation] = []
        routes: dict[str, list[Route]] = {}
        for change_id, subject_id, code in changes:
            whose = region(code)
            if whose not in routes:
                routes[whose] = self._grade_routes(code, now)
            kind = ItemKind.GRADE_CHANGE
            owed.append(
                Obligation(kind, change_id, subject_id, subject_id, Verb.NEW, routes[whose])
            )
        return owed

    def _grade_routes(self, code: str, now: datetime) -> list[Route]:
        return [
            Route(one.name, S.WAITING, due.at, (due,))
            for one in self.destinations
            if GRADE_CHANGE in one.takes and in_region(one, code)
            for due in (DueTime("grade-change", now + one.grade_due, None),)
        ]

    def _report(
        self,
        version: ReportedVersion,
        destination: Destination,
        past: Sequence[PastDelivery],
        now: datetime,
    ) -> tuple[Route, list[int]]:
        """Return the route of a later version, and the ids of the deliveries that it replaces."""
        route = self._route(version, destination)
        replaced = [p for p in past if p.is_replaceable and not p.is_pending_follow_up]
        if any(p.state in HANDED_OVER for p in past):
            dues = self._dues_of(destination.clocks, today(now))
            route = route._replace(due_at=dues[0].at, dues=dues)
        waits = any(p.is_settling or p.is_follow_up_to_come for p in past)
        if route.state is S.READY and waits:
            route = route._replace(state=S.WAITING)
        # A withdrawal that came back had a time limit of its own.
        reports = (p.due_at for p in replaced if p.verb not in FOLLOW_UPS)
        earliest = min((route.due_at, *reports))
        return route._replace(due_at=earliest), [p.id for p in replaced]

    def _route(self, version: ReportedVersion, destination: Destination) -> Route:
        """Return the route of a first version: held if a column that it requires is faulty."""
        demands = destination.name in self._demanding
        given = _given(version) if demands else frozenset()
        lacking = self.lacking(destination.name, version.kind, version.problem_fields, given)
        dues = self._dues_of(destination.clocks, version.decision_date)
        return Route(destination.name, S.HELD if lacking else S.READY, dues[0].at, dues)

    def lacking(
        self, name: str, kind: RecordKind, problem_fields: frozenset[str], given: frozenset[str]
    ) -> frozenset[str]:
        """Return the columns that a destination requires and that are faulty or not given.

        A destination that is not configured any more lacks nothing.
        """
        required = self._required.get((name, kind), frozenset())
        faulty = required & problem_fields
        return faulty | (required - given) if name in self._demanding else faulty

    def _follow_up(
        self, version: ReportedVersion, past: Sequence[PastDelivery], now: datetime
    ) -> DecidedVersion:
        """Decide a withdrawal or repair: it goes to destinations that have or may have the record.

        A withdrawal replaces what was not handed over. A repair cancels no duty to report: it waits
        behind what is still owed. An exclusion is told as a withdrawal; what is withdrawn already
        is not withdrawn again.
        """
        dues = self._dues_of((FOLLOW_UP_LIMIT.name,), today(now))
        verb = Verb.WITHDRAW if version.excluded else version.verb
        routes = []
        for name in dict.fromkeys(p.destination for p in past):
            mine = [p for p in past if p.destination == name]
            state = _repaired(mine) if verb is Verb.REPAIR else _withdrawn(mine)
            if state is not None:
                routes.append(Route(name, state, dues[0].at, dues))
        superseded = [
            p.id
            for p in past
            if p.is_replaceable and not (verb is Verb.REPAIR and p.is_report_owed)
        ]
        return DecidedVersion(_obligation(version, routes)._replace(verb=verb), superseded)

    def _computed_dues(self, names: tuple[str, ...], day: date) -> tuple[DueTime, ...]:
        return tuple(dues(names, self.clocks, day, self.workdays))


def _given(version: ReportedVersion) -> frozenset[str]:
    """Return the wire columns of a version that have a value."""
    return version.columns if version.record is None else filled(version.record)


def _withdrawn(past: Sequence[PastDelivery]) -> DeliveryState | None:
    """Return the first state of a withdrawal at the destination of these; None if none is owed."""
    told = [p for p in past if p.is_told]
    if not told or told[-1].is_withdrawn_there:
        return None
    return S.WAITING if any(p.is_settling for p in told) else S.READY


def _repaired(past: Sequence[PastDelivery]) -> DeliveryState | None:
    """Return the first state of a repair at the destination of these; None if none is owed."""
    told = any(p.is_told for p in past)
    if not told and not any(p.is_report_owed for p in past):
        return None
    first = any(p.is_settling or (p.is_report_owed and p.state in TO_COME) for p in past)
    return S.WAITING if first or not told else S.READY


def _obligation(version: ReportedVersion, routes: Sequence[Route]) -> Obligation:
    return Obligation(
        ItemKind.RECORD_VERSION,
        version.id,
        version.subject_id,
        version.decision_id,
        version.verb,
        routes,
    )


class _Batch:
    """The deliveries that a batch adds to chains with several new versions.

    Each version is decided as if the ones before it had come in a batch of their own; a delivery
    that is superseded before it was written is written as superseded.
    """

    def __init__(self, stored: Mapping[int, Sequence[PastDelivery]]) -> None:
        self._stored = stored
        self._chains: dict[int, list[PastDelivery]] = {}  #: those that this batch changes
        self._places: list[tuple[int, int]] = []  #: (obligation, route) of -1, -2, …

    def past(self, decision_id: int) -> Sequence[PastDelivery]:
        """Return what stands of a chain: stored deliveries and those of this batch."""
        return self._chains.get(decision_id, self._stored.get(decision_id, ()))

    def add(self, number: int, obligation: Obligation) -> None:
        """Remember the deliveries of an obligation, under ids that no stored delivery has."""
        chain = self._chains[obligation.chain_id] = list(self.past(obligation.chain_id))
        for place, route in enumerate(obligation.routes):
            self._places.append((number, place))
            id_, verb = -len(self._places), obligation.verb
            chain.append(PastDelivery(id_, route.destination, route.state, route.due_at, verb))

    def supersede(self, owed: list[Obligation], ids: Iterable[int], decision_id: int) -> list[int]:
        """Mark deliveries of this batch superseded; return the ids of the stored ones."""
        gone = set(ids)
        for number, place in (self._places[-id_ - 1] for id_ in gone if id_ < 0):
            routes = list(owed[number].routes)
            routes[place] = routes[place]._replace(state=S.SUPERSEDED)
            owed[number] = owed[number]._replace(routes=routes)
        stands = [one for one in self.past(decision_id) if one.id not in gone]
        self._chains[decision_id] = stands
        return [id_ for id_ in gone if id_ > 0]
