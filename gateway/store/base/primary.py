"""Connect to the present primary, never to one that was replaced by its replica.

A primary that comes back after a fail-over takes writes as before, unless somebody fences it: they
would be lost. PostgreSQL counts a timeline on at each promotion, so the older one shows by it.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from typing import Any

import asyncpg

from gateway.store.base.connections import DRIVER_ERRORS

#: Seconds for which what was seen of the other hosts is believed, and for each to answer.
BELIEVED, PATIENCE = 5.0, 3.0
#: None of a server that follows another one.
_TIMELINE = """
    select case when not pg_is_in_recovery()
        then substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end
"""


class OldPrimary(asyncpg.AdminShutdownError):  # type: ignore[misc]  # asyncpg has no types
    """The server was replaced as primary; an outage, as its shutdown is."""


class Primary:
    """What opens connections, and knows the latest timeline that it has seen."""

    def __init__(self) -> None:
        self.timeline = 0
        self._looked = -inf  #: of the monotonic clock

    async def connect(self, **options: Any) -> asyncpg.Connection:
        """Open a connection by the options of asyncpg; of several hosts, to the latest primary.

        Raises:
            OldPrimary: the only server that answers is an older one.
        """
        if time.monotonic() - self._looked > BELIEVED:
            await asyncio.gather(*(self._look(options | one) for one in _each_host(options)))
            self._looked = time.monotonic()
        for place in ({}, *_each_host(options)):
            try:
                connection = await asyncpg.connect(**options | place)
                if await self._is_latest(connection):
                    return connection
            except DRIVER_ERRORS:
                if not place:
                    raise
        raise OldPrimary(
            f"时间线 {self.timeline} 以前的旧主库：主备切换后它又启动了，停下它；"
            "确是从备份恢复的，重启本程序"
        )

    async def _look(self, options: dict[str, Any]) -> None:
        """Look at one of several hosts: the one that is named first may be an old primary."""
        with suppress(*DRIVER_ERRORS):
            async with asyncio.timeout(PATIENCE):
                connection = await asyncpg.connect(**options)
                if await self._is_latest(connection):
                    connection.terminate()

    async def _is_latest(self, connection: asyncpg.Connection) -> bool:
        """Whether a server is the latest that we know; a connection to another one is ended."""
        kept = False
        try:
            async with asyncio.timeout(PATIENCE), connection.transaction():
                # A pooler gives both messages to one server.
                found: str | None = await connection.fetchval(_TIMELINE)
            timeline = self.timeline if found is None else int(found, 16)
            self.timeline = max(self.timeline, timeline)
            kept = timeline == self.timeline
        finally:
            if not kept:
                connection.terminate()
        return kept


def _each_host(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield host and port of each host, if there are several."""
    hosts, ports = options.get("host"), options.get("port")
    if isinstance(hosts, list) and len(hosts) > 1:
        for number, host in enumerate(hosts):
            port = ports[number] if isinstance(ports, list) else ports
            yield {"host": host, "port": port} if port is not None else {"host": host}
