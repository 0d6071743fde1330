"""Clients that begin requests and do not end them, over real sockets."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn

from gateway.web import connections
from gateway.web.connections import BoundedProtocol, most_connections

Received = Callable[[], Awaitable[Any]]
Sent = Callable[[Any], Awaitable[None]]
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PATIENCE = 20
HEAD = b"POST /v1 HTTP/1.1\r\nHost: x\r\n"
LONG_ANSWER = 64 * 2**20


async def app(scope: Any, receive: Received, send: Sent) -> None:
    """Read the body slowly, and answer with as many bytes as the path says."""
    if scope["type"] != "http":
        return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
        if scope["path"] == "/slow":
            await asyncio.sleep(0.05)
    body = b"a" * (LONG_ANSWER if scope["path"] == "/long" else 2)
    head = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"LOOK": 0.1, "HEAD": 0.5, "READ": 0.5}.items():
        monkeypatch.setattr(connections, f"{name}_SECONDS", seconds)


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    config = uvicorn.Config(app, port=0, http=BoundedProtocol, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


@asynccontextmanager
async def client(port: int, **more: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **more)
    yield reader, writer
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def is_closed(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE):
            while await reader.read(65536):
                pass
    return True


async def drip(writer: asyncio.StreamWriter, bytes_: bytes, seconds: float) -> None:
    """Send a byte now and then, until the other side has closed."""
    with suppress(ConnectionError):
        while True:
            writer.write(bytes_)
            await writer.drain()
            await asyncio.sleep(seconds)


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        (b"", b""),
        (HEAD + b"X-A: ", b"a"),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"a"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (HEAD + b"Content-Length: 2\r\n\r\n{}" + HEAD + b"X-A: ", b"a"),
    ],
    ids=["nothing", "half a head", "half a body", "chunks", "half a second head"],
)
async def test_a_request_that_does_not_come_whole_is_ended(begins: bytes, goes_on: bytes) -> None:
    async with served() as port, client(port) as (reader, writer):
        writer.write(begins)
        dripping = asyncio.create_task(drip(writer, goes_on, 0.05)) if goes_on else None

        assert await is_closed(reader)
        if dripping is not None:
            dripping.cancel()


async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async with served() as port, client(port, limit=1024) as (reader, writer):
        writer.write(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(2)
        reader._transport.resume_reading()  # type: ignore[attr-defined]

        got = 0
        with suppress(ConnectionError):
            while part := await reader.read(65536):
                got += len(part)
        assert got < LONG_ANSWER


async def test_a_slow_body_that_comes_on_and_an_application_that_reads_slowly_are_borne() -> None:
    async with served() as port, client(port) as (reader, writer):
        body = b"a" * 200_000
        writer.write(HEAD.replace(b"/v1", b"/slow") + b"Content-Length: 200000\r\n\r\n")
        for start in range(0, len(body), 10_000):
            writer.write(body[start : start + 10_000])
            await writer.drain()
            await asyncio.sleep(0.05)

        async with asyncio.timeout(PATIENCE):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_beyond_the_bound_those_end_that_wait_longest_for_a_whole_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "MOST", 5)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 60.0)
    async with served() as port, AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(client(port)) for _ in range(8)]
        await asyncio.sleep(0.2)
        ended = [reader.at_eof() or reader.exception() is not None for reader, _ in opened]
        reader, writer = opened[-1]  # a health check comes last, and is answered
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")

    assert ended == [True] * 3 + [False] * 5


def test_clients_may_have_a_part_of_the_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))

    assert most_connections() == 256
