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

#: Deadlock, serialisation failure, or a row that another process wrote first: repeat the batch.
_REPEAT = {"40P01", "40001", "23505"}
#: SQLSTATE classes that mean the data, not the database: 21 cardinality, 22 data, 23 integrity.
_DATA_CLASSES = {"21", "22", "23"}
#: Connection, resources, operator intervention, system error.
_AWAY_CLASSES = {"08", "53", "57", "58"}
#: Read-only after a fail-over; a database that accepts no connections.
_AWAY_STATES = {"25006", "55000"}
_REPEATS = 10


class DatabaseAway(Exception):
    """The database cannot be reached or is shutting down; nothing was committed."""


class BadData(Exception):
    """The database refuses the data of this batch; a smaller batch tells which item."""


_FOREIGN = (DBAPIError, InterfaceError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


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
        except _FOREIGN as error:
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
    cause = _cause(error)
    state = getattr(cause, "sqlstate", None) or ""
    if state in _REPEAT:
        return _Collision(str(cause))
    if state[:2] in _DATA_CLASSES or isinstance(cause, ValueError | OverflowError):
        return BadData(str(cause))
    if not state or state[:2] in _AWAY_CLASSES or state in _AWAY_STATES:
        return DatabaseAway(str(cause))
    return error


def _cause(error: Exception) -> BaseException:
    """The driver's own error behind SQLAlchemy's two wrappings."""
    original = getattr(error, "orig", None) or error
    return original.__cause__ or original
