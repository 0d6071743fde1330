"""HTTP calls to a destination: guarded addresses, limited time and size, translated errors."""

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import httpx
from pydantic import SecretStr

from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.shared import Clock
from connectors.shared.address_guard import guarded_socket
from connectors.shared.guomi import Guomi
from connectors.shared.http_errors import FOREIGN, translated
from connectors.shared.http_read import Answer, AnswerReading, thrown_away
from connectors.shared.http_settings import HttpClientSettings
from connectors.shared.http_wire import (
    CleanConnections,
    ImpatientResolver,
    NamelessResponse,
    Stateless,
    Transport,
    logger,
)
from connectors.shared.login import Login
from connectors.shared.parts import BatchRefused, LoginRefused, within
from connectors.shared.tls import UNTRUSTED, tls_context, untrusted_words
from connectors.shared.words import LEAST_SECRET, SECRETS, status_words

#: Idle connections are closed after so many seconds, before common servers close them (5 s): a
#: call on a connection that the server is just closing would have an unknown outcome.
IDLE_SECONDS = 4.0
#: Bytes of an answer: at most so many, and so many more for each row that it is about.
ANSWER_BASE, ANSWER_OF_ROW = 64 * 1024, 16 * 1024
#: The share of the call timeout in which the call itself ends, so that what was read can be judged.
SHARE = 0.95
_LOGIN_EXPIRED = 401
_SEE_OTHER = frozenset({302, 303})
#: The pause of a destination that asks for one and does not say how long.
THROTTLED = timedelta(seconds=30)
#: The status of a call that is refused for its size or for what is in it.
_OF_THE_BATCH = frozenset({400, 413, 422})
_TOKEN_OF_A_PATH = 12


