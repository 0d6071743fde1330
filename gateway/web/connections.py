"""Connections of clients over HTTP: how many there may be, and how long one may stand still.

Without a bound, clients that begin requests and never end them take every descriptor of the
process, and with them the database, the destinations and the schedule.
"""

import asyncio
import resource
import time
from contextlib import suppress
from math import inf
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.telemetry.log import LogEvent, logger

#: Seconds between two looks at a connection.
LOOK_SECONDS = 5.0
#: Seconds in which a request without its body has come whole, and in which an answer is read on:
#: the kernel holds megabytes of it, which a slow reader takes minutes for.
HEAD_SECONDS, READ_SECONDS = 10.0, 600.0
#: Bytes of a body that come between two looks, at least.
LEAST_BYTES = 1024
#: Looks in a row with fewer, after which it counts as given up.
SLOW_LOOKS = 3
#: Of the descriptors of the process, clients may have this share, and never more than so many.
SHARE, MOST = 1 / 4, 1000
#: Seconds between two logs of one event.
TOLD_SECONDS = 10.0
#: Descriptors that we ask for, where the system lets us.
WANTED_DESCRIPTORS = 65_536


def raise_descriptors() -> int:
    """Raise the limit of descriptors as far as the system lets us; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def most_connections() -> int:
    """Return how many clients may be connected at a time."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, int(soft * SHARE)))


_told_at: dict[LogEvent, float] = {}


def _tell(event: LogEvent, clients: int) -> None:
    """Log an event, but not for each of many clients."""
    now = time.monotonic()
    if now - _told_at.get(event, -inf) >= TOLD_SECONDS:
        _told_at[event] = now
        logger.warning(event, extra={"clients": clients})


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn; it closes what is too many, and what makes no progress."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._look: asyncio.TimerHandle | None = None
        self.since = self.loop.time()
        self._received = 0  #: bytes since the last look
        self._slow = 0  #: looks in a row with too few of them
        #: Since when the head of a request is coming, or is waited for on a new connection.
        self._head_since: float | None = self.loop.time()
        self._unread = 0  #: bytes of the answer that wait at the last look
        self._unread_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            _tell(LogEvent.TOO_MANY_CLIENTS, len(self.connections))
            (self._idlest() or self).transport.abort()
            if transport.is_closing():
                return
        self._look = self.loop.call_later(LOOK_SECONDS, self._look_at_it)

    def _idlest(self) -> "BoundedProtocol | None":
        """Return the one that has waited longest for a whole request: a health check never does."""
        others = [one for one in self.connections if isinstance(one, BoundedProtocol)]
        idle = [one for one in others if one is not self and one.is_between]
        return min(idle, key=lambda one: one.since, default=None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._received += len(data)
        super().data_received(data)
        if not self.is_between:
            self._head_since = None
        elif self._head_since is None:
            self._head_since = self.loop.time()

    @property
    def is_between(self) -> bool:
        """Whether no request is whole, at least without its body."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def _look_at_it(self) -> None:
        if self._stands_still():
            _tell(LogEvent.SLOW_CLIENT, len(self.connections))
            self.transport.abort()
            return
        self._received = 0
        self._look = self.loop.call_later(LOOK_SECONDS, self._look_at_it)

    def _stands_still(self) -> bool:
        now = self.loop.time()
        unread = self.transport.get_write_buffer_size()
        if not unread or unread < self._unread:
            self._unread_since = now
        self._unread = unread
        if unread and now - self._unread_since > READ_SECONDS:
            return True
        if self.is_between:
            return self._head_since is not None and now - self._head_since > HEAD_SECONDS
        is_coming = self.cycle.more_body and not self.flow.read_paused
        self._slow = self._slow + 1 if is_coming and self._received < LEAST_BYTES else 0
        return self._slow >= SLOW_LOOKS
