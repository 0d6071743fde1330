"""What is asked of a staging table, within a transaction: find, take back, insert.

Rows of a decision are those with the keys of its versions. What is in a row says less: a correction
may change it, a penalty of several persons has one number, and others write into the table as well.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, false, insert, or_, select

from connectors.errors import CallRejected
from connectors.exchange_database.advice import advice
from connectors.exchange_database.lookups import (
    found,
    handed_over,
    keys_of,
    moved,
    parts,
    standing,
    tables_of,
)
from connectors.exchange_database.place import RowRefused
from connectors.exchange_database.rows import NoColumn, Staging, row_of
from connectors.exchange_database.settings import PullBack
from connectors.exchange_database.values import NotFitting, value_for
from connectors.shared.words import reason
from schemas.base import SHANGHAI
from schemas.codes import Verb
from schemas.delivery import Item, Outcome, OutcomeKind

Of = Callable[[Connection], Mapping[str, Staging]]
_TAKEN_BACK = "已在平台提取之前从前置库撤下"
#: When a row is tried again that waits for the platform's pick-up of the one before.
_PICKED_UP = timedelta(hours=1)


def write(
    connection: Connection,
    tables: Mapping[str, Staging],
    items: Sequence[Item],
    now: datetime,
    window: PullBack | None,
) -> list[Outcome]:
    """Insert the rows of items that are not there yet; return an outcome for each item.

    Raises:
        RowRefused: a row cannot be made, where other items come in the same transaction.
    """
    there = found(connection, tables, items)
    at = standing(connection, tables, items)
    # A row that was refused is written anew: who sends it again believes that it will pass.
    missing = [
        item
        for item, known in zip(items, there, strict=True)
        if at[item.key] in tables and (known.absent or known.kind is OutcomeKind.REJECTED)
    ]
    cleared = _delete_failed(connection, tables, missing)
    to_write = {item.key for item in missing}
    rows: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}
    outcomes = []
    for item, known in zip(items, there, strict=True):
        if item.key not in to_write:
            outcomes.append(known)
            continue
        name = at[item.key]
        place = tables[name]
        gone = cleared | _taken_back(connection, tables, item, now, window)
        outcome = _without_a_row(place, item, gone)
        if outcome is None:
            row = _made(item, place, now)
            rows.setdefault((name, tuple(row)), []).append(row)
            outcome = Outcome(kind=handed_over(place))
        outcomes.append(outcome)
    for (name, _), given in rows.items():
        connection.execute(insert(tables[name].table), given)
    return outcomes


def _made(item: Item, place: Staging, now: datetime) -> dict[str, Any]:
    try:
        return row_of(item, place, now)
    except NotFitting as error:
        raise RowRefused(str(error), of_value=True) from error
    except NoColumn as error:
        raise RowRefused(str(error), meaning=CallRejected(str(error))) from error


def _without_a_row(place: Staging, item: Item, gone: set[str]) -> Outcome | None:
    """Return the outcome of an item that needs no row of its own, or cannot have one."""
    # A version that is not there any more was picked up: of that the platform must be told.
    if item.verb is Verb.WITHDRAW and item.earlier and gone.issuperset(item.earlier):
        return Outcome(kind=OutcomeKind.ACCEPTED, reference=_TAKEN_BACK)
    if item.verb in {Verb.WITHDRAW, Verb.REPAIR} and place.settings.status_column is None:
        words = "前置库的表没有状态列，撤回和修复写不进去：请向平台提出，再在这里办结"
        return Outcome(kind=OutcomeKind.REJECTED, reasons=(words,))
    return None


def _delete_failed(
    connection: Connection, tables: Mapping[str, Staging], items: Sequence[Item]
) -> set[str]:
    """Delete rows of the same decisions that the platform has refused; return their keys."""
    gone: set[str] = set()
    for name, place in tables.items():
        if place.settings.check_column is None:
            continue
        key = place.column(place.settings.key_column)
        failed = place.column(place.settings.check_column).in_(place.failed)
        of_kind = [item for item in items if name in tables_of(tables, item)]
        keys = [one for item in of_kind for one in keys_of(item)]
        for some in parts(keys):
            # They are read first: a search locks nothing of the platform's.
            rows = connection.execute(select(key).where(key.in_(some), failed)).all()
            if rows:
                refused = [row[0] for row in rows]
                connection.execute(delete(place.table).where(key.in_(refused), failed))
                gone |= {str(one).strip() for one in refused}
    return gone


def _taken_back(
    connection: Connection,
    tables: Mapping[str, Staging],
    item: Item,
    now: datetime,
    window: PullBack | None,
) -> set[str]:
    """Delete rows before a correction or withdrawal, wherever they are; return their keys."""
    if item.verb not in {Verb.CORRECT, Verb.WITHDRAW}:
        return set()
    places = [tables[name] for name in tables_of(tables, item)]
    return {key for place in places for key in _take_back(connection, place, item, now, window)}


def _take_back(
    connection: Connection, place: Staging, item: Item, now: datetime, window: PullBack | None
) -> set[str]:
    """Delete the rows of earlier versions that nobody picked up yet; return their keys.

    A row must be of today, since the platform picks up at night, unchecked, and not moved.
    """
    here = now.astimezone(SHANGHAI)
    settings = place.settings
    if window is None or settings.inserted_column is None:
        return set()
    if not window.begin <= here.time() < window.end:
        return set()
    inserted = place.column(settings.inserted_column)
    since = datetime.combine(here.date(), window.begin)
    conditions = [inserted >= value_for(inserted, since), _unchecked(place), _untouched(place)]
    key, gone = place.column(settings.key_column), set()
    for one in set(item.earlier) - moved(connection, place, item.earlier):
        deleted = connection.execute(delete(place.table).where(key == one, *conditions))
        if deleted.rowcount == 1:
            gone.add(one)
    return gone


def _unchecked(place: Staging) -> ColumnElement[bool]:
    """Return the condition for rows of which the platform has not said what becomes of them."""
    if place.settings.check_column is None:
        return ~false()
    column = place.column(place.settings.check_column)
    return or_(column.is_(None), column.not_in([*place.passed, *place.failed]))


def _untouched(place: Staging) -> ColumnElement[bool]:
    """Return the condition for rows that are as we wrote them: any other sign is the platform's."""
    if place.settings.check_column is None:
        return ~false()
    column = place.column(place.settings.check_column)
    return or_(column.is_(None), column.in_(place.untouched))


