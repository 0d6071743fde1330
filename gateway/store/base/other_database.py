"""Ask a database of others, such as that of a case system 案件系统, by its SQLAlchemy URL.

Its driver, blocking or not, works in a thread of its own that nobody waits for without bound: a
query that never ends is left behind with it.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from contextlib import aclosing, closing, suppress
from queue import SimpleQueue
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Engine, TextClause, create_engine, make_url, text
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from schemas.base import storable

Rows = Sequence[Mapping[str, Any]]

#: Seconds for each slice: a query over a month may think for long before its first row.
PATIENCE = 600
#: Seconds more for a driver that ends a query by itself after PATIENCE.
_ENDING = 5


class OtherDatabaseAway(Exception):
    """The database does not answer, or refuses the query; the message says so in Chinese."""


async def query_rows(
    url: str, query: str, values: Mapping[str, Any], size: int
) -> AsyncIterator[Rows]:
    """Yield the rows of a query in slices; of the values those that it names are bound.

    Nothing is written: the transaction is rolled back.

    Raises:
        OtherDatabaseAway: a wrong URL, a missing driver, no answer, or a refused query.
    """
    try:
        place = make_url(url)
    except Exception as error:  # its words may quote the password
        raise OtherDatabaseAway("数据库地址写得不对，应为 SQLAlchemy 的写法") from error
    try:
        statement = text(query)
        named = statement.compile().params
        bound = {name: value for name, value in values.items() if name in named}
        ask = _by_loop if place.get_dialect().is_async else _by_driver
        async with aclosing(_apart(ask(place, statement, bound, size))) as parts:
            async for part in parts:
                yield part
    except Exception as error:  # of whatever driver: none of them has to be SQLAlchemy's
        raise OtherDatabaseAway(_words(error, place)) from error


def _by_driver(
    place: URL, statement: TextClause, bound: Mapping[str, Any], size: int
) -> Generator[Rows]:
    """Yield slices by a driver that blocks."""
    engine: Engine = create_engine(place)
    try:
        with engine.connect().execution_options(stream_results=True) as connection:
            for part in connection.execute(statement, bound).mappings().partitions(size):
                yield [dict(row) for row in part]
    finally:
        engine.dispose()


def _by_loop(
    place: URL, statement: TextClause, bound: Mapping[str, Any], size: int
) -> Generator[Rows]:
    """Yield slices by a driver of asyncio, which tells the database when it asks no longer."""
    engine = create_async_engine(place)
    with asyncio.Runner() as runner:
        parts = _streamed(engine, statement, bound, size)
        try:
            while part := runner.run(_next(parts)):
                yield part
        finally:
            runner.run(parts.aclose())


async def _next(parts: AsyncIterator[Rows]) -> Rows | None:
    async with asyncio.timeout(PATIENCE):
        return await anext(parts, None)


async def _streamed(
    engine: AsyncEngine, statement: TextClause, bound: Mapping[str, Any], size: int
) -> AsyncGenerator[Rows]:
    try:
        async with engine.connect() as connection:
            found = await connection.stream(statement, bound)
            async for part in found.mappings().partitions(size):
                yield [dict(row) for row in part]
    finally:
        await engine.dispose()


async def _apart(parts: Generator[Rows]) -> AsyncGenerator[Rows]:
    """Yield what a thread takes of a generator, one by one as it is wanted."""
    loop = asyncio.get_running_loop()
    wanted: SimpleQueue[bool] = SimpleQueue()
    found: asyncio.Queue[Rows | Exception | None] = asyncio.Queue()

    def take() -> None:
        with closing(parts), suppress(RuntimeError):  # the loop may have ended meanwhile
            while wanted.get():
                loop.call_soon_threadsafe(found.put_nowait, _taken(parts))

    threading.Thread(target=take, name="other-database", daemon=True).start()
    try:
        while True:
            wanted.put(True)
            async with asyncio.timeout(PATIENCE + _ENDING):
                part = await found.get()
            if isinstance(part, Exception):
                raise part
            if part is None:
                return
            yield part
    finally:
        wanted.put(False)


def _taken(parts: Generator[Rows]) -> Rows | Exception | None:
    try:
        return next(parts, None)
    except Exception as error:  # noqa: BLE001  raised where it is wanted
        return error


def _words(error: Exception, place: URL) -> str:
    """Return in Chinese what a driver said, without the password."""
    match error:
        case NoSuchModuleError():
            return "数据库地址写得不对，应为 SQLAlchemy 的写法"
        case ImportError():
            return f"没有装数据库驱动 {error.name}；用 pip 装上再试"
        case TimeoutError():
            return "数据库在时限内没有答复：检查它的网络、负荷和锁，或缩小查询"
        case OSError():
            return f"连不上数据库：{_hidden(error.strerror or str(error), place)}"
        case TypeError():
            said = _hidden(str(error), place)
            return f"数据库地址里有驱动不认识的参数，按驱动的写法改：{said}"
        case _:
            pass
    lines = str(getattr(error, "orig", None) or error).splitlines()
    said = _hidden(lines[0] if lines else type(error).__name__, place)
    return f"数据库没有答复，或不接受查询：{said}"


def _hidden(said: str, place: URL) -> str:
    password = place.password or ""
    for secret in filter(None, {password, quote(password), quote_plus(password)}):
        said = said.replace(secret, "***")
    return storable(said)
