"""The database: one engine, transactions, and the translation of database errors."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
import orjson
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.config.errors import Away, BadConfiguration

Connection = AsyncConnection
Result = TypeVar("Result")

#: Deadlock, serialisation failure, or a unique key that another process wrote first: repeat.
_SAME_KEY = "23505"
_REPEAT = {"40P01", "40001", _SAME_KEY}
#: SQLSTATE classes of errors in the data: 21 cardinality, 22 data, 23 integrity, 54 too long.
_DATA_CLASSES = {"21", "22", "23", "54"}
#: SQLSTATE classes: connection, resources, operator intervention, system error.
_AWAY_CLASSES = {"08", "53", "57", "58"}
#: Wrong password or role, no such database, no permission: waiting does not help.
_REFUSED = ("28", "3D", "42501")
#: No such table, column or function, or of another type: no item has the fault.
_STRUCTURE = "42"
#: SQLSTATE: a lock was not acquired within lock_timeout.
LOCK_NOT_AVAILABLE = "55P03"
#: Read-only after a fail-over, a database that accepts no connections, and a lock_timeout.
_AWAY_STATES = {"25006", "55000", LOCK_NOT_AVAILABLE}
_REPEATS = 10
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}


class DatabaseAway(Away):
    """The database cannot be reached or is shutting down; nothing was committed."""

    lead = "数据库不可用，检查数据库服务和 CREDIT_GATEWAY_DATABASE_URL"


class BadData(Exception):
    """The database refuses the data of this batch; process smaller batches to find the item."""


#: Whether the database answers; the result itself is ignored.
ALIVE = text("select 1")

_FOREIGN = (
    DBAPIError,
    InterfaceError,
    PoolTimeoutError,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)


_SESSION = {
    "timezone": "UTC",
    "jit": "off",
    # A host that vanished in a transaction keeps no subject locked for longer.
    "idle_in_transaction_session_timeout": "10min",
}


#: A lock that somebody holds for longer than any of our batches is an outage, and is told as one.
LOCK_TIMEOUT = "20s"


class Database:
    """The engine and its transactions."""

    def __init__(
        self,
        url: str,
        pool_size: int = 10,
        *,
        read_only: bool = False,
        connect_seconds: float = 10,
        pool_seconds: float = 30,
        command_seconds: float | None = 300,
    ) -> None:
        """Create an engine for `postgresql://…`; with `read_only` the server refuses every write.

        The limits are those of a new connection, of the wait for one of the pool, and of one
        statement; None is for migrations, which take as long as they take.

        Raises:
            BadConfiguration: the address is not a PostgreSQL address.
        """
        only = {"default_transaction_read_only": "on"} if read_only else {}
        if command_seconds is not None:
            only["lock_timeout"] = LOCK_TIMEOUT
        self.engine: AsyncEngine = create_async_engine(
            _address(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            pool_timeout=pool_seconds,
            json_deserializer=orjson.loads,
            connect_args={
                "server_settings": _SESSION | only,
                "timeout": connect_seconds,
                "command_timeout": command_seconds,
            },
        )
        event.listen(self.engine.sync_engine, "connect", _watch)
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
        try:
            async with self.transaction() as connection:
                return await work(connection)
        except _Collision as error:
            # Nobody else writes the same key ten times in a row: the data itself has it twice.
            raise (BadData(str(error)) if error.same_key else error) from error

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


#: TCP options, in seconds, of a connection: the kernel asks an idle peer, and gives up one that is
#: silent for half a minute. A fail-over that drops packets shows up so, not as an endless wait.
_KEEPALIVE = {
    "SO_KEEPALIVE": (socket.SOL_SOCKET, 1),
    "TCP_KEEPIDLE": (socket.IPPROTO_TCP, 10),
    "TCP_KEEPINTVL": (socket.IPPROTO_TCP, 5),
    "TCP_KEEPCNT": (socket.IPPROTO_TCP, 4),
    "TCP_USER_TIMEOUT": (socket.IPPROTO_TCP, 30_000),
}


def _watch(connection: Any, record: object) -> None:
    """Set the keepalive options that this system has, if the connection is one over TCP."""
    del record
    transport = connection.driver_connection._transport  # noqa: SLF001  asyncpg shows no socket
    raw = transport.get_extra_info("socket")
    if raw is None or raw.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    for name, (level, value) in _KEEPALIVE.items():
        if hasattr(socket, name):
            raw.setsockopt(level, getattr(socket, name), value)


#: PostgreSQL counts microseconds from this time.
_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
#: The bounds of what is read, a day within those of Python, so that each has a local time.
_FIRST_TIME = datetime(1, 1, 2, tzinfo=UTC)
_LAST_TIME = datetime(9999, 12, 30, tzinfo=UTC)


def _from_time(at: datetime) -> tuple[int]:
    return _since_epoch(at, at.fold)


@lru_cache(maxsize=1024)
def _since_epoch(at: datetime, fold: int) -> tuple[int]:
    """Convert a time; `fold` is in the cache key, since times of either fold count as equal."""
    del fold
    return ((at - _EPOCH) // _MICROSECOND,)


def _to_time(since: tuple[int]) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=since[0])
    except OverflowError:  # PostgreSQL has times, and infinities, beyond those of Python
        return _FIRST_TIME if since[0] < 0 else _LAST_TIME


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

    def __init__(self, words: str, *, same_key: bool) -> None:
        super().__init__(words)
        self.same_key = same_key


def _translated(error: Exception) -> Exception:
    cause = _cause(error)
    state = getattr(cause, "sqlstate", None) or ""
    if state in _REPEAT:
        return _Collision(str(cause), same_key=state == _SAME_KEY)
    if state[:2] in _DATA_CLASSES or isinstance(cause, ValueError | OverflowError):
        return BadData(str(cause))
    if state.startswith(_REFUSED):
        return BadConfiguration(
            f"database_url：数据库拒绝：{cause}；检查用户、密码、库名和用户的权限"
        )
    if state.startswith(_STRUCTURE):
        return BadConfiguration(
            f"database_url：数据库的表与这个版本不符：{cause}；运行 credit-gateway db upgrade"
        )
    if not state or state[:2] in _AWAY_CLASSES or state in _AWAY_STATES:
        return DatabaseAway(str(cause))
    return error


def _cause(error: Exception) -> BaseException:
    """Return the driver's own error, which SQLAlchemy wraps twice."""
    original = getattr(error, "orig", None) or error
    return original.__cause__ or original
