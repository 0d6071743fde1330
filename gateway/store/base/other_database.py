"""Ask a database of others, such as that of a case system 案件系统, by its SQLAlchemy URL."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, TextClause, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

Rows = Sequence[Mapping[str, Any]]


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
    statement = text(query)
    named = statement.compile().params
    bound = {name: value for name, value in values.items() if name in named}
    try:
        place = make_url(url)
        ask = _by_loop if place.get_dialect().is_async else _by_thread
        async for part in ask(url, statement, bound, size):
            yield part
    except (ArgumentError, NoSuchModuleError) as error:
        raise OtherDatabaseAway("数据库地址写得不对，应为 SQLAlchemy 的写法") from error
    except ImportError as error:
        raise OtherDatabaseAway(f"没有装数据库驱动 {error.name}；用 pip 装上再试") from error
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise OtherDatabaseAway(f"数据库没有答复，或不接受查询：{said}") from error
    except OSError as error:
        raise OtherDatabaseAway(f"连不上数据库：{error.strerror or error}") from error


async def _by_loop(
    url: str, statement: TextClause, bound: Mapping[str, Any], size: int
) -> AsyncIterator[Rows]:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            found = await connection.stream(statement, bound)
            async for part in found.mappings().partitions(size):
                yield [dict(row) for row in part]
    finally:
        await engine.dispose()


async def _by_thread(
    url: str, statement: TextClause, bound: Mapping[str, Any], size: int
) -> AsyncIterator[Rows]:
    """Ask by a driver that blocks, one call at a time."""
    engine = await asyncio.to_thread(create_engine, url)
    connection = await asyncio.to_thread(_connect, engine)
    try:
        found = await asyncio.to_thread(connection.execute, statement, bound)
        rows = found.mappings()
        while part := await asyncio.to_thread(rows.fetchmany, size):
            yield [dict(row) for row in part]
    finally:
        await asyncio.to_thread(connection.close)
        await asyncio.to_thread(engine.dispose)


def _connect(engine: Engine) -> Any:
    return engine.connect().execution_options(stream_results=True)
