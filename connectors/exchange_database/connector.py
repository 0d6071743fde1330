"""The connector `exchange-database`: rows in a staging table 暂存表 of a platform.

The platform checks a row, writes a check sign and a cause beside it, and moves what passes. A row
is found by our key before it is inserted again. Before the nightly pick-up a row may be taken back;
later a revocation is a row of its own with another status (ARCHITECTURE.md, "Exchange databases").
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from connectors.errors import CallRejected, ConnectorError, NotSent
from connectors.exchange_database import feeds, lookups, statements
from connectors.exchange_database.place import Place, RowRefused
from connectors.exchange_database.rows import Staging, staging
from connectors.exchange_database.settings import ExchangeDatabaseSettings
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock
from connectors.shared.parts import BatchSize, halves, nothing_listed, outcome_of, within
from connectors.shared.words import reason
from schemas.delivery import Health, Item, Listed, ListingMark, Outcome, OutcomeKind, Receipt

T = TypeVar("T")


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
        self._known: Mapping[str, Staging] = {}
        self._taken = BatchSize(settings.batch_size)

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Insert rows in one transaction; if the database refuses it, in halves, down to the row.

        An item of a kind without a table, or with a value that does not fit, is rejected. After a
        failure what was not written yet is as not sent.
        """
        async with within(self.limits.call_timeout):
            outcomes: list[Outcome] = []
            parts = [items] if items else []
            while parts:
                part = parts.pop()
                try:
                    outcomes += await self._written(part)
                except RowRefused:
                    parts += reversed(halves(part))
                except ConnectorError as error:
                    if not outcomes:
                        raise
                    rest = len(items) - len(outcomes) - len(part)
                    later = outcome_of(NotSent("前一条没有写成，本次没有写"))
                    outcomes += [*[outcome_of(error)] * len(part), *[later] * rest]
                    break
            return outcomes

    async def _written(self, items: Sequence[Item]) -> list[Outcome]:
        """Write items in one transaction; raises RowRefused only for several."""
        now, window = self._now(), self._settings.pull_back
        try:
            written = await self._run(
                lambda c: statements.write(c, self._of(c), items, now, window)
            )
        except RowRefused as refused:
            if len(items) > 1:
                raise
            return [await self._refused(items[0], refused)]
        self._taken.passed(len(items))
        return written

    async def _refused(self, item: Item, refused: RowRefused) -> Outcome:
        """Return the outcome of a row that the table does not take.

        Where it may not be the row's fault, such as a trigger that refuses all of them while the
        platform is mended, it is rejected only once others were taken since.
        """
        meaning = refused.meaning
        is_odd = isinstance(meaning, NotSent) and self._taken.is_verdict(item.key)
        if meaning is not None and not is_odd:
            return outcome_of(meaning)
        words = reason(f"前置库不收这一行：{refused}")
        if refused.of_value or is_odd:
            return Outcome(kind=OutcomeKind.REJECTED, reasons=(words,))
        return await self._asked(lambda c: statements.refused(c, self._of(c), item, words))

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Find the rows of items by our key, in the staging table and where the platform moves it.

        What is in neither is absent.
        """
        if not items:
            return []
        async with within(self.limits.call_timeout):
            return await self._asked(lambda c: lookups.found(c, self._of(c), items))

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return the rows that the platform has checked or moved, a page at a time, over again.

        A check has no time: the signs in a staging table are read from the first to the last row,
        and then anew. What was moved is read from a little before its last time on.
        """
        async with within(self.limits.call_timeout):
            now = self._now()
            return await self._asked(lambda c: feeds.page(c, self._of(c), cursor, now))

    def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:  # noqa: ARG002 - protocol
        """Yield nothing: a staging table is not what the platform shows."""
        return nothing_listed()

    async def health(self) -> Health:
        """Check the address, the account and its rights, and every configured table and column."""
        self._known = {}
        try:
            async with within(self.limits.call_timeout):
                advice = await self._asked(partial(statements.usable, of=self._of))
        except ConnectorError as error:
            return Health(ok=False, detail=str(error))
        names = "、".join(table.name for table in self._settings.tables.values())
        return Health(ok=True, detail="；".join([f"表 {names}", *advice]))

    async def close(self) -> None:
        """Close every connection."""
        self._place.close()

    def _of(self, connection: Connection) -> Mapping[str, Staging]:
        """Return the tables by record kind, as the database has them; they are read once."""
        known = self._known
        if not known:
            tables = self._settings.tables.items()
            known = self._known = {kind: staging(connection, table) for kind, table in tables}
        return known

    async def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._place.run(work)
        except (CallRejected, RowRefused):
            self._known = {}  # the platform may have changed its tables
            raise

    async def _asked(self, work: Callable[[Connection], T]) -> T:
        """Ask what is about no row of ours in particular."""
        try:
            return await self._run(work)
        except RowRefused as refused:
            raise refused.meaning or NotSent(f"前置库出错：{refused}") from refused
