"""The login of a platform that gives a token, or a cookie, for a while."""

import asyncio
import re
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from math import inf
from typing import Any, Protocol

import orjson

from connectors.errors import NotSent, OutcomeUnknown
from connectors.shared.http_read import Answer
from connectors.shared.http_settings import LoginSettings
from connectors.shared.parts import DEADLINE, LoginRefused

_EXPIRED, _FORBIDDEN, _TOO_MANY, _THEIR_FAULT = 401, 403, 429, 500
#: What says nothing of a login: it was looked at, and what was sent was judged.
_JUDGED = frozenset({400, 413, 422, _TOO_MANY})
#: Characters of a token at most: servers take no longer headers.
_LONGEST_TOKEN = 8000
_PAGE = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)
#: Seconds in which a login that was made just now has not ended by itself.
FRESH = 60.0
#: The pause after a login that the other side could not answer: many tries may lock the account.
_PAUSE = timedelta(seconds=30)
#: The share of the time that is left which a login may take.
_SHARE = 0.8


def is_page(answer: Answer) -> bool:
    """Whether an answer is a page for people."""
    is_html = "text/html" in answer.headers.get("content-type", "").lower()
    return bool(_PAGE.match(answer.body)) or (is_html and answer.body.lstrip().startswith(b"<"))


class Call(Protocol):
    """Makes one call without a login."""

    def __call__(  # noqa: D102
        self, method: str, url: str, content: bytes, headers: Mapping[str, str], rows: int
    ) -> Awaitable[Answer]: ...


class Login:
    """The present login; one call at a time makes a new one. Cookies are kept by the client.

    A login takes at most `limit`, so that waiting for it is never taken for waiting for an answer.
    """

    def __init__(self, settings: LoginSettings, call: Call, limit: timedelta) -> None:
        self._settings = settings
        self._call = call
        self._limit = limit
        self._mark: dict[str, str] | None = None
        self._made_at = -inf  #: by the time of the loop
        self._making = asyncio.Lock()

    def has_ended(self, answer: Answer) -> bool:
        """Whether an answer says that the login has ended, so that the call was refused.

        401 says so, and 403 if the login was not made just now. A redirect, a page, or any other
        answer that is none may mean it too, and may come after the call was taken: then the next
        call makes a login.
        """
        if answer.status == _EXPIRED:
            return True
        if asyncio.get_running_loop().time() - self._made_at <= FRESH:
            return False
        is_ours = 200 <= answer.status < 300 and not _PAGE.match(answer.body)
        if not is_ours and answer.status not in _JUDGED | {_FORBIDDEN}:
            self._mark = None
        return answer.status == _FORBIDDEN

    async def mark(self, stale: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the headers that show the login; made anew if none is left but a stale one.

        Raises:
            LoginRefused: the login is refused, or has no token.
            NotSent: there was no answer; nothing of what the login is for has left us.
        """
        now = asyncio.get_running_loop().time()
        # It ends before the call that it is for, which would count as made.
        seconds = min(self._limit.total_seconds(), (DEADLINE.get() - now) * _SHARE)
        try:
            async with asyncio.timeout(seconds), self._making:
                if self._mark is None or self._mark is stale:
                    self._mark = await self._made()
                    self._made_at = asyncio.get_running_loop().time()
                return self._mark
        except TimeoutError as exc:
            raise NotSent("登录没有应答") from exc
        except OutcomeUnknown as exc:
            unmade = NotSent(f"登录没有成功：{exc}", exc.retry_after)
            unmade.theirs = exc.theirs
            raise unmade from exc

    async def _made(self) -> dict[str, str]:
        settings = self._settings
        body = {name: value.get_secret_value() for name, value in settings.body.items()}
        headers = {"Content-Type": "application/json"}
        answer = await self._call("POST", settings.url, orjson.dumps(body), headers, 1)
        if answer.status == _TOO_MANY or answer.status >= _THEIR_FAULT:
            later = NotSent(f"登录没有成功：对方返回 HTTP {answer.status}", _PAUSE)
            later.theirs = answer.status != _TOO_MANY  # which is an answer
            raise later
        if not 200 <= answer.status < 300:
            raise LoginRefused(
                f"登录被拒绝：对方返回 HTTP {answer.status}；检查 login 的用户和口令"
            )
        if settings.token_path is None:
            return {}
        token = _at(answer, settings.token_path)
        if not isinstance(token, str) or not _is_token(token):
            raise LoginRefused(f"登录的应答里没有令牌 {settings.token_path}；检查 login")
        return {settings.header: f"{settings.prefix}{token}"}


def _is_token(text: str) -> bool:
    """Whether a text can stand in a header: a sentence in Chinese is no token."""
    return 0 < len(text) <= _LONGEST_TOKEN and text.isascii() and text.isprintable()


def _at(answer: Answer, path: str) -> Any:
    try:
        found = answer.json()
    except OutcomeUnknown:
        return None
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
