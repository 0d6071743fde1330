"""The platform's side of a sandbox exchange database: takes new rows, checks them, moves them.

It looks whenever somebody comes to the database, and when something was committed: nobody finds a
row there of which the verdict is due and not written.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.sandbox.app import Sandbox
from connectors.sandbox.book import Book, Entry
from connectors.sandbox.exchange_tables import (
    KEY,
    STATUS,
    copied_columns,
    moved,
    standard_columns,
)
from connectors.sandbox.faults import Faults
from connectors.sandbox.places import ExchangePlace
from schemas.base import SHANGHAI

_WITHDRAWN = "1"
_REFUSE = """
    update {table} set check_sign = '2', check_unpass_cause = :cause
    where id in (select id from {table} where id = :id for update skip locked)
"""
_MOVE = """
    with gone as (
        delete from {table}
        where id in (select id from {table} where id = :id for update skip locked)
        returning {columns}
    )
    insert into {moved} ({columns}, sync_sign, sync_date)
    select {columns}, '1', :at from gone cross join generate_series(1, :times)
"""
#: What others hold at this moment stays: to wait for them could be to wait for each other.
_EMPTY = "delete from {table} where ctid in (select ctid from {table} for update skip locked)"
_WAIT_SHORTLY = "set local lock_timeout = '500ms'"
#: The SQLSTATE of a lock that did not come in time.
_LOCK_NOT_AVAILABLE = "55P03"


class _Staged(NamedTuple):
    """A row of a staging table, and the faults that it was taken with."""

    table: str
    id: int
    faults: Faults


class ExchangeDesk:
    """What a platform has taken from its staging tables, and what it has not moved yet.

    Who looks, or commits rows that it shall take by their faults, holds `alone` meanwhile.
    """

    def __init__(self, sandbox: Sandbox, name: str, engine: AsyncEngine) -> None:
        self.place: ExchangePlace = sandbox.places_of(ExchangePlace)[name]
        self.alone = asyncio.Lock()
        self._sandbox = sandbox
        self._name = name
        self._engine = engine
        #: The verdicts that are not written yet.
        self._due: list[Mapping[str, Any]] = []
        self._begin(self.book)

    @property
    def book(self) -> Book:
        """The book of the place, a new one after a reset."""
        return self._sandbox.books[self._name]

    def faults(self, documents: Sequence[str] | None = None) -> Faults:
        """Return the faults of the next call; with documents it hands rows over."""
        book = self.book
        if documents is None:
            return book.faults_of_call(None)
        book.calls["database"] += 1
        return book.faults_of_call("database", documents)

    async def look(self, faults: Faults | None = None) -> None:
        """Take what is new by these faults, or by those of the place; write verdicts, and move.

        What needs a lock that somebody else holds is left for the next look: he may wait for us.
        """
        book = self.book
        book.acting = faults or book.faults
        try:
            if self._read is not book:
                async with self._transaction() as connection:
                    await self._empty(connection)
                self._begin(book)
            async with self._transaction() as connection:
                for table, kind in self.place.tables.items():
                    for row in await self._new(connection, table):
                        self._take(book, table, kind, row)
                self._collect(book)
                settled = [said for said in self._due if await self._settled(connection, said)]
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
        else:  # it is committed
            self._due = [said for said in self._due if said not in settled]

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.begin() as connection:
            await connection.execute(text(_WAIT_SHORTLY))
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    def _begin(self, book: Book) -> None:
        self._read = book
        self._cursor = ""
        self._known: dict[str, set[int]] = {table: set() for table in self.place.tables}
        self._staged: dict[str, _Staged] = {}  #: by our key
        self._due.clear()

    async def _empty(self, connection: AsyncConnection) -> None:
        for table in self.place.tables:
            for each in (table, moved(table)):
                await connection.execute(text(_EMPTY.format(table=each)))

    async def _new(self, connection: AsyncConnection, table: str) -> list[Mapping[str, Any]]:
        others = "where id <> all(cast(:known as bigint[])) order by id"
        query = text(f"select * from {table} {others}")  # noqa: S608
        found = await connection.execute(query, {"known": list(self._known[table])})
        return [dict(row) for row in found.mappings()]

    def _take(self, book: Book, table: str, kind: str, row: Mapping[str, Any]) -> None:
        """Take one row; its verdict comes by the book."""
        self._known[table].add(row["id"])
        columns = {
            name.upper(): str(row[name]) for name in standard_columns(kind) if row[name] is not None
        }
        verb = "withdraw" if row[STATUS[kind]] == _WITHDRAWN else "new"
        entry = Entry("", kind, verb, 0, columns, "submitted", book.now())
        entry.key = row[KEY] or f"{entry.document}|{entry.subject}"
        if not row[KEY] and entry.key in self._staged:  # of another client, which has no keys
            entry.key += f"|{row['id']}"
        book.received[entry.key] += 1
        chosen = book.faults_of(entry, "database")
        self._staged[entry.key] = _Staged(table, row["id"], chosen)
        if reasons := book.refusal(entry, chosen):
            book.schedule(entry, entry.stored_at, "rejected", reasons)
        else:
            book.store(entry, chosen)

    def _collect(self, book: Book) -> None:
        while True:
            page, self._cursor = book.receipts(self._cursor)
            if not page:
                return
            self._due += page

    async def _settled(self, connection: AsyncConnection, said: Mapping[str, Any]) -> bool:
        """Write one verdict; False if somebody holds the row at this moment."""
        table, number, faults = self._staged[said["key"]]
        names = {"table": table, "moved": moved(table)}
        if said["accepted"]:
            here = self.book.now().astimezone(SHANGHAI).replace(tzinfo=None)
            columns = ", ".join(copied_columns(self.place.tables[table]))
            given: dict[str, Any] = {"at": here, "times": 2 if faults.answer == "twice" else 1}
            written = text(_MOVE.format(columns=columns, **names))
        else:
            given = {"cause": "；".join(said["reasons"])}
            written = text(_REFUSE.format(**names))
        if (await connection.execute(written, {"id": number, **given})).rowcount:
            return True
        still = text(f"select 1 from {table} where id = :id")  # noqa: S608
        return await connection.scalar(still, {"id": number}) is None
