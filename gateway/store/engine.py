"""The database: one engine, one way into a transaction, and what its errors mean."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg
import orjson
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

Connection = AsyncConnection
Result = TypeVar("Result")

#: Deadlock and serialisation failure: the whole batch is repeated.
_REPEAT = {"40P01", "40001"}
#: SQLSTATE classes that mean the data, not the database: 21 cardinality, 22 data, 23 integrity.
_DATA_CLASSES = {"21", "22", "23"}
_REPEATS = 10


class DatabaseAway(Exception):
    """The database cannot be reached or is shutting down; nothing was committed."""


class BadData(Exception):
    """The database refuses the data of this batch; a smaller batch tells which item."""


class Database:
    """The engine and its transactions."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            json_deserializer=orjson.loads,
            connect_args={"server_settings": {"timezone": "UTC", "jit": "off"}},
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction: committed at the end, undone on any error."""
        try:
            async with self.engine.begin() as connection:
                yield connection
        except (DBAPIError, InterfaceError, OSError, asyncpg.PostgresError) as error:
            raise _translated(error) from error

    async def run(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Run `work` in a transaction, again from the start after a deadlock."""
        for _ in range(_REPEATS - 1):
            try:
                async with self.transaction() as connection:
                    return await work(connection)
            except _Collision:
                continue
        async with self.transaction() as connection:
            return await work(connection)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class _Collision(DatabaseAway):
    """Deadlock or serialisation failure."""


def _translated(error: Exception) -> Exception:
    state = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    if state in _REPEAT:
        return _Collision(str(error))
    if state[:2] in _DATA_CLASSES:
        return BadData(str(getattr(error, "orig", error)))
    cause = getattr(error, "orig", error)
    refused = isinstance(error, DBAPIError) and error.connection_invalidated
    if refused or not state or state[:2] in {"08", "53", "57", "58"} or isinstance(cause, OSError):
        return DatabaseAway(str(cause))
    return error
