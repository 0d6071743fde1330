"""A TCP server on loopback of which the test decides every byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def request_of(reader: asyncio.StreamReader) -> bytes:
    """Return one whole request, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    sizes = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    size = int(sizes[0].split(b":")[1]) if sizes else 0
    return head + await reader.readexactly(size)


def answer(body: bytes = b"{}", status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    """Return a whole answer; `extra` are further header lines."""
    size = str(len(body)).encode()
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: " + size + b"\r\n" + extra + b"\r\n" + body


@asynccontextmanager
async def raw_server(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve each connection by the handler, with TLS if given a context; yields the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"{'https' if context else 'http'}://{host}:{port}"
    finally:
        server.close()
