"""HTTP calls to a destination: guarded addresses, limited time and size, translated errors."""

import ssl
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import orjson
from httpx_aiohttp import AiohttpTransport
from pydantic import Field, field_validator

from connectors.errors import CallRejected, OutcomeUnknown
from connectors.shared import Clock
from connectors.shared.address_guard import guarded_socket
from connectors.shared.http_errors import FOREIGN, translated
from connectors.shared.parts import Throttled, within
from schemas.base import Schema

#: Idle connections are closed after so many seconds, before common servers close them (5 s): a
#: call on a connection that the server is just closing would have an unknown outcome.
IDLE_SECONDS = 4.0
#: Bytes of an answer: at most so many, and so many more for each row that it is about.
ANSWER_BASE, ANSWER_OF_ROW = 64 * 1024, 16 * 1024


class HttpClientSettings(Schema):
    """The settings of every destination that is reached over HTTP."""

    url: str = Field(title="接口地址")
    batch_size: int = Field(default=1, ge=1, le=5000, title="每批条数")
    concurrency: int = Field(default=4, ge=1, le=256, title="并发数")
    call_timeout: timedelta = Field(
        default=timedelta(seconds=30), gt=timedelta(0), title="单次调用时限"
    )
    allow_private: bool = Field(default=False, title="允许内网地址")
    #: Limit in bytes; a longer answer is not read to its end, and the outcome is unknown.
    max_answer: int = Field(default=32 * 1024 * 1024, ge=1, title="应答上限（字节）")

    @field_validator("url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise ValueError("地址的主机或端口写错了") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("应为 http 或 https 地址")
        if parts.username or parts.password:
            raise ValueError("地址里不能有用户名和密码")
        return value.rstrip("/")


@dataclass(frozen=True, slots=True)
class Answer:
    """The complete answer to one call."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body as JSON; raises OutcomeUnknown if it is not JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as exc:
            raise OutcomeUnknown("应答不是 JSON") from exc


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Do nothing: extracting cookies took a tenth of the time of a delivery."""


_NO_COOKIES = _NoCookies()


class _Stateless(httpx.AsyncClient):
    """A client without cookies: no call may send a cookie that another call received."""

    cookies = property(lambda _: _NO_COOKIES)


class _CleanConnections(aiohttp.TCPConnector):
    """Connections of which none is used again once something came that nobody asked for.

    aiohttp 3.14 would take it for the answer to the next call (aio-libs/aiohttp#13656).
    """

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


class _Nameless(aiohttp.ClientResponse):
    """A response without the words beside its status, which may be in any encoding.

    The transport of httpx would write them as UTF-8, and fail after the other side has answered.
    """

    async def start(self, connection: Any) -> "aiohttp.ClientResponse":
        await super().start(connection)
        self.reason = None
        return self


class HttpClient:
    """The HTTP connections of one destination; none is opened before the first call."""

    def __init__(
        self, settings: HttpClientSettings, now: Clock, headers: Mapping[str, str] | None = None
    ) -> None:
        self._settings = settings
        self._now = now
        self._tls = ssl.create_default_context()
        seconds = settings.call_timeout.total_seconds()
        # Waiting for a connection times out well before the whole call, so that it is never taken
        # for waiting for an answer.
        timeout = httpx.Timeout(seconds, pool=seconds / 2, connect=seconds / 2)
        self._client = _Stateless(
            transport=AiohttpTransport(verify=self._tls, client=self._session),
            timeout=timeout,
            headers={"Accept-Encoding": "identity", **(headers or {})},
            follow_redirects=False,
            trust_env=False,
        )

    def _session(self) -> aiohttp.ClientSession:
        connector = _CleanConnections(
            limit=self._settings.concurrency * 2,
            keepalive_timeout=IDLE_SECONDS,
            ssl=self._tls,
            socket_factory=None if self._settings.allow_private else guarded_socket,
        )
        jar = aiohttp.DummyCookieJar()
        return aiohttp.ClientSession(connector=connector, cookie_jar=jar, response_class=_Nameless)

    async def call(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        rows: int | None = None,
    ) -> Answer:
        """Make one call and return its whole answer, whatever the status.

        An answer about so many `rows` is bounded by them: a huge one would hold up all else.
        Raises NotSent or OutcomeUnknown if the call fails or takes too long.
        """
        limit = self._settings.max_answer
        if rows is not None:
            limit = min(limit, ANSWER_BASE + rows * ANSWER_OF_ROW)
        request = self._client.build_request(method, url, content=content, headers=headers)
        async with within(self._settings.call_timeout):
            try:
                response = await self._client.send(request, stream=True)
                try:
                    body = await _bounded(response, limit)
                finally:
                    await response.aclose()
            except FOREIGN as exc:
                raise translated(exc) from exc
        return Answer(response.status_code, response.headers, body)

    async def ask(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        rows: int | None = None,
    ) -> Answer:
        """Make one call and return its answer; raises like `call` and `check`."""
        answer = await self.call(method, url, content, headers, rows)
        self.check(answer)
        return answer

    def check(self, answer: Answer) -> None:
        """Raise the error that the status of an answer means; a 2xx status raises nothing.

        429, and 503 with Retry-After: Throttled. Other 3xx, 4xx: CallRejected. Else OutcomeUnknown.
        """
        status = answer.status
        if 200 <= status < 300:
            return
        pause = self.retry_after(answer)
        if status == 429 or (status == 503 and pause is not None):
            raise Throttled(f"HTTP {status}", retry_after=pause)
        if 300 <= status < 500:
            raise CallRejected(f"HTTP {status}", retry_after=pause)
        raise OutcomeUnknown(f"HTTP {status}", retry_after=pause)

    def retry_after(self, answer: Answer) -> timedelta | None:
        """Return `Retry-After`, given in seconds or as a date; None if absent or unreadable."""
        text = answer.headers.get("retry-after", "").strip()[:40]
        if text.isascii() and text.isdigit():
            return timedelta(seconds=min(int(text), 366 * 86400))
        try:
            moment = parsedate_to_datetime(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return max(timedelta(0), moment - self._now())
        except (ValueError, OverflowError):
            return None

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


async def _bounded(response: httpx.Response, limit: int) -> bytes:
    """Return the body, unpacked from one layer of gzip or deflate, up to the limit in bytes.

    httpx would unpack a whole block at once, and as many layers as the other side names.
    """
    unpack = _unpacking(response.headers.get("content-encoding", ""))
    chunks: list[bytes] = []
    size = 0
    async for raw in response.aiter_raw():
        try:
            chunk = unpack.decompress(raw, limit + 1 - size) if unpack else raw
        except zlib.error as exc:
            raise OutcomeUnknown("应答解不开压缩") from exc
        size += len(chunk)
        if size > limit:
            raise OutcomeUnknown(f"应答超过 {limit} 字节")
        chunks.append(chunk)
    return b"".join(chunks)


def _unpacking(encoding: str) -> "zlib._Decompress | None":
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        case _:
            raise OutcomeUnknown("应答的压缩方式不支持")
