"""Connect to the present primary of several hosts, never to one that its replica has replaced.

A primary that comes back after a fail-over takes writes as before, unless somebody fences it: they
would be lost. PostgreSQL counts a timeline on at each promotion, so the older one shows by it.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from gateway.store.base.connections import DRIVER_ERRORS
from gateway.store.base.seen_timeline import SeenTimeline, Timeline

#: Seconds for which what was seen of the hosts is believed, and for one to say its timeline; a host
#: that takes longer to open a connection is waited for only where no other one does.
BELIEVED, PATIENCE = 5.0, 3.0
#: None of a server that follows another one.
_TIMELINE = """
    select case when not pg_is_in_recovery()
        then substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end
"""
#: Which cluster it is: that of a replica is the same.
_SYSTEM = "select system_identifier from pg_control_system()"
#: A server that does not let us ask, or has no such function: its timeline cannot be told.
_UNTOLD = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedFunctionError,
    asyncpg.FeatureNotSupportedError,
)


class OldPrimary(asyncpg.AdminShutdownError):  # type: ignore[misc]  # asyncpg has no types
    """The server was replaced as primary; an outage, as its shutdown is."""


class _Opened(NamedTuple):
    """A connection to one of the hosts, and its timeline; None if that cannot be told."""

    place: dict[str, Any]
    connection: asyncpg.Connection
    timeline: int | None
    system: int | None = None  #: of several hosts, if it can be told


class Primary:
    """What opens connections, and knows the latest timeline that it has seen."""

    def __init__(self) -> None:
        self.timeline = 0
        self._seen: SeenTimeline | None = None
        self._known: Timeline | None = None  #: by a process before this one
        self._latest: dict[str, Any] | None = None  #: the host that had it
        self._looked = -inf  #: of the monotonic clock
        self._options: dict[str, Any] = {}  #: where there are several hosts
        self._timelines: WeakKeyDictionary[asyncpg.Connection, int] = WeakKeyDictionary()
        self._look: asyncio.Task[None] | None = None

    def remember(self, seen: SeenTimeline) -> None:
        """Take no server of several that a process before this one has seen replaced."""
        self._seen, self._known = seen, seen.read()

    async def connect(self, **options: Any) -> asyncpg.Connection:
        """Open a connection by the options of asyncpg; of several hosts, to the latest primary.

        Raises:
            OldPrimary: the only server that answers is an older one.
        """
        places = list(_each_host(options))
        if not places:
            found = await _open(options, {}, options.get("timeout", PATIENCE))
            if isinstance(found, BaseException):
                raise found
            # Whatever stands behind the one address has moved on: older connections are left. It
            # may have gone back, by a restore.
            self.timeline = found.timeline or self.timeline
            return self._noted(found)
        self._options = options
        if self._latest is not None and self._is_believed():
            found = await _open(options, self._latest)
            if isinstance(found, _Opened) and self._is_latest(found):
                self.timeline = max(self.timeline, found.timeline or 0)
                return self._noted(found)
            _leave(found)
        return self._chosen(await _open_all(options, places))

    def timeline_of(self, connection: asyncpg.Connection) -> int | None:
        """Return the timeline of a connection when it was opened; None if it cannot be told."""
        return self._timelines.get(connection)

    def listen(self, engine: Engine) -> None:
        """Leave a server that is found to be replaced, at the events of the engine's connections.

        It keeps its connections where it lives on, and none of them says anything of it.
        """
        event.listen(engine, "checkout", self._leave_replaced)
        event.listen(engine, "invalidate", self._doubt)

    async def close(self) -> None:
        """End what looks at the hosts."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait([self._look])

    def _leave_replaced(self, connection: Any, record: object, proxy: object) -> None:
        del record, proxy
        is_looking = self._look is not None and not self._look.done()
        if self._options and not self._is_believed() and not is_looking:
            self._look = asyncio.create_task(self._look_at_all())
        found = self._timelines.get(connection.driver_connection, self.timeline)
        if found < self.timeline:
            raise DisconnectionError

    def _doubt(self, connection: object, record: object, error: object) -> None:
        """Look at all hosts before the next connection: one was lost, maybe with its server."""
        del connection, record, error
        self._looked = -inf

    async def _look_at_all(self) -> None:
        found = await _open_all(self._options, list(_each_host(self._options)))
        self._looked = time.monotonic()  # also where none answers
        with suppress(*DRIVER_ERRORS):
            self._chosen(found).terminate()

    def _is_believed(self) -> bool:
        return time.monotonic() - self._looked < BELIEVED

    def _noted(self, one: _Opened) -> asyncpg.Connection:
        if one.timeline is not None:
            self._timelines[one.connection] = one.timeline
            seen = None if one.system is None else Timeline(one.system, one.timeline)
            if self._seen is not None and seen is not None and seen != self._known:
                self._seen.note(seen)
                self._known = seen
        return one.connection

    def _chosen(self, found: list[_Opened | BaseException]) -> asyncpg.Connection:
        """Return the connection to the latest primary; the others are ended."""
        opened = [one for one in found if isinstance(one, _Opened)]
        self.timeline = max([self.timeline, *(one.timeline or 0 for one in opened)])
        best = next((one for one in opened if self._is_latest(one)), None)
        for one in opened:
            if one is not best:
                _leave(one)
        if best is not None:
            self._latest, self._looked = best.place, time.monotonic()
            return self._noted(best)
        if opened:
            errors = [str(one) for one in found if isinstance(one, BaseException)]
            latest = max(self.timeline, self._latest_known)
            raise OldPrimary(
                f"时间线 {latest} 以前的旧主库：主备切换后它又启动了，停下它；"
                "确是从备份恢复的，删去 state 目录里的 timeline 文件，再启动本程序"
                + "".join(f"；另一主机：{one}" for one in errors if one)
            )
        raise next(one for one in found if isinstance(one, BaseException))

    @property
    def _latest_known(self) -> int:
        return 0 if self._known is None else self._known.number

    def _is_latest(self, one: _Opened) -> bool:
        if one.timeline is None:
            return True
        is_known = self._known is not None and one.system == self._known.system
        return one.timeline >= max(self.timeline, self._latest_known if is_known else 0)


