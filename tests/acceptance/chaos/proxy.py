"""A proxy that stands between a gateway and something it needs, and lets go wrong what is asked."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from random import Random

#: Opens a connection to what stands behind the proxy.
Behind = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Fault(StrEnum):
    """What goes wrong on the way."""

    LATE = "late"  #: everything comes late
    SLOW = "slow"  #: few bytes a second come through
    RESET = "reset"  #: connections are reset, new ones after some bytes
    SILENT = "silent"  #: nothing comes through and nobody says so; a reset when it is over
    FORGOTTEN = "forgotten"  #: what is connected stays silent for ever, as behind a firewall
    REFUSED = "refused"  #: nobody listens
    NAMELESS = "nameless"  #: its name is not found


#: Seconds by which things come late; bytes a second of a slow way; bytes until a reset.
LATENCY, RATE, UNTIL_RESET = (0.05, 0.6), (2_000, 40_000), (0, 6_000)
#: Bytes that are written at once on a slow way.
PIECE = 512
#: With this option a closed socket sends a reset.
_RESETS = struct.pack("ii", 1, 0)


class Link:
    """One connection through the proxy."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = writers
        self.deaf = False  #: what is sent is lost from now on
        self.forgotten = False
        self.left: int | None = None  #: bytes until it is reset

    def close(self) -> None:
        """Close both sides."""
        for writer in self.writers:
            writer.close()

    def reset(self) -> None:
        """Reset the connection on both sides."""
        for writer in self.writers:
            with suppress(OSError):
                found = writer.get_extra_info("socket")
                if found.family == socket.AF_INET:
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
            writer.transport.abort()


class Proxy:
    """Listens on a port of this machine, and stays on it while nobody may connect."""

    def __init__(self, name: str, chance: Random, behind: Behind) -> None:
        self.name = name
        self.behind = behind
        self.port = 0
        self.fault: Fault | None = None
        self.opened = 0  #: connections that were let through
        self._chance = chance
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen, at first on a free port."""
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Let nothing more through."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._reset(self._links)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def hinder(self, fault: Fault | None) -> None:
        """Let this go wrong from now on, and nothing else."""
        before, self.fault = self.fault, fault
        self._reset([link for link in self._links if link.deaf and not link.forgotten])
        for link in self._links:
            link.left = None
        if before is Fault.REFUSED and fault is not Fault.REFUSED:
            await self.start()
        if fault in {Fault.RESET, Fault.REFUSED, Fault.NAMELESS}:
            self._reset([link for link in self._links if not link.forgotten])
        if fault in {Fault.SILENT, Fault.FORGOTTEN}:
            for link in self._links:
                link.deaf = True
                link.forgotten = link.forgotten or fault is Fault.FORGOTTEN
        if fault is Fault.REFUSED and self._server is not None:
            self._server.close()
            self._server = None

    @staticmethod
    def _reset(links: Iterable[Link]) -> None:
        for link in list(links):
            link.reset()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(writer)
        try:
            back, forth = await self.behind()
        except OSError:
            link.reset()
            return
        link.writers = (writer, forth)
        link.deaf = self.fault is Fault.SILENT
        if self.fault is Fault.RESET:
            link.left = self._chance.randint(*UNTIL_RESET)
        self._links.add(link)
        self.opened += 1
        try:
            await asyncio.gather(self._carry(reader, forth, link), self._carry(back, writer, link))
        finally:
            self._links.discard(link)
            link.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: Link
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.fault is Fault.LATE:
                    await asyncio.sleep(self._chance.uniform(*LATENCY))
                if link.deaf:
                    continue
                if link.left is not None:
                    data, link.left = data[: link.left], link.left - len(data)
                await self._write(writer, data)
                if link.left is not None and link.left <= 0:
                    link.reset()
                    return
        if not link.deaf:
            writer.close()

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        rate = self._chance.randint(*RATE)
        while self.fault is Fault.SLOW and data:
            writer.write(data[:PIECE])
            data = data[PIECE:]
            await asyncio.sleep(PIECE / rate)
        writer.write(data)
        await writer.drain()
