"""The database: one engine, transactions, and the translation of database errors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.config.errors import Away, BadConfiguration
from gateway.store.base.address import read_address
from gateway.store.base.connections import DRIVER_ERRORS, is_cut, listen
from gateway.store.base.primary import Primary
from gateway.store.base.session import (
    IDLE,
    PATIENT_IDLE_TIMEOUT,
    arguments_of,
    at_once,
    local_of,
    one_by_one,
    session_of,
)
from gateway.store.base.sqlstates import READ_ONLY, SAME_KEY, Meaning, meaning
from schemas.faults import of_system

Connection = AsyncConnection
Made = TypeVar("Made")
#: What is done in the first transaction on a timeline of the server, before all others.
TimelineGuard = Callable[[Connection, int], Awaitable[object]]

_REPEATS = 10
_STARTING = "57P03"
#: How long connections may take to close.
_CLOSE_SECONDS = 5


class DatabaseAway(Away):
    """The database cannot be reached or is shutting down; nothing was committed."""

    lead = "数据库不可用，检查数据库服务和 CREDIT_GATEWAY_DATABASE_URL"


class DatabaseRefuses(DatabaseAway, BadConfiguration):
    """The login, the permission or the structure is wrong: an outage until a person mends it.

    At the start of a command it is an error of the configuration.
    """


class DatabaseBusy(DatabaseAway):
    """A lock or a statement took longer than it may; other work may go on meanwhile."""

    lead = "数据库忙，有事务占着锁，稍后再试"


class StatementTooLong(DatabaseBusy):
    """A statement took longer than the server lets it."""

    lead = "语句超过数据库的 statement_timeout，稍后再试，或请数据库管理员放宽"


class ConnectionCut(DatabaseAway):
    """The connection ended in the middle of a transaction: an outage, or what we sent ends it."""


class DatabaseStarting(DatabaseAway):
    """The database says that it is starting, or recovers after a crash."""


class BadData(Exception):
    """The database refuses the data of this batch; process smaller batches to find the item."""


#: Whether the database answers; the result itself is ignored.
ALIVE = text("select 1")

_FOREIGN = (DBAPIError, InterfaceError, PoolTimeoutError, *DRIVER_ERRORS)


_PATIENT = text(f"set local {IDLE} = '{PATIENT_IDLE_TIMEOUT}'")


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
        address = read_address(url)
        session = session_of(read_only=read_only, migrates=command_seconds is None)
        session.update(address.settings)
        arguments = {**arguments_of(address, session), "timeout": connect_seconds}
        self._reads = read_only
        local = local_of(session) if address.pooled else {}
        self._local = at_once(local) if local else None
        self._local_each = one_by_one(local)
        self.primary = Primary()
        self._guard: TimelineGuard | None = None
        self._beginning = asyncio.Lock()
        self._begun: set[int | None] = {None}  #: timelines that the guard has seen
        self.engine: AsyncEngine = create_async_engine(
            address.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=pool_seconds,
            json_deserializer=orjson.loads,
            connect_args={
                **arguments,
                "command_timeout": command_seconds,
                "async_creator_fn": self.primary.connect,
            },
        )
        listen(self.engine.sync_engine)
        self.primary.listen(self.engine.sync_engine)

    @asynccontextmanager
    async def transaction(self, *, patient: bool = False) -> AsyncIterator[Connection]:
        """Open one transaction: committed at the end, rolled back on any error.

        With `patient` it may do nothing for ten minutes, else for one.

        Raises:
            DatabaseAway, BadData: the translated errors of the database.
        """
        while True:
            async with self._translating(self.engine.begin()) as connection:
                if self._guard is None or await self._timeline(connection) in self._begun:
                    if self._local is not None:
                        await connection.execute(self._local)
                    if patient:
                        await connection.execute(_PATIENT)
                    yield connection
                    return
            await self._begin_timeline(self._guard)

    def guard(self, guard: TimelineGuard) -> None:
        """Do this first where a connection is on a timeline that none was on before.

        A standby that is promoted begins one, and may lack what was committed last.
        """
        self._guard = guard

    async def _timeline(self, connection: Connection) -> int | None:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        return None if driver is None else self.primary.timeline_of(driver)

    async def _begin_timeline(self, guard: TimelineGuard) -> None:
        async with self._beginning, self._translating(self.engine.begin()) as connection:
            timeline = await self._timeline(connection)
            if timeline is not None and timeline not in self._begun:
                if self._local is not None:
                    await connection.execute(self._local)
                await guard(connection, timeline)
        self._begun.add(timeline)

    @asynccontextmanager
    async def _translating(
        self, begun: AbstractAsyncContextManager[Connection]
    ) -> AsyncIterator[Connection]:
        """Translate the first error: on a connection that was cut the rollback fails as well."""
        first: Exception | None = None
        is_open = False
        try:
            async with begun as connection:
                is_open = True
                try:
                    yield connection
                except _FOREIGN as met:
                    first = met
                    raise
        except _FOREIGN as last:
            error = first or last
            if not self._reads and getattr(_cause(error), "sqlstate", None) == READ_ONLY:
                # After a fail-over the old server may live on as a standby, with our connections.
                await self._give_up()
            raise _translated(error) from error
        except InvalidRequestError as error:
            if is_open:
                raise
            # Of the pool: two connections, one after the other, had ended when they were taken.
            raise DatabaseAway(str(error)) from error

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Open a transaction that only reads, and sees one moment from its first statement on.

        Raises:
            DatabaseAway: the translated errors of the database.
        """
        async with self._translating(self._reading()) as connection:
            for statement in (*self._local_each, _PATIENT):
                await connection.execute(statement)
            yield connection

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Connection]:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        async with self.engine.connect() as connection:
            await connection.execution_options(**options)
            async with connection.begin():
                yield connection

    async def run(self, work: Callable[[Connection], Awaitable[Made]]) -> Made:
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

    async def _give_up(self) -> None:
        """Close the connections of the pool, and begin with new ones."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.engine.dispose()
        except (*_FOREIGN, TimeoutError):
            await self.engine.dispose(close=False)

    async def close(self) -> None:
        """Close every connection."""
        await self.primary.close()
        await self.engine.dispose()


class _Collision(DatabaseAway):
    """Deadlock, serialisation failure or unique key written first: the work can be repeated."""

    def __init__(self, words: str, *, same_key: bool) -> None:
        super().__init__(words)
        self.same_key = same_key


def _refused(words: str) -> DatabaseRefuses:
    fix = "检查用户、密码、库名和用户的权限"
    return DatabaseRefuses(f"database_url：数据库拒绝：{words}；{fix}")


def _of_another_release(words: str) -> DatabaseRefuses:
    fix = "运行 credit-gateway db upgrade"
    return DatabaseRefuses(f"database_url：数据库的表与这个版本不符：{words}；{fix}")


_ERRORS: dict[Meaning, Callable[[str], Exception]] = {
    Meaning.DATA: BadData,
    Meaning.BUSY: DatabaseBusy,
    Meaning.TOO_LONG: StatementTooLong,
    Meaning.AWAY: DatabaseAway,
    Meaning.REFUSED: _refused,
    Meaning.STRUCTURE: _of_another_release,
}


def _translated(error: Exception) -> Exception:
    cause = _cause(error)
    if isinstance(cause, ValueError | OverflowError):
        return BadData(str(cause))
    code = getattr(cause, "sqlstate", None)
    means = Meaning.AWAY if code is None else meaning(code)
    if means is Meaning.REPEAT:
        return _Collision(str(cause), same_key=code == SAME_KEY)
    if means is Meaning.BUG:
        return error
    if code == _STARTING:
        return DatabaseStarting(str(cause))
    said = of_system(cause) if isinstance(cause, OSError) else str(cause)
    made = ConnectionCut if is_cut(cause) else _ERRORS[means]
    return made(said or "没有在时限内应答")


def _cause(error: Exception) -> BaseException:
    """Return the driver's own error, which SQLAlchemy wraps twice."""
    original = getattr(error, "orig", None) or error
    return original.__cause__ or original