class HttpClient:
    """The HTTP connections of one destination; none is opened before the first call."""

    def __init__(
        self,
        settings: HttpClientSettings,
        now: Clock,
        headers: Mapping[str, str] | None = None,
        expired: Callable[[Answer], bool] | None = None,
        *,
        status_decides: bool = False,
        secrets: Iterable[SecretStr] = (),
    ) -> None:
        """Prepare the connections; `headers` go with every call, and their values are secrets.

        `expired` says of an answer whether the login has ended, besides its status. Where the
        `status_decides`, an answer counts although its body cannot be read. `secrets` are further
        ones that the other side knows.

        Raises:
            TlsFileError: a certificate or key cannot be used.
        """
        self._settings = settings
        self._now = now
        self._tls = tls_context(settings)
        known = _secrets(settings, headers or {}) + [one.get_secret_value() for one in secrets]
        self._secrets = list(_with_parts(known))
        self._cookies: aiohttp.CookieJar | None = None  #: of a login
        self._resolver: ImpatientResolver | None = None
        self._status_decides = status_decides
        self._warned = False
        self._guomi = None if settings.guomi is None else Guomi(settings.guomi, now)
        half = settings.call_timeout / 2
        self._login = Login(settings.login, self._call, half) if settings.login else None
        self._expired = expired
        # Waiting for a connection times out well before the whole call, so that it is never taken
        # for waiting for an answer.
        short = half.total_seconds()
        self._client = Stateless(
            transport=Transport(verify=self._tls, client=self._session),
            timeout=httpx.Timeout(settings.call_timeout.total_seconds(), pool=short, connect=short),
            headers={"Accept-Encoding": "identity", **(headers or {})},
            follow_redirects=False,
            trust_env=False,
        )

    def _session(self) -> aiohttp.ClientSession:
        self._cookies = aiohttp.CookieJar(unsafe=True) if self._login else None
        pin = self._settings.certificate_sha256
        trusted = aiohttp.Fingerprint(bytes.fromhex(pin.replace(":", ""))) if pin else self._tls
        own = self._settings.source_address
        self._resolver = ImpatientResolver(self._settings.call_timeout.total_seconds() / 4)
        connector = CleanConnections(
            limit=self._settings.concurrency * 2,
            keepalive_timeout=IDLE_SECONDS,
            ssl=trusted,
            resolver=self._resolver,
            local_addr=None if own is None else (str(own), 0),
            socket_factory=None if self._settings.allow_private else guarded_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar() if self._cookies is None else self._cookies,
            response_class=NamelessResponse,
        )

    async def call(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        rows: int | None = None,
    ) -> Answer:
        """Make one call and return its whole answer, whatever the status.

        An answer about so many `rows` is bounded by them: a huge one would hold up all else. Where
        there is a login, it comes first; once it has ended, one more, and the call once again.
        Raises NotSent or OutcomeUnknown if the call fails or takes too long.
        """
        self._hide()
        if self._login is None:
            return await self._call(method, url, content, headers, rows)
        mark = await self._login.mark()
        self._hide(mark)
        given = {**(headers or {}), **mark}
        answer = await self._call(method, url, content, given, rows)
        self._hide(mark)  # it may have brought a cookie
        ended = self._login.has_ended(answer)
        if ended or (self._expired and self._expired(answer)):
            renewed = await self._login.mark(stale=mark)
            self._hide(mark, renewed)
            answer = await self._call(method, url, content, given | renewed, rows)
            if answer.status == _LOGIN_EXPIRED:  # more calls would only make more logins
                raise LoginRefused(self.words(answer))
        return answer

    def _hide(self, *marks: Mapping[str, str]) -> None:
        """Keep our secrets, and those of logins, out of all words about the present call."""
        tokens = [value for mark in marks for value in mark.values()]
        tokens += [cookie.value for cookie in self._cookies or ()]
        known = dict.fromkeys((*self._secrets, *_with_parts(tokens)))
        SECRETS.set(tuple(one for one in known if len(one) >= LEAST_SECRET))

    async def _call(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        rows: int | None = None,
    ) -> Answer:
        """Make one call, signed and encrypted where that is configured."""
        if self._guomi is None:
            return await self._sent(method, url, content, headers, rows)
        body, signed = self._guomi.seal(method, url, content)
        answer = await self._sent(method, url, body, {**(headers or {}), **signed}, rows)
        return self._guomi.opened(answer)

    async def _sent(
        self,
        method: str,
        url: str,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        rows: int | None,
    ) -> Answer:
        limit = self._settings.max_answer
        if rows is not None:
            limit = min(limit, ANSWER_BASE + rows * ANSWER_OF_ROW)
        read = AnswerReading(limit)
        try:
            request = self._client.build_request(method, url, content=content, headers=headers)
        except FOREIGN as exc:
            wrong = NotSent("地址写错了")
            wrong.theirs = False
            raise wrong from exc
        try:
            async with within(self._settings.call_timeout * SHARE):
                try:
                    response = await self._client.send(request, stream=True)
                    try:
                        await read.body_of(response)
                    finally:
                        await response.aclose()
                except FOREIGN as exc:
                    found = self._judged(read)
                    found = found or thrown_away(exc, status_decides=self._status_decides)
                    if found is None:
                        raise await self._explained(exc) from exc
                    return self._odd(found)
        except OutcomeUnknown:
            found = self._judged(read)
            if found is None:
                raise
            return self._odd(found)
        return read.answer()

    def _judged(self, read: AnswerReading) -> Answer | None:
        """Return the answer whose reading has failed, if what was read of it is enough."""
        return read.part() if self._status_decides else read.complete()

    def _odd(self, answer: Answer) -> Answer:
        """Return an answer that counts although its body is not as its head says."""
        if not self._warned:
            self._warned = True
            host = urlsplit(self._settings.url).hostname
            logger.warning("answer_length_wrong", extra={"host": host})
        return answer

    async def _explained(self, error: Exception) -> ConnectorError:
        """Return the connector error; of a certificate that is not trusted, which one it is."""
        translated_ = translated(error)
        refused = error if isinstance(error, UNTRUSTED) else error.__cause__
        if isinstance(refused, UNTRUSTED):
            words = await untrusted_words(refused, allow_private=self._settings.allow_private)
            explained = type(translated_)(words)
            explained.theirs = translated_.theirs
            return explained
        return translated_

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

        429: NotSent. 400, 413, 422: BatchRefused. Other 3xx, 4xx: CallRejected. Else
        OutcomeUnknown: 302 and 303, which come after what was taken, and 503, which what stands
        between may say of it.
        """
        status = answer.status
        if 200 <= status < 300:
            return
        pause, words = self.retry_after(answer), self.words(answer)
        if status == 429:
            throttled = NotSent(words, retry_after=THROTTLED if pause is None else pause)
            throttled.theirs = False  # it answers
            raise throttled
        if status in _OF_THE_BATCH:
            raise BatchRefused(words, retry_after=pause)
        if 300 <= status < 500 and status not in _SEE_OTHER:
            raise CallRejected(words, retry_after=pause)
        raise OutcomeUnknown(words, retry_after=pause)

    def words(self, answer: Answer) -> str:
        """Return what an answer says, for people: its status in Chinese, and its own words."""
        kind = answer.headers.get("content-type", "")
        return status_words(answer.status, answer.body, kind)

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
        if self._resolver is not None:
            await self._resolver.close()


def _secrets(settings: HttpClientSettings, headers: Mapping[str, str]) -> list[str]:
    """Return the values of ours that an answer may quote back and nobody may read."""
    found = [value for name, value in headers.items() if name != "Content-Type"]
    urls = [settings.url, *([settings.login.url] if settings.login else [])]
    for parts in map(urlsplit, urls):
        found += [value for _, value in parse_qsl(parts.query)]
        found += [given.partition("=")[2] for given in parts.query.split("&")]
        found += [part for part in parts.path.split("/") if _may_be_a_token(part)]
    if settings.login is not None:
        found += [value.get_secret_value() for value in settings.login.body.values()]
    return found


def _with_parts(secrets: Iterable[str]) -> Iterator[str]:
    """Return secrets and those within: words, what follows a prefix, the password of Basic."""
    for secret in secrets:
        yield secret
        for word in secret.split():
            yield from (word, word.partition("_")[2], word.rpartition("_")[2])
        if secret.casefold().startswith("basic "):
            with suppress(ValueError):  # of other schemes of that name
                yield b64decode(secret[6:].strip()).decode().partition(":")[2]


def _may_be_a_token(part: str) -> bool:
    """Whether a part of a path may be a secret of its own, as the hooks of some receivers have."""
    return len(part) >= _TOKEN_OF_A_PATH and "." not in part
