"""The connector `exchange-database`: rows in a staging table 暂存表 of a platform.

The platform checks a row, writes a check sign and a cause beside it, and moves what passes. A row
is found by our key before it is inserted again. Before the nightly pick-up a row may be taken back,
if exactly one of its decision is there; later a revocation is a row of its own with another status
(ARCHITECTURE.md, "Exchange databases").
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from connectors.errors import CallRejected, ConnectorError, NotSent
from connectors.exchange_database import feeds, statements
from connectors.exchange_database.place import Place, RowRefused
from connectors.exchange_database.rows import Staging, staging
from connectors.exchange_database.settings import ExchangeDatabaseSettings
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock
from connectors.shared.parts import nothing_listed, outcome_of, within
from schemas.codes import Verb
from schemas.delivery import Health, Item, Listed, ListingMark, Outcome, OutcomeKind, Receipt

T = TypeVar("T")
#: When a row is tried again that waits for the platform's pick-up of the one before.
_PICKED_UP = timedelta(hours=1)


class ExchangeDatabase:
    """The front-end database of one platform."""

    def __init__(self, settings: ExchangeDatabaseSettings, now: Clock) -> None:
        self.limits = Limits(
            batch_size=settings.batch_size,
            concurrency=settings.concurrency,
            on_unknown=OnUnknown.LOOK_UP,
            call_timeout=settings.call_timeout,
            has_receipts=any(table.answers for table in settings.tables.values()),
        )
        self._settings = settings
        self._now = now
        seconds = settings.call_timeout.total_seconds()
        self._place = Place(settings.url.get_secret_value(), seconds, settings.concurrency)
        self._known: dict[str, Staging] = {}

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Insert rows in one transaction; if the database refuses one, each in its own.

        An item of a kind without a table, or with a value that does not fit, is rejected.
        """
        if not items:
            return []
        async with within(self.limits.call_timeout):
            try:
                return await self._written(items)
            except RowRefused as refused:
                if len(items) == 1:
                    return [await self._refused(items[0], refused)]
            return await self._one_by_one(items)

    async def _one_by_one(self, items: Sequence[Item]) -> list[Outcome]:
        """Write each item for itself; after a failure the others are as not sent."""
        outcomes: list[Outcome] = []
        for item in items:
            try:
                outcomes += await self._written([item])
            except RowRefused as refused:
                outcomes.append(await self._refused(item, refused))
            except ConnectorError as error:
                if not outcomes:
                    raise
                later = outcome_of(NotSent("前一条没有写成，本次没有写"))
                return [*outcomes, outcome_of(error), *[later] * (len(items) - len(outcomes) - 1)]
        return outcomes

    async def _refused(self, item: Item, refused: RowRefused) -> Outcome:
        """Return the outcome of a row that the table does not take."""
        words = f"前置库不收这一行：{refused}"
        if item.verb is Verb.NEW or refused.of_value:
            return Outcome(kind=OutcomeKind.REJECTED, reasons=(words,))
        if await self._run(lambda c: statements.waits(c, self._of(c), item)):
            words = f"同一决定的上一行还在等平台提取，之后再写；{words}"
            return Outcome(kind=OutcomeKind.DEFERRED, reasons=(words,), retry_after=_PICKED_UP)
        return Outcome(kind=OutcomeKind.REJECTED, reasons=(words,))

    async def _written(self, items: Sequence[Item]) -> list[Outcome]:
        now, window = self._now(), self._settings.pull_back
        return await self._run(lambda c: statements.write(c, self._of(c), items, now, window))

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Find the rows of items by our key, in the staging table and where the platform moves it.

        What is in neither is absent.
        """
        if not items:
            return []
        async with within(self.limits.call_timeout):
            return await self._run(lambda c: statements.found(c, self._of(c), items))

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return the rows that the platform has checked or moved, a page at a time, over again.

        A check has no time: the signs in a staging table are read from the first to the last row,
        and then anew. What was moved is read from its last time on.
        """
        async with within(self.limits.call_timeout):
            return await self._run(lambda c: feeds.page(c, self._of(c), cursor))

    def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:  # noqa: ARG002 - protocol
        """Yield nothing: a staging table is not what the platform shows."""
        return nothing_listed()

    async def health(self) -> Health:
        """Check the address, the account, and that every configured table and column is there."""
        self._known.clear()
        try:
            async with within(self.limits.call_timeout):
                await self._run(partial(statements.readable, of=self._of))
        except ConnectorError as error:
            return Health(ok=False, detail=str(error))
        names = "、".join(table.name for table in self._settings.tables.values())
        return Health(ok=True, detail=f"表 {names}")

    async def close(self) -> None:
        """Close every connection."""
        self._place.close()

    def _of(self, connection: Connection) -> dict[str, Staging]:
        """Return the tables by record kind, as the database has them; they are read once."""
        if not self._known:
            self._known = {
                kind: staging(connection, table, self._settings.match_columns(kind))
                for kind, table in self._settings.tables.items()
            }
        return self._known

    async def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._place.run(work)
        except CallRejected:
            self._known = {}  # the platform may have made its tables anew
            raise
