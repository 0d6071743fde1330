"""Set-based statements: a batch of n rows goes in as a few arrays, never as n statements."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from gateway.store.base.engine import Connection, DatabaseAway


def unnest(columns: str, name: str = "t") -> str:
    """`id bigint, code text` → a `from` item that reads the arrays `:id` and `:code` as rows.

    Each row also has its `place` in the arrays, from 1.
    """
    pairs = [pair.split() for pair in columns.split(",")]
    arrays = ", ".join(f"cast(:{column} as {type_}[])" for column, type_ in pairs)
    return f"unnest({arrays}) with ordinality as {name}({', '.join(names(columns))}, place)"


def names(columns: str) -> list[str]:
    """`id bigint, code text` → `id`, `code`."""
    return [column.split()[0] for column in columns.split(",")]


def one_of(states: Iterable[str]) -> str:
    """Closed values of ours → a list for `in`, always in the same order."""
    return "(" + ", ".join(f"'{state}'" for state in sorted(states)) + ")"


#: Types that travel as text: our JSON is text already, and so it stays.
_AS_TEXT = frozenset({"jsonb"})


class Insert:
    """An `insert … select from unnest(…)` of one table, given rows and sending columns."""

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
        """Write the rows; nothing is sent for none."""
        if rows:
            columns = zip(*rows, strict=True)
            values = dict(zip(self.names, map(list, columns), strict=True))
            await connection.execute(self.statement, values)


class Copy:
    """New rows that can meet no conflict, by COPY: a third of the client's work of `Insert`."""

    def __init__(self, table: str, columns: str) -> None:
        """The columns by name; types as `Insert` takes them may follow the names."""
        self.table = table
        self.names = names(columns)

    async def __call__(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write the rows in the transaction of `connection`; nothing is sent for none."""
        if rows:
            raw = await connection.get_raw_connection()
            driver = raw.driver_connection
            if driver is None:
                raise DatabaseAway(self.table)
            await driver.copy_records_to_table(self.table, records=rows, columns=self.names)


def arrays(columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> Mapping[str, list[Any]]:
    """Rows turned into one array a column; empty arrays where there is no row."""
    values = list(zip(*rows, strict=True))
    if not values:
        return {name: [] for name in columns}
    return {name: list(column) for name, column in zip(columns, values, strict=True)}


_NEXT_IDS = text("select array_agg(nextval('gateway_id')) from generate_series(1, :count)")


class Ids:
    """Ids handed out in blocks: one statement for all that a batch will need."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = iter(ids)

    @classmethod
    async def reserve(cls, connection: Connection, count: int) -> "Ids":
        """`count` ids, higher than all that were given under the locks held."""
        found: list[int] | None = await connection.scalar(_NEXT_IDS, {"count": count})
        return cls(found or [])

    def take(self) -> int:
        """The next one."""
        return next(self._ids)


def as_json(value: object) -> str:
    """JSON text of problems, columns or dates."""
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:  # an integer beyond 64 bits, which PostgreSQL keeps as it is
        return json.dumps(value, ensure_ascii=False, default=str)
