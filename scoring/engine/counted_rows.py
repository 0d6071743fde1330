"""Find the rows of one fact that count on a day, and the days on which this may change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from schemas.credit import NotEvaluated
from scoring.dates import add_days
from scoring.engine.conditions import History, applying
from scoring.engine.prepared import PreparedTable
from scoring.engine.prepared_rows import Mark, Row, stop, valid_from
from scoring.engine.repair import Conduct, When, lasting
from scoring.engine.tally import ZERO, Tally
from scoring.engine.tariff import Hit
from scoring.facts import Fact, plain
from scoring.regulation.terms import Source, Unless

NO_HISTORY = History(())


@dataclass(frozen=True, slots=True)
class Counted:
    """A row of a fact that counts: with its points, with the grade it sets, or with both."""

    fact: Fact
    row: Row
    points: Decimal | None
    mark: Mark | None
    values: dict[str, str]


class Desk(NamedTuple):
    """The context that decides, with the fact, whether its rows count."""

    entry: PreparedTable
    when: When
    tally: Tally
    history: History = NO_HISTORY
    graded: Mapping[str, date] = MappingProxyType({})  #: see `graded_since`


def records(fact: Fact, hits: Sequence[Hit], start: date, desk: Desk) -> Iterator[Counted]:
    """Yield the rows that count on the day, of a fact already in effect.

    Adds the notes of these rows, and refusals for missing points, to the tally.
    """
    for hit in hits:
        lacking = hit.row.lacks(fact)
        if lacking is not None:
            desk.tally.refuse(f"{lacking.value}:{fact.id}")
            continue
        record = _record(fact, hit, start, desk)
        if record is not None:
            desk.tally.notes |= hit.row.notes
            yield record


def _record(fact: Fact, hit: Hit, start: date, desk: Desk) -> Counted | None:
    row, tally = hit.row, desk.tally
    exception = _exception(row.unless, fact, row.item, desk)
    if exception is not None and not exception.points:
        return None
    points, validity = row.terms_for(fact)
    if exception is not None:
        points = exception.points
    conduct = Conduct(row.warnable, row.repairable, points or ZERO)
    graded = desk.graded.get(fact.id)
    since = valid_from(fact, start, desk.entry.activation)
    span = lasting(fact, start, stop(validity, fact, since), conduct, row.waits, graded)
    tally.notes |= span.notes
    mark = row.mark
    marked = mark is not None and span.covers(desk.when)
    if mark is not None and mark.validity is not None:
        own = lasting(fact, start, stop(mark.validity, fact, since), conduct, row.waits, graded)
        marked = own.covers(desk.when)
    if mark is not None and marked:
        marked = _exception(mark.unless, fact, row.item, desk) is None
    counts = points is not None and span.covers(desk.when)
    if not counts and not marked:
        return None
    shown = _values(fact, hit, exception)
    return Counted(fact, row, points if counts else None, mark if marked else None, shown)


def _exception(exceptions: tuple[Unless, ...], fact: Fact, item: str, desk: Desk) -> Unless | None:
    """Return the exception that applies, or None; conflicting exceptions refuse the subject."""
    if not exceptions:
        return None
    found = applying(exceptions, fact, desk.when.as_of, desk.history)
    for other in found[1:]:
        if (other.points or ZERO) != (found[0].points or ZERO):
            reason = NotEvaluated.CONFLICTING_EXCEPTIONS.value
            desk.tally.refuse(f"{reason}:{item} {found[0].id} {other.id}")
    if not found:
        return None
    desk.tally.notes |= desk.entry.notes.exception
    desk.tally.exceptions += [f"{fact.id} {item} {each.id}" for each in found]
    return found[0]


def turning_days(
    fact: Fact, hits: Sequence[Hit], start: date, entry: PreparedTable
) -> Iterator[date | None]:
    """Yield every day on which the counting of the fact's rows may change; None means never."""
    yield start
    yield fact.repair_confirmed_on
    yield fact.rectified_on
    if fact.warning_until is not None:
        yield add_days(fact.warning_until, 1)
    since = valid_from(fact, start, entry.activation)
    for hit in hits:
        yield stop(hit.row.terms_for(fact)[1], fact, since)
        if hit.row.mark is not None:
            yield stop(hit.row.mark.validity, fact, since)


def plain_values(fact: Fact, hit: Hit) -> dict[str, str]:
    """Return the values of the fact that the trace shows for a row with printed points."""
    found = {"decided_on": fact.decided_on.isoformat(), **hit.values}
    if hit.row.amount is not None and fact.penalty is not None:
        fine = fact.penalty.fine_wan
        if fine is not None:
            found["fine_wan"] = plain(fine)
    if fact.document_number is not None:
        found["document_number"] = fact.document_number
    if fact.parts:
        found["parts"] = "、".join(fact.parts)
    return found


def _values(fact: Fact, hit: Hit, exception: Unless | None) -> dict[str, str]:
    found = plain_values(fact, hit)
    if hit.row.source is not None:
        found |= _brought(fact, hit.row.source)
    return found if exception is None else found | {"unless": exception.id}


def _brought(fact: Fact, source: Source) -> dict[str, str]:
    name = "principal_points" if source is Source.PRINCIPAL else "stated_points"
    points: Decimal | None = getattr(fact, name)
    return {} if points is None else {name: plain(points)}


def dates(fact: Fact) -> dict[str, str]:
    """Return the fact's other dates that the trace shows, besides the decision date."""
    named = {
        "created_on": fact.created_on,
        "rectified_on": fact.rectified_on,
        "repair_applied_on": fact.repair_applied_on,
        "repair_confirmed_on": fact.repair_confirmed_on,
        "warning_until": fact.warning_until,
    }
    return {name: day.isoformat() for name, day in named.items() if day is not None}
