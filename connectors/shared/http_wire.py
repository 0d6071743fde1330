"""What aiohttp and httpx do not do by themselves on the wire, or do wrong for us."""

import asyncio
import functools
import logging
import re
import socket
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import httpx
from aiohttp.abc import ResolveResult
from aiohttp.client_proto import ResponseHandler
from httpx_aiohttp import AiohttpTransport

#: Connectors have no log of their own: a warning goes to that of the process.
logger = logging.getLogger("credit_gateway.connectors")

#: Bytes of an answer that are kept for the case that its head is wrong.
_KEPT = 64 * 1024
_INTERIM = re.compile(rb"HTTP/1\.[01] 1[0-9]{2}")
#: Threads that resolve the names of one destination.
_RESOLVING = 2
_STATUS = re.compile(rb"HTTP/1\.[01] [1-5][0-9]{2}")


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Do nothing: extracting cookies took a tenth of the time of a delivery."""


_NO_COOKIES = _NoCookies()


class Stateless(httpx.AsyncClient):
    """A client without cookies: no call may send a cookie that another call received."""

    cookies = property(lambda _: _NO_COOKIES)


class Transport(AiohttpTransport):
    """A transport whose answers lead nowhere else.

    httpx makes the request that a `Location` asks for also where none is followed, and raises if
    it cannot, as if ours could not be made: after the other side took what was sent.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make one call; the answer comes without its `Location`."""
        response = await super().handle_async_request(request)
        response.headers.pop("location", None)
        return response


class _Remembering(ResponseHandler):
    """A connection that keeps the bytes of an answer beside its errors.

    Where the head of an answer names too short a length, as servers do that count characters, the
    rest of the body looks like a broken second answer, and aiohttp throws the whole away.
    """

    kept = b""

    def set_response_params(self, **parameters: Any) -> None:
        self.kept = b""
        super().set_response_params(**parameters)

    def data_received(self, data: bytes) -> None:
        if len(self.kept) < _KEPT:
            self.kept += data
        super().data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        exc.kept = self.kept  # type: ignore[attr-defined]
        super().set_exception(exc, *cause)


class CleanConnections(aiohttp.TCPConnector):
    """Connections of which none is used again once something came that nobody asked for.

    aiohttp 3.14 would take it for the answer to the next call (aio-libs/aiohttp#13656).
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = functools.partial(  # type: ignore[assignment]  # it is one of these
            _Remembering, loop=self._loop
        )

    async def _get(self, key: Any, traces: Any) -> Any:
        kept = self._conns.pop(key, None)
        if kept is not None:
            for protocol, _ in kept:
                if protocol.should_close:
                    protocol.close()
            clean = deque(entry for entry in kept if not entry[0].should_close)
            if clean:
                self._conns[key] = clean
        return await super()._get(key, traces)


class ImpatientResolver(aiohttp.ThreadedResolver):
    """Names that are resolved in a time of their own, by threads of their own.

    The connection would run out of its time otherwise, as if the other side did not answer; and a
    name server that is silent would take the threads of the whole process.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(_RESOLVING, "resolve")
        self._loop = _OwnThreads(self._loop, self._threads)  # type: ignore[assignment]

    async def resolve(self, *arguments: Any, **options: Any) -> list[ResolveResult]:
        """Resolve a name; raises gaierror also where the name server gives no answer in time."""
        try:
            async with asyncio.timeout(self._seconds):
                return await super().resolve(*arguments, **options)
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, "the name server gives no answer") from None

    async def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)


class _OwnThreads:
    """What a resolver asks of its loop, by other threads than those of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: ThreadPoolExecutor) -> None:
        self._loop = loop
        self._threads = threads

    async def getaddrinfo(self, host: str, port: int, **options: Any) -> Any:
        call = functools.partial(socket.getaddrinfo, host, port, **options)
        return await self._loop.run_in_executor(self._threads, call)

    async def getnameinfo(self, address: Any, flags: int = 0) -> Any:
        return await self._loop.run_in_executor(self._threads, socket.getnameinfo, address, flags)


class NamelessResponse(aiohttp.ClientResponse):
    """A response without the words beside its status, which may be in any encoding.

    The transport of httpx would write them as UTF-8, and fail after the other side has answered.
    """

    async def start(self, connection: Any) -> "aiohttp.ClientResponse":
        """Read the head of the answer, and forget its words."""
        await super().start(connection)
        self.reason = None
        return self


def kept_answer(error: BaseException | None) -> tuple[int, bytes, bytes] | None:
    """Return status, Content-Type and body of the answer that an error threw away; None if none.

    A body that is packed or in chunks is left out.
    """
    while error is not None and not getattr(error, "kept", b""):
        error = error.__cause__
    head, found, body = getattr(error, "kept", b"").partition(b"\r\n\r\n")
    while found and _INTERIM.match(head):
        head, found, body = body.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    parts = line.split(b" ", 2)
    if not found or len(parts) < 2 or not _STATUS.fullmatch(b" ".join(parts[:2])):
        return None
    headers = {
        name.strip().lower(): value for name, _, value in (f.partition(b":") for f in fields)
    }
    if headers.keys() & {b"transfer-encoding", b"content-encoding"}:
        body = b""
    return int(parts[1]), headers.get(b"content-type", b"").strip(), body