def refused(
    connection: Connection, tables: Mapping[str, Staging], item: Item, words: str
) -> Outcome:
    """Return the outcome of a row that breaks a rule of the table, such as that of uniqueness."""
    [there] = found(connection, tables, [item])
    if not there.absent and there.kind is not OutcomeKind.REJECTED:
        return there  # it came meanwhile, by an attempt of which nobody knew any more
    if any(_waits(connection, tables[name], item) for name in tables_of(tables, item)):
        words = reason(f"同一决定的上一行还在等平台提取，之后再写；{words}")
        return Outcome(kind=OutcomeKind.DEFERRED, reasons=(words,), retry_after=_PICKED_UP)
    return Outcome(kind=OutcomeKind.REJECTED, reasons=(reason(words),))


def _waits(connection: Connection, place: Staging, item: Item) -> bool:
    """Whether a row of an earlier version is still there, and the platform will take it away."""
    key = place.column(place.settings.key_column)
    waiting: list[ColumnElement[bool]] = [key.in_(item.earlier)]
    if place.settings.moved_to is None:
        waiting.append(_unchecked(place))
    return connection.execute(select(key).where(and_(*waiting)).limit(1)).first() is not None


def usable(connection: Connection, of: Of) -> list[str]:
    """Read and delete no row of each table, which needs the rights to do so; return advice."""
    tables = of(connection)
    for place in tables.values():
        connection.execute(select(*place.table.columns).where(false()))
        connection.execute(delete(place.table).where(false()))
        if place.moved is not None:
            connection.execute(select(*place.moved.columns).where(false()))
    return advice(connection, tables)
