"""What happens to each connection: kept alive, and asked after it was idle."""

import socket
import time
from math import inf
from typing import Any

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from gateway.store.base.times import read_and_write_times

#: A connection that was idle for so long is asked whether it answers, and given so long for it.
IDLE_SECONDS, ASK_SECONDS = 5.0, 3.0

#: What the driver raises. Its internal error comes where the server has ended the connection just
#: now, and its last words are half read; a time-out is an OSError.
DRIVER_ERRORS = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

#: Those that come where the other side has closed the connection; not where it is only silent, or
#: opens none.
_CUT = (
    ConnectionResetError,
    ConnectionAbortedError,
    BrokenPipeError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

#: The class of codes by which the server says that it cannot read what we send.
_UNREADABLE = "08"

#: What PgBouncer says after it has waited for a server connection in vain.
_NO_SERVER = "query_wait_timeout"

#: TCP options, in seconds, of a connection: the kernel asks an idle peer, and gives up one that is
#: silent for half a minute. A fail-over that drops packets shows up so, not as an endless wait.
_KEEPALIVE = {
    "SO_KEEPALIVE": (socket.SOL_SOCKET, 1),
    "TCP_KEEPIDLE": (socket.IPPROTO_TCP, 10),
    "TCP_KEEPINTVL": (socket.IPPROTO_TCP, 5),
    "TCP_KEEPCNT": (socket.IPPROTO_TCP, 4),
    "TCP_USER_TIMEOUT": (socket.IPPROTO_TCP, 30_000),
}


def is_cut(error: BaseException) -> bool:
    """Whether the connection ended without a word, or over what we sent.

    A server that stops, or ends a session, says so first.
    """
    if isinstance(error, TargetServerAttributeNotMatched):
        return False  # nothing was sent: no server takes writes
    if _NO_SERVER in f"{error} {error.__cause__}":
        return False  # likewise: a pooler had no server connection for it
    said = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, _CUT) and (said is None or said.startswith(_UNREADABLE))


def listen(engine: Engine) -> None:
    """Do all that is done at the events of the connections of an engine."""
    event.listen(engine, "connect", _watch)
    event.listen(engine, "connect", read_and_write_times)
    event.listen(engine, "checkin", _note_idle)
    event.listen(engine, "checkout", _ask_after_idling)


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


def _note_idle(connection: object, record: Any) -> None:
    del connection
    record.info["idle_since"] = time.monotonic()


def _ask_after_idling(connection: Any, record: Any, proxy: object) -> None:
    """Ask a connection that was idle whether it still answers; the pool then opens another one.

    A fail-over or a firewall may have dropped it without a word.
    """
    del proxy
    if time.monotonic() - record.info.get("idle_since", inf) < IDLE_SECONDS:
        return

    async def ask(driver: asyncpg.Connection) -> None:
        await driver.execute("select 1", timeout=ASK_SECONDS)

    try:
        connection.run_async(ask)
    except DRIVER_ERRORS as error:
        raise DisconnectionError from error
