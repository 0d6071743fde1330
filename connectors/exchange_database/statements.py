"""What is asked of a staging table, within a transaction: find, take back, insert."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select
from sqlalchemy.sql.elements import SQLCoreOperations

from connectors.exchange_database.place import RowRefused
from connectors.exchange_database.rows import (
    NotFitting,
    Staging,
    column_of,
    matching,
    row_of,
    value_for,
)
from connectors.exchange_database.settings import PullBack
from schemas.base import SHANGHAI
from schemas.codes import Verb
from schemas.delivery import Item, Outcome, OutcomeKind

Of = Callable[[Connection], Mapping[str, Staging]]
#: Keys that are asked for in one statement: Oracle takes a thousand.
_KEYS = 500
_TAKEN_BACK = "已在平台提取之前从前置库撤下"
_ABSENT = Outcome(kind=OutcomeKind.DEFERRED, absent=True)


def write(
    connection: Connection,
    tables: Mapping[str, Staging],
    items: Sequence[Item],
    now: datetime,
    window: PullBack | None,
) -> list[Outcome]:
    """Insert the rows of items that are not there yet; return an outcome for each item.

    Raises:
        RowRefused: a value does not fit its column, where other items come in the same transaction.
    """
    there = found(connection, tables, items)
    rows: dict[str, list[dict[str, Any]]] = {}
    outcomes = []
    for item, known in zip(items, there, strict=True):
        place = tables.get(item.record_kind)
        # A row that was refused is written anew: who sends it again believes that it will pass.
        is_there = not known.absent and known.kind is not OutcomeKind.REJECTED
        if place is None or is_there:
            outcomes.append(known)
            continue
        try:
            outcome = _prepared(connection, place, item, now, window)
            if outcome is None:
                rows.setdefault(item.record_kind, []).append(row_of(item, place, now))
                outcome = Outcome(kind=_handed_over(place))
        except NotFitting as error:
            raise RowRefused(str(error), of_value=True) from error
        outcomes.append(outcome)
    for kind, given in rows.items():
        connection.execute(insert(tables[kind].table), _alike(given))
    return outcomes


def _prepared(
    connection: Connection, place: Staging, item: Item, now: datetime, window: PullBack | None
) -> Outcome | None:
    """Clear the way for a row; return the outcome of an item that needs none."""
    _delete_failed(connection, place, item)
    if item.verb is not Verb.NEW:
        taken_back = _take_back(connection, place, item, now, window)
        if item.verb is Verb.WITHDRAW and taken_back:
            return Outcome(kind=OutcomeKind.ACCEPTED, reference=_TAKEN_BACK)
    needs_status = item.verb in {Verb.WITHDRAW, Verb.REPAIR}
    if needs_status and place.settings.status_column is None:
        words = "前置库的表没有状态列，撤回和修复写不进去：请向平台提出，再在这里办结"
        return Outcome(kind=OutcomeKind.REJECTED, reasons=(words,))
    return None


def _delete_failed(connection: Connection, place: Staging, item: Item) -> None:
    """Delete rows of the same decision that the platform has refused: a mended one follows."""
    check = place.settings.check_column
    if check is not None:
        failed = _has_sign(place, check, place.settings.failed)
        connection.execute(delete(place.table).where(_same(item, place), failed))


def _take_back(
    connection: Connection, place: Staging, item: Item, now: datetime, window: PullBack | None
) -> bool:
    """Take the row of a decision back; return whether it was the only one, and in time.

    It must be of today, since the platform picks up at night, and unchecked.
    """
    here = now.astimezone(SHANGHAI)
    settings = place.settings
    if window is None or settings.inserted_column is None:
        return False
    if not window.begin <= here.time() < window.end:
        return False
    same = _same(item, place)
    if len(connection.execute(select(place.column(settings.key_column)).where(same)).all()) != 1:
        return False
    inserted = place.column(settings.inserted_column)
    since = datetime.combine(here.date(), window.begin)
    conditions = [same, inserted >= value_for(inserted, since)]
    if settings.check_column is not None:
        conditions.append(~_is_checked(place, settings.check_column))
    return connection.execute(delete(place.table).where(*conditions)).rowcount == 1


def _same(item: Item, place: Staging) -> ColumnElement[bool]:
    """Return the condition for the rows of an item's decision."""
    return and_(
        *(
            column_of(place.table, name).is_(None)
            if value is None
            else column_of(place.table, name) == value
            for name, value in matching(item, place).items()
        )
    )


def _has_sign(place: Staging, check: str, signs: frozenset[str]) -> ColumnElement[bool]:
    column = place.column(check)
    return column.in_([value_for(column, sign) for sign in sorted(signs)])


def _is_checked(place: Staging, check: str) -> ColumnElement[bool]:
    signs = place.settings.passed | place.settings.failed
    column = place.column(check)
    return and_(column.is_not(None), _has_sign(place, check, signs))


def found(
    connection: Connection, tables: Mapping[str, Staging], items: Sequence[Item]
) -> list[Outcome]:
    """Return what became of the rows of items, by our key; those that are nowhere are absent."""
    known: dict[str, Outcome] = {}
    for kind in {item.record_kind for item in items} & tables.keys():
        keys = [item.key for item in items if item.record_kind == kind]
        for start in range(0, len(keys), _KEYS):
            known |= _by_key(connection, tables[kind], keys[start : start + _KEYS])
    return [
        known.get(item.key, _ABSENT) if item.record_kind in tables else _without_table(item)
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
    outcomes = {
        str(row[0]).strip(): _outcome(place, *row[1:])
        for row in connection.execute(select(*wanted).where(key.in_(keys)))
    }
    if place.moved is not None and settings.moved_to is not None:
        arrived = column_of(place.moved, settings.moved_to.key_column)
        for (one,) in connection.execute(select(arrived).where(arrived.in_(keys))):
            outcomes[str(one).strip()] = Outcome(kind=OutcomeKind.ACCEPTED)
    return outcomes


def _outcome(place: Staging, sign: Any = None, cause: Any = None) -> Outcome:
    """Return what the check sign of a row says."""
    if place.settings.check_column is not None and sign is not None:
        if str(sign).strip() in place.settings.failed:
            reasons = (f"平台校验未通过：{cause or '没有写原因'}",)
            return Outcome(kind=OutcomeKind.REJECTED, reasons=reasons)
        if str(sign).strip() in place.settings.passed:
            return Outcome(kind=OutcomeKind.ACCEPTED)
    return Outcome(kind=_handed_over(place))


def _handed_over(place: Staging) -> OutcomeKind:
    return OutcomeKind.SUBMITTED if place.settings.answers else OutcomeKind.ACCEPTED_BLIND


def _alike(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with the same columns, as one statement for all takes them."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def waits(connection: Connection, tables: Mapping[str, Staging], item: Item) -> bool:
    """Whether a row of the same decision is still to be picked up, which a table may refuse."""
    place = tables[item.record_kind]
    unchecked = [_same(item, place)]
    if place.settings.check_column is not None:
        unchecked.append(~_is_checked(place, place.settings.check_column))
    key = place.column(place.settings.key_column)
    return connection.execute(select(key).where(*unchecked).limit(1)).first() is not None


def readable(connection: Connection, of: Of) -> None:
    """Read no row of each table, which needs the right to select."""
    for place in of(connection).values():
        for table in (place.table, place.moved):
            if table is not None:
                connection.execute(select(*table.columns).limit(1))