def _each_host(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield host and port of each host, if there are several."""
    hosts, ports = options.get("host"), options.get("port")
    if isinstance(hosts, list) and len(hosts) > 1:
        for number, host in enumerate(hosts):
            port = ports[number] if isinstance(ports, list) else ports
            yield {"host": host, "port": port} if port is not None else {"host": host}


async def _open_all(
    options: dict[str, Any], places: list[dict[str, Any]]
) -> list[_Opened | BaseException]:
    """Open a connection to each host; one that is silent keeps the others waiting but shortly."""
    tasks = [asyncio.create_task(_open(options, one)) for one in places]
    try:
        done, late = await asyncio.wait(tasks, timeout=PATIENCE)
        if late and not any(isinstance(one.result(), _Opened) for one in done):
            await asyncio.wait(late)  # bounded by the options
    except BaseException:
        for one in tasks:
            _give_up(one)
        raise
    # No further wait: whoever gives this up while it waits would lose what has been opened.
    for one in tasks:
        if not one.done():
            _give_up(one)
    return [one.result() for one in tasks if one.done()]


async def _open(
    options: dict[str, Any], place: dict[str, Any], patience: float = PATIENCE
) -> _Opened | BaseException:
    try:
        connection = await asyncpg.connect(**options | place)
        return _Opened(place, connection, *await _asked(connection, patience, several=bool(place)))
    except DRIVER_ERRORS as error:
        return error


async def _asked(
    connection: asyncpg.Connection, patience: float, *, several: bool
) -> tuple[int | None, int | None]:
    """Ask a server for its timeline, and one of several for its system, too.

    The connection is ended if it does not answer in time.
    """
    system: int | None = None
    try:
        async with asyncio.timeout(patience):
            await connection.execute("begin")  # a pooler gives all messages to one server
            try:
                found: str | None = await connection.fetchval(_TIMELINE)
            except _UNTOLD:
                found = None
            with suppress(*_UNTOLD):
                if several and found is not None:
                    system = await connection.fetchval(_SYSTEM)
            await connection.execute("rollback")
    except BaseException:
        connection.terminate()
        raise
    return None if found is None else int(found, 16), system


def _leave(found: _Opened | BaseException) -> None:
    if isinstance(found, _Opened):
        found.connection.terminate()


def _give_up(task: asyncio.Task[_Opened | BaseException]) -> None:
    task.add_done_callback(_leave_result)
    task.cancel()


def _leave_result(task: asyncio.Task[_Opened | BaseException]) -> None:
    if not task.cancelled() and task.exception() is None:
        _leave(task.result())
