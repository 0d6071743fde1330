"""What is asked of a staging table, within a transaction: find, take back, insert.

Rows of a decision are those with the keys of its versions. What is in a row says less: a correction
may change it, a penalty of several persons has one number, and others write into the table as well.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, false, insert, or_, select
from sqlalchemy.sql.elements import SQLCoreOperations

from connectors.errors import CallRejected
from connectors.exchange_database.advice import advice
from connectors.exchange_database.place import RowRefused
from connectors.exchange_database.rows import NoColumn, Staging, column_of, row_of
from connectors.exchange_database.settings import PullBack
from connectors.exchange_database.values import NotFitting, value_for
from connectors.shared.layout import table_of
from connectors.shared.words import reason
from schemas.base import SHANGHAI
from schemas.codes import Verb
from schemas.delivery import Item, Outcome, OutcomeKind

Of = Callable[[Connection], Mapping[str, Staging]]
#: Keys that are asked for in one statement: Oracle takes a thousand.
_KEYS = 500
_TAKEN_BACK = "已在平台提取之前从前置库撤下"
_ABSENT = Outcome(kind=OutcomeKind.DEFERRED, absent=True)
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
    # A row that was refused is written anew: who sends it again believes that it will pass.
    missing = [
        item
        for item, known in zip(items, there, strict=True)
        if table_of(tables, item) in tables and (known.absent or known.kind is OutcomeKind.REJECTED)
    ]
    cleared = _delete_failed(connection, tables, missing)
    to_write = {item.key for item in missing}
    rows: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}
    outcomes = []
    for item, known in zip(items, there, strict=True):
        if item.key not in to_write:
            outcomes.append(known)
            continue
        kind = table_of(tables, item)
        place = tables[kind]
        outcome = _without_a_row(connection, place, item, cleared, now, window)
        if outcome is None:
            row = _made(item, place, now)
            rows.setdefault((kind, tuple(row)), []).append(row)
            outcome = Outcome(kind=_handed_over(place))
        outcomes.append(outcome)
    for (kind, _), given in rows.items():
        connection.execute(insert(tables[kind].table), given)
    return outcomes


def _made(item: Item, place: Staging, now: datetime) -> dict[str, Any]:
    try:
        return row_of(item, place, now)
    except NotFitting as error:
        raise RowRefused(str(error), of_value=True) from error
    except NoColumn as error:
        raise RowRefused(str(error), meaning=CallRejected(str(error))) from error


def _without_a_row(
    connection: Connection,
    place: Staging,
    item: Item,
    cleared: set[str],
    now: datetime,
    window: PullBack | None,
) -> Outcome | None:
    """Return the outcome of an item that needs no row of its own, or cannot have one."""
    if item.verb in {Verb.CORRECT, Verb.WITHDRAW}:
        gone = cleared | _take_back(connection, place, item, now, window)
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
    for kind in {table_of(tables, item) for item in items}:
        place = tables[kind]
        if place.settings.check_column is None:
            continue
        key = place.column(place.settings.key_column)
        failed = place.column(place.settings.check_column).in_(place.failed)
        of_kind = [item for item in items if table_of(tables, item) == kind]
        keys = [one for item in of_kind for one in _keys_of(item)]
        for some in _parts(keys):
            # They are read first: a search locks nothing of the platform's.
            rows = connection.execute(select(key).where(key.in_(some), failed)).all()
            if rows:
                refused = [row[0] for row in rows]
                connection.execute(delete(place.table).where(key.in_(refused), failed))
                gone |= {str(one).strip() for one in refused}
    return gone


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
    for one in set(item.earlier) - _moved(connection, place, item.earlier):
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


def _keys_of(item: Item) -> tuple[str, ...]:
    return (item.key, *item.earlier)


def _parts(keys: Sequence[str]) -> list[Sequence[str]]:
    return [keys[start : start + _KEYS] for start in range(0, len(keys), _KEYS)]


def found(
    connection: Connection, tables: Mapping[str, Staging], items: Sequence[Item]
) -> list[Outcome]:
    """Return what became of the rows of items, by our key; those that are nowhere are absent."""
    known: dict[str, Outcome] = {}
    for kind in {table_of(tables, item) for item in items} & tables.keys():
        for keys in _parts([item.key for item in items if table_of(tables, item) == kind]):
            known |= _by_key(connection, tables[kind], keys)
    return [
        known.get(item.key, _ABSENT) if table_of(tables, item) in tables else _without_table(item)
        for item in items
    ]


def _without_table(item: Item) -> Outcome:
    words = f"没有配置 {item.record_kind} 的表：写在 settings 的 tables 里"
    return Outcome(kind=OutcomeKind.REJECTED, reasons=(words,))


def _by_key(connection: Connection, place: Staging, keys: Sequence[str]) -> dict[str, Outcome]:
    settings = place.settings
    key = place.column(settings.key_column)
    wanted: list[SQLCoreOperations[Any]] = [key]
    wanted += [
        place.column(name) for name in (settings.check_column, settings.cause_column) if name
    ]
    outcomes: dict[str, Outcome] = {}
    for row in connection.execute(select(*wanted).where(key.in_(keys))):
        outcomes[str(row[0]).strip()] = _outcome(place, *row[1:])
    accepted = Outcome(kind=OutcomeKind.ACCEPTED)
    return outcomes | dict.fromkeys(_moved(connection, place, keys), accepted)


def _moved(connection: Connection, place: Staging, keys: Sequence[str]) -> set[str]:
    """Return the keys that are in the table of the platform."""
    if place.moved is None or place.settings.moved_to is None or not keys:
        return set()
    key = column_of(place.moved, place.settings.moved_to.key_column)
    return {str(one).strip() for (one,) in connection.execute(select(key).where(key.in_(keys)))}


def _outcome(place: Staging, sign: Any = None, cause: Any = None) -> Outcome:
    """Return what the check sign of a row says."""
    passed = None if place.settings.check_column is None else place.verdict(sign)
    if passed is None:
        return Outcome(kind=_handed_over(place))
    if passed:
        return Outcome(kind=OutcomeKind.ACCEPTED)
    return Outcome(kind=OutcomeKind.REJECTED, reasons=(place.words_of(cause),))


def _handed_over(place: Staging) -> OutcomeKind:
    return OutcomeKind.SUBMITTED if place.settings.answers else OutcomeKind.ACCEPTED_BLIND


def refused(
    connection: Connection, tables: Mapping[str, Staging], item: Item, words: str
) -> Outcome:
    """Return the outcome of a row that breaks a rule of the table, such as that of uniqueness."""
    [there] = found(connection, tables, [item])
    if not there.absent and there.kind is not OutcomeKind.REJECTED:
        return there  # it came meanwhile, by an attempt of which nobody knew any more
    if _waits(connection, tables[table_of(tables, item)], item):
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
