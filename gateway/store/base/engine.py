"""The database: one engine, transactions, and the translation of database errors."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
import orjson
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.config.errors import Away, BadConfiguration

Connection = AsyncConnection
Result = TypeVar("Result")

#: Deadlock, serialisation failure, or a unique key that another process wrote first: repeat.
_REPEAT = {"40P01", "40001", "23505"}
#: SQLSTATE classes of errors in the data: 21 cardinality, 22 data, 23 integrity.
_DATA_CLASSES = {"21", "22", "23"}
#: SQLSTATE classes: connection, resources, operator intervention, system error.
_AWAY_CLASSES = {"08", "53", "57", "58"}
#: Wrong password or role, no such database, no permission: waiting does not help.
_REFUSED = ("28", "3D", "42501")
#: Read-only after a fail-over, and a database that accepts no connections.
_AWAY_STATES = {"25006", "55000"}
_REPEATS = 10
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}


class DatabaseAway(Away):
    """The database cannot be reached or is shutting down; nothing was committed."""

    lead = "数据库不可用，检查数据库服务和 CREDIT_GATEWAY_DATABASE_URL"


class BadData(Exception):
    """The database refuses the data of this batch; process smaller batches to find the item."""


_FOREIGN = (DBAPIError, InterfaceError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Database:
    """The engine and its transactions."""

    def __init__(self, url: str, pool_size: int = 10, *, read_only: bool = False) -> None:
        """Create an engine for `postgresql://…`; with `read_only` the server refuses every write.

        Raises:
            BadConfiguration: the address is not a PostgreSQL address.
        """
        session = {"timezone": "UTC", "jit": "off"}
        if read_only:
            session["default_transaction_read_only"] = "on"
        self.engine: AsyncEngine = create_async_engine(
            _address(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            json_deserializer=orjson.loads,
            connect_args={"server_settings": session},
        )
        event.listen(self.engine.sync_engine, "connect", _read_and_write_times)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Open one transaction: committed at the end, rolled back on any error.

        Raises:
            DatabaseAway, BadData, BadConfiguration: the translated errors of the database.
        """
        try:
            async with self.engine.begin() as connection:
                yield connection
        except _FOREIGN as error:
            raise _translated(error) from error

    async def run(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Run `work` in a transaction; repeat it after a deadlock or similar, ten times at most."""
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


def _address(url: str) -> URL:
    """Return the address for our driver; errors do not show it, because it contains a password."""
    try:
        address = make_url(url)
        if address.get_backend_name() != "postgresql" or (address.port or 1) not in range(1, 65536):
            raise ValueError
    except (ArgumentError, ValueError):
        raise BadConfiguration(
            "database_url：应写成 postgresql://用户:密码@主机:端口/库名；"
            "密码里的 @ : / 写成 %40 %3A %2F"
        ) from None
    query = dict(address.query)
    if "sslmode" in query:  # the name in libpq
        query["ssl"] = query.pop("sslmode")
    wrong = sorted(query.keys() - {"host", "ssl"})
    if wrong or query.get("ssl", "prefer") not in _SSL_MODES:
        modes = "、".join(sorted(_SSL_MODES))
        raise BadConfiguration(
            f"database_url：{'、'.join(wrong) or 'sslmode'} 不能用；"
            f"问号后只能有 host 和 sslmode（{modes}）"
        )
    return address.set(drivername="postgresql+asyncpg", query=query)


#: PostgreSQL counts microseconds from this time.
_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def _from_time(at: datetime) -> tuple[int]:
    return _since_epoch(at, at.fold)


@lru_cache(maxsize=1024)
def _since_epoch(at: datetime, fold: int) -> tuple[int]:
    """Convert a time; `fold` is in the cache key, since times of either fold count as equal."""
    del fold
    return ((at - _EPOCH) // _MICROSECOND,)


def _to_time(since: tuple[int]) -> datetime:
    return _EPOCH + timedelta(microseconds=since[0])


def _read_and_write_times(connection: Any, record: object) -> None:
    """Convert times with a cache, since a batch writes the same time to thousands of rows.

    asyncpg's own codec takes 1.6 µs for each value, a tenth of intake; other types take 0.1 µs.
    """
    del record
    codec = {"encoder": _from_time, "decoder": _to_time, "format": "tuple"}
    connection.run_async(
        lambda driver: driver.set_type_codec("timestamptz", schema="pg_catalog", **codec)
    )


class _Collision(DatabaseAway):
    """Deadlock, serialisation failure or unique key written first: the work can be repeated."""


def _translated(error: Exception) -> Exception:
    cause = _cause(error)
    state = getattr(cause, "sqlstate", None) or ""
    if state in _REPEAT:
        return _Collision(str(cause))
    if state[:2] in _DATA_CLASSES or isinstance(cause, ValueError | OverflowError):
        return BadData(str(cause))
    if state.startswith(_REFUSED):
        return BadConfiguration(
            f"database_url：数据库拒绝：{cause}；检查用户、密码、库名和用户的权限"
        )
    if not state or state[:2] in _AWAY_CLASSES or state in _AWAY_STATES:
        return DatabaseAway(str(cause))
    return error


def _cause(error: Exception) -> BaseException:
    """Return the driver's own error, which SQLAlchemy wraps twice."""
    original = getattr(error, "orig", None) or error
    return original.__cause__ or original
