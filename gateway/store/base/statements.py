"""Set-based statements: a batch of n rows is sent as a few arrays, never as n statements."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from gateway.store.base.engine import Connection, DatabaseAway


def unnest(columns: str, name: str = "t") -> str:
    """Turn `id bigint, code text` into a `from` item that reads arrays `:id`, `:code` as rows.

    Each row also has its `place` in the arrays, starting at 1.
    """
    pairs = [pair.split() for pair in columns.split(",")]
    arrays = ", ".join(f"cast(:{column} as {type_}[])" for column, type_ in pairs)
    return f"unnest({arrays}) with ordinality as {name}({', '.join(names(columns))}, place)"


def names(columns: str) -> list[str]:
    """Turn `id bigint, code text` into `["id", "code"]`."""
    return [column.split()[0] for column in columns.split(",")]


def one_of(states: Iterable[str]) -> str:
    """Turn our own closed values into a list for SQL `in`, always in the same order."""
    return "(" + ", ".join(f"'{state}'" for state in sorted(states)) + ")"


#: Types that are sent as text, because our JSON is text already.
_AS_TEXT = frozenset({"jsonb"})


class Insert:
    """An `insert … select from unnest(…)` of one table: takes rows, sends columns."""

    def __init__(self, table: str, columns: str, conflict: str) -> None:
        types = dict(pair.split() for pair in columns.split(","))
        self.names = list(types)
        given = ", ".join(f"{n} {'text' if t in _AS_TEXT else t}" for n, t in types.items())
        casts = [f"{n}::{t}" if t in _AS_TEXT else n for n, t in types.items()]
        self.statement: TextClause = text(
            f"insert into {table} ({', '.join(self.names)}) "
            f"select {', '.join(casts)} from {unnest(given)} {conflict}"
        )

    async def __call__(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write the rows; without rows nothing is sent."""
        if rows:
            columns = zip(*rows, strict=True)
            values = dict(zip(self.names, map(list, columns), strict=True))
            await connection.execute(self.statement, values)


_BEGIN = text("select")


class Copy:
    """Write new rows that cannot conflict, by COPY: a third of the client work of `Insert`."""

    def __init__(self, table: str, columns: str) -> None:
        """Take the column names; a type may follow each name, as for `Insert`."""
        self.table = table
        self.names = names(columns)

    async def __call__(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write the rows in the transaction of `connection`; without rows nothing is sent."""
        if rows:
            raw = await connection.get_raw_connection()
            driver = raw.driver_connection
            if driver is None:
                raise DatabaseAway(self.table)
            if not driver.is_in_transaction():  # SQLAlchemy begins with its own first statement
                await connection.execute(_BEGIN)
            await driver.copy_records_to_table(self.table, records=rows, columns=self.names)


def arrays(columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> Mapping[str, list[Any]]:
    """Turn rows into one array for each column; without rows, into empty arrays."""
    values = list(zip(*rows, strict=True))
    if not values:
        return {name: [] for name in columns}
    return {name: list(column) for name, column in zip(columns, values, strict=True)}


_NEXT_IDS = text("select array_agg(nextval('gateway_id')) from generate_series(1, :count)")


class Ids:
    """Ids reserved in a block: one statement for all ids of a batch."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = iter(ids)

    @classmethod
    async def reserve(cls, connection: Connection, count: int) -> "Ids":
        """Reserve `count` ids, higher than all ids given before under the same locks."""
        found: list[int] | None = await connection.scalar(_NEXT_IDS, {"count": count})
        return cls(found or [])

    def take(self) -> int:
        """Return the next id of the block."""
        return next(self._ids)


def as_json(value: object) -> str:
    """Return the JSON text of problems, columns or dates."""
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:  # an integer beyond 64 bits, which PostgreSQL can store
        return json.dumps(value, ensure_ascii=False, default=str)
