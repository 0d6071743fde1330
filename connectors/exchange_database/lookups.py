"""What is known of rows by our key: in a staging table, where the platform moves them, or nowhere.

Natural persons may have a table of their own, and may have had none when a decision was written. So
it is looked for in all tables of its kind, and what follows it goes where it stands.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.sql.elements import SQLCoreOperations

from connectors.exchange_database.rows import Staging, column_of
from connectors.shared.layout import kind_of, table_of
from schemas.delivery import Item, Outcome, OutcomeKind

#: Keys that are asked for in one statement: Oracle takes a thousand.
_KEYS = 500
_ABSENT = Outcome(kind=OutcomeKind.DEFERRED, absent=True)


def found(
    connection: Connection, tables: Mapping[str, Staging], items: Sequence[Item]
) -> list[Outcome]:
    """Return what became of the rows of items, by our key; those that are nowhere are absent."""
    known: dict[str, Outcome] = {}
    for name, place in tables.items():
        keys = [item.key for item in items if kind_of(name) == item.record_kind]
        for key, outcome in _by_key(connection, place, keys).items():
            if known.get(key, outcome).kind is OutcomeKind.REJECTED or key not in known:
                known[key] = outcome
    return [
        known.get(item.key) or (_ABSENT if table_of(tables, item) in tables else _nowhere(item))
        for item in items
    ]


def standing(
    connection: Connection, tables: Mapping[str, Staging], items: Sequence[Item]
) -> dict[str, str]:
    """Return the table of each item, by its key: where its latest version stands.

    Without such a row, and if the platform has refused it, it is that of its subject.
    """
    several = [item for item in items if len(tables_of(tables, item)) > 1]
    there: dict[str, str] = {}  # key → table
    for name, place in tables.items():
        apart = [item for item in several if kind_of(name) == item.record_kind]
        known = _by_key(connection, place, [key for item in apart for key in keys_of(item)])
        stands = (key for key, one in known.items() if one.kind is not OutcomeKind.REJECTED)
        there |= dict.fromkeys(stands, name)
    return {
        item.key: next(
            (there[key] for key in keys_of(item) if key in there), table_of(tables, item)
        )
        for item in items
    }


def tables_of(tables: Mapping[str, Staging], item: Item) -> list[str]:
    """Return the tables in which the rows of a decision may be."""
    return [name for name in tables if kind_of(name) == item.record_kind]


def keys_of(item: Item) -> tuple[str, ...]:
    """Return the keys of all versions of a decision that may be there."""
    return (item.key, *item.earlier)


def parts(keys: Sequence[str]) -> list[Sequence[str]]:
    """Return keys in parts that a statement takes."""
    return [keys[start : start + _KEYS] for start in range(0, len(keys), _KEYS)]


def moved(connection: Connection, place: Staging, keys: Sequence[str]) -> set[str]:
    """Return the keys that are in the table of the platform."""
    if place.moved is None or place.settings.moved_to is None or not keys:
        return set()
    key = column_of(place.moved, place.settings.moved_to.key_column)
    return {str(one).strip() for (one,) in connection.execute(select(key).where(key.in_(keys)))}


def handed_over(place: Staging) -> OutcomeKind:
    """Return what a row is of which the platform has said nothing yet."""
    return OutcomeKind.SUBMITTED if place.settings.answers else OutcomeKind.ACCEPTED_BLIND


def _nowhere(item: Item) -> Outcome:
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
    for some in parts(keys):
        for row in connection.execute(select(*wanted).where(key.in_(some))):
            outcomes[str(row[0]).strip()] = _outcome(place, *row[1:])
        accepted = Outcome(kind=OutcomeKind.ACCEPTED)
        outcomes |= dict.fromkeys(moved(connection, place, some), accepted)
    return outcomes


def _outcome(place: Staging, sign: Any = None, cause: Any = None) -> Outcome:
    """Return what the check sign of a row says."""
    passed = None if place.settings.check_column is None else place.verdict(sign)
    if passed is None:
        return Outcome(kind=handed_over(place))
    if passed:
        return Outcome(kind=OutcomeKind.ACCEPTED)
    return Outcome(kind=OutcomeKind.REJECTED, reasons=(place.words_of(cause),))
