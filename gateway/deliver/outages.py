"""What calls say of an outage of their destination 接收方中断, until the register has it."""

from datetime import datetime
from typing import NamedTuple

from gateway.store.account import evidence, outages
from gateway.store.account.evidence import About
from gateway.store.base.engine import Connection

#: Who enters the outages that calls have found.
SELF = "credit-gateway"
#: Failed calls that are told of before the destination counts as down.
_TOLD_BEFORE = 5


class FailedCall(NamedTuple):
    """A call that was not answered: when, and what was heard instead."""

    at: datetime
    words: str


class OutageNews(NamedTuple):
    """What is to be stored: when the destination answered again, and the outage since then."""

    up_at: datetime | None
    since: datetime | None
    calls: tuple[FailedCall, ...]


class OutageWatch:
    """Follow the calls of one destination: the first one that failed begins its outage.

    A refusal of the whole call is no outage: the destination answers.
    """

    def __init__(self) -> None:
        self._failed: list[FailedCall] = []  #: since the last answer, and not stored yet
        self._since: datetime | None = None
        self._in_a_row = 0  #: failed calls since the last answer
        self._is_down: bool | None = None  #: None: an owner before may have entered an outage
        self._up_at: datetime | None = None

    def failed(self, now: datetime, words: str) -> None:
        """Note a call that was not answered."""
        self._since = self._since or now
        self._in_a_row += 1
        self._failed.append(FailedCall(now, words))
        if not self._is_down:
            del self._failed[:-_TOLD_BEFORE]

    def down(self, failures: int) -> None:
        """Note that so many calls failed one after the other: an outage if this was the receiver's.

        What was ours between them is none of its failures.
        """
        if self._in_a_row >= failures:
            self._is_down = True

    def answered(self, now: datetime) -> None:
        """Note that it answers again, or refuses."""
        if self._is_down is not False:
            self._up_at = now
        self._failed, self._since, self._is_down = [], None, False
        self._in_a_row = 0

    def news(self) -> OutageNews | None:
        """Return what is to be stored, if there is anything."""
        down = self._is_down and self._failed
        if not down and self._up_at is None:
            return None
        return OutageNews(
            self._up_at, self._since if down else None, tuple(self._failed) if down else ()
        )

    def stored(self, news: OutageNews) -> None:
        """Forget what is stored."""
        if self._up_at == news.up_at:
            self._up_at = None
        if self._since == news.since:
            del self._failed[: len(news.calls)]


async def enter(connection: Connection, destination: str, news: OutageNews) -> None:
    """Enter the end of an outage, an outage and its evidence into the register."""
    id_ = await outages.going_on(connection, destination, SELF)
    if news.up_at is not None and id_ is not None:
        await outages.close(connection, id_, news.up_at, SELF)
        said = (id_, news.up_at, SELF, "恢复应答")
        await evidence.say(connection, About.OUTAGE, [said])
        id_ = None
    if news.since is None:
        return
    if id_ is None:
        ended = await outages.last_end(connection, destination, SELF)  # a person may have ended it
        since = max(news.since, ended) if ended is not None else news.since
        words = news.calls[-1].words
        id_ = await outages.open_(connection, destination, since, SELF, words)
    if id_ is not None:
        said_by_calls = [(id_, call.at, SELF, call.words) for call in news.calls]
        await evidence.say(connection, About.OUTAGE, said_by_calls)
