"""Exchange databases 前置库: sessions in which nothing is said any more, for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from connectors.exchange_database.place import MOST_HANGING
from schemas.delivery import OutcomeKind
from tests.connectors.conftest import ItemFactory, SteppedClock
from tests.connectors.test_exchange_database import columns
from tests.exchange_place import Platform

pytestmark = pytest.mark.integration

_CONCURRENCY = 2


class _Forwarder:
    """Forwards sessions to a PostgreSQL; one that says `word` is left without any answer."""

    def __init__(self, folder: str) -> None:
        self._socket = Path(folder) / ".s.PGSQL.5432"
        self.word: bytes | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_unix_connection(self._socket)
        forth = self._pipe(reader, to_there, watched=True)
        back = self._pipe(there, writer, watched=False)
        await asyncio.gather(forth, back)

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, watched: bool
    ) -> None:
        is_silent = False
        with suppress(OSError):
            while data := await reader.read(65536):
                is_silent |= watched and self.word is not None and self.word in data
                if not is_silent:
                    writer.write(data)
                    await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def _between(platform: Platform) -> AsyncIterator[tuple[_Forwarder, str]]:
    """Give a forwarder to the database of a platform, and the address of its account there."""
    address = make_url(platform.account)
    forwarder = _Forwarder(str(address.query["host"]))
    server = await asyncio.start_server(forwarder.serve, "127.0.0.1", 0)
    async with server:
        here = address.set(host="127.0.0.1", port=server.sockets[0].getsockname()[1], query={})
        yield forwarder, here.render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("word", "is_used"),
    [(b"INSERT INTO", False), (b"pg_catalog.version", False), (b"SELECT 1\0", True)],
    ids=["statement", "first connection", "look whether it lives"],
)
async def test_silent_sessions_do_not_stop_a_destination(
    exchange_database_on_postgresql: Platform,
    clock: SteppedClock,
    item: ItemFactory,
    word: bytes,
    is_used: bool,
) -> None:
    platform = exchange_database_on_postgresql
    async with _between(platform) as (forwarder, url):
        connector = platform.connector(clock, url=url, call_timeout=3, concurrency=_CONCURRENCY)
        if is_used:
            await connector.send([item(1, columns=columns(1))])
        forwarder.word = word
        numbers = range(2, 2 + _CONCURRENCY + MOST_HANGING)
        sent = (connector.send([item(number, columns=columns(number))]) for number in numbers)
        await asyncio.gather(*sent, return_exceptions=True)
        forwarder.word = None
        await asyncio.sleep(0.5)  # until the threads have ended
        [outcome] = await connector.send([item(99, columns=columns(99))])

        assert outcome.kind is OutcomeKind.SUBMITTED
        await connector.close()
        await asyncio.sleep(0.2)  # until the forwarder has ended, too
