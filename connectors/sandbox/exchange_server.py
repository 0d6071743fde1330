"""The way to a sandbox exchange database: a forwarder to its PostgreSQL, which misbehaves on order.

A client reaches it by TCP with the account of a place; nobody else comes through. Between the two
a commit can be answered late or not at all, and connections can be closed.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from connectors.sandbox.app import Sandbox
from connectors.sandbox.exchange_desk import ExchangeDesk
from connectors.sandbox.exchange_tables import prepare
from connectors.sandbox.exchange_wire import (
    RequestReader,
    SessionRequest,
    SessionStart,
    fatal,
    read_message,
    read_start,
)
from connectors.sandbox.faults import Faults
from connectors.sandbox.places import ExchangePlace
from connectors.sandbox.server import listening

#: The end of a connection, whoever ends it.
_GONE = (OSError, asyncio.IncompleteReadError)
#: What a server says of a statement that may have changed rows.
_CHANGES = (b"INSERT", b"COMMIT")


@asynccontextmanager
async def serve_exchange(sandbox: Sandbox, port: int = 0) -> AsyncIterator[Mapping[str, URL]]:
    """Serve the exchange databases of a sandbox on 127.0.0.1; gives the URL of each by its name.

    Their tables are made anew: what is in them from before is gone.
    """
    places = sandbox.places_of(ExchangePlace)
    listener = listening(port)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        desks = {}
        for name, place in places.items():
            engine = create_async_engine(await prepare(name, place))
            desks[name] = ExchangeDesk(sandbox, name, engine)
            stack.push_async_callback(desks[name].close)
        forwarder = _Forwarder(desks)
        server = await asyncio.start_server(forwarder.converse, sock=listener)
        stack.push_async_callback(forwarder.close)
        stack.callback(server.close)
        host, found = listener.getsockname()
        yield {name: _url(name, place, host, found) for name, place in places.items()}


def _url(name: str, place: ExchangePlace, host: str, port: int) -> URL:
    return URL.create(
        "postgresql+psycopg", name, place.password.get_secret_value(), host, port, name
    )


class _Forwarder:
    """Every connection to the databases of a sandbox."""

    def __init__(self, desks: Mapping[str, ExchangeDesk]) -> None:
        self._desks = desks
        self._running: set[asyncio.Task[None]] = set()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until either side ends it."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  it is one
        self._running.add(task)
        try:
            start = await read_start(reader, writer)
            if start is not None:
                await self._forward(start, reader, writer)
        except _GONE:
            return  # the client is gone
        finally:
            self._running.discard(task)
            writer.transport.abort()

    async def _forward(
        self, start: SessionStart, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        desk = self._desks.get(start.user)
        if desk is None or start.database != start.user:
            words = f"这里没有库 {start.database}，或账号 {start.user} 不能用它"
            writer.write(fatal("28000", words))
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            return
        if desk.faults().is_down(desk.book.now()):
            return
        folder = make_url(desk.place.server).query["host"]
        server = await asyncio.open_unix_connection(Path(str(folder)) / ".s.PGSQL.5432")
        try:
            server[1].write(start.whole)
            await _Session(desk, (reader, writer), server).run()
        finally:
            server[1].transport.abort()

    async def close(self) -> None:
        """End every connection."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


_Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Session:
    """One session, of which both directions are read."""

    def __init__(self, desk: ExchangeDesk, client: _Side, server: _Side) -> None:
        self._desk = desk
        self._client = client
        self._server = server
        self._idle = False  #: no transaction is open
        self._inserted = False  #: the one that is open has inserted rows
        self._faults: Faults | None = None  #: of the rows that it inserts
        self._alone = False  #: we hold the desk

    async def run(self) -> None:
        """Forward until an end of the connection."""
        forth = asyncio.create_task(self._forth())
        try:
            await self._back()
        finally:
            forth.cancel()
            [ended] = await asyncio.gather(forth, return_exceptions=True)
            self._release()
            if isinstance(ended, Exception):
                raise ended

    async def _forth(self) -> None:
        requests, (_, writer) = RequestReader(self._client[0]), self._server
        try:
            while True:
                request = await requests.next()
                if not request.ends and not await self._let_through(request):
                    break
                writer.write(request.data)
                await writer.drain()
        except _GONE:
            pass  # and so is what it has not committed
        finally:
            writer.close()

    async def _let_through(self, request: SessionRequest) -> bool:
        """Choose the faults of a request, and let the desk look before somebody reads."""
        desk = self._desk
        if request.inserts:
            self._faults = desk.faults(request.documents)
            if self._faults.is_down(desk.book.now()):
                return False
        elif self._idle:
            if desk.faults().is_down(desk.book.now()):
                return False
            async with desk.alone:
                await desk.look()
        if request.commits and self._inserted:
            await desk.alone.acquire()
            self._alone = True
        return True

    async def _back(self) -> None:
        reader, (_, writer) = self._server[0], self._client
        held, holds = b"", False
        while True:
            message = await read_message(reader)
            held += message.whole
            if message.kind == b"C":
                # What was committed is told to nobody before the faults have their say.
                holds |= message.body.startswith(_CHANGES)
                self._inserted |= message.body.startswith(b"INSERT")
            if message.kind == b"E" or (message.kind == b"C" and message.text == b"ROLLBACK"):
                self._inserted = False
            if message.kind == b"Z":
                holds, self._idle = False, message.body == b"I"
                if self._idle and not await self._ended():
                    return
            if not holds:
                writer.write(held)
                await writer.drain()
                held = b""

    async def _ended(self) -> bool:
        """Let the desk take what a transaction committed; False if nobody is told of it."""
        faults, inserted = self._faults or self._desk.book.faults, self._inserted
        self._faults, self._inserted = None, False
        if not inserted:
            self._release()  # a commit may have been refused
            return True
        if not self._alone:
            await self._desk.alone.acquire()
            self._alone = True
        await self._desk.look(faults)
        self._release()
        await asyncio.sleep(faults.slow)
        return not faults.takes("drop_answers")

    def _release(self) -> None:
        if self._alone:
            self._alone = False
            self._desk.alone.release()
