"""Receipts 回执: read them page by page and move the deliveries that they answer."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from gateway.deliver.breaker import Act, BreakerState
from gateway.deliver.deliverer import Deliverer
from gateway.deliver.item import delivery_of
from gateway.deliver.receipt_pages import REMEMBERED, News, Pages
from gateway.store.base.engine import Connection
from gateway.store.base.steadiness import UNBEARABLE, run_steadily
from gateway.store.deliver import destinations, receipts
from gateway.store.deliver.destinations import ReceiptsPlace
from gateway.store.deliver.receipts import MatchedReceipt
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.tracing import tracing
from schemas.delivery import Receipt

#: Pages read in one go; the rest is for the next time.
PAGES = REMEMBERED
#: Receipts of one transaction, which holds the locks of their subjects.
SLICE = 1000
#: Time for one page beyond that of a call: a page may hold many receipts.
PAGE_MARGIN = timedelta(seconds=30)


async def receive(deliverer: Deliverer) -> int:
    """Read the receipts since the last one read; return how many moved a delivery.

    A page is the last one for now if it is empty, or if its cursor was there before.
    """
    if not deliverer.connector.limits.has_receipts or deliverer.is_quiet:
        return 0
    if not await deliverer.owns():
        return 0
    if await deliverer.caller.state(Act.RECEIPTS) is BreakerState.OPEN:
        return 0
    moved = await Feed(deliverer).read()
    await deliverer.caller.save()
    return moved


class _NotOurs(Exception):
    """Another process owns the destination by now."""


class Feed:
    """The receipts of one destination, from where they were read last."""

    def __init__(self, deliverer: Deliverer) -> None:
        self.deliverer = deliverer
        #: A page that comes after another process has taken over is not applied.
        self.ours = deliverer.caller.ownership
        self.cursor = ""
        self.pages = Pages("")

    async def read(self) -> int:
        """Read page by page; return how many receipts moved a delivery."""
        deliverer = self.deliverer
        async with deliverer.database.transaction() as connection:
            place = await destinations.receipts_place(connection, deliverer.name)
        self.cursor, self.pages = place.cursor, Pages(place.pages)
        moved, read = 0, {self.cursor}
        while len(read) <= PAGES and await deliverer.caller.pace.turn(self._ends, asking=True):
            try:
                found, following = await self._page()
            except Exception as error:  # noqa: BLE001  an odd page must not stop the sending
                deliverer.caller.failed(error, Act.RECEIPTS)
                return moved
            deliverer.caller.succeeded(Act.RECEIPTS)
            known = self.pages.kept()
            news = self.pages.news(self.cursor, found)
            is_new = following != self.cursor or self.pages.kept() != known
            self.cursor = following
            if is_new:
                applied = await self._apply(news)
                if applied is None:
                    return moved
                moved += applied
            if not found or following in read:
                return moved
            read.add(following)
        return moved

    def _ends(self) -> bool:
        return not self.deliverer.is_owner or self.deliverer.is_quiet

    async def _page(self) -> tuple[list[Receipt], str]:
        connector = self.deliverer.connector
        limit = connector.limits.call_timeout + PAGE_MARGIN
        async with asyncio.timeout(limit.total_seconds()):
            return await connector.receipts(self.cursor)

    async def _apply(self, news: News) -> int | None:
        """Apply a page in slices, its place with the last one; return how many moved.

        None: another process owns the destination by now, and nothing more was applied.
        """
        answers = receipts.telling(_ours(self.deliverer, news.receipts), self.deliverer.clock())
        moved = 0
        while True:
            end = _end_of_slice(answers)
            part, answers = answers[:end], answers[end:]
            found = await self._apply_part(part, again=news.again, is_last=not answers)
            if found is None:
                return None
            moved += found
            if not answers:
                return moved

    async def _apply_part(
        self, answers: Sequence[MatchedReceipt], *, again: bool, is_last: bool
    ) -> int | None:
        """Apply receipts; one that cannot be stored is left out and logged."""
        try:
            return await self._applied(answers, again=again, is_last=is_last)
        except UNBEARABLE:
            if not answers:
                raise
        moved = 0
        for one in answers:
            try:
                moved += await self._applied([one], again=again, is_last=False) or 0
            except UNBEARABLE:
                extra = {"destination": self.deliverer.name, "delivery": one.delivery_id}
                logger.exception(LogEvent.RECEIPT_FAILED, extra=extra)
        return moved if await self._applied([], again=again, is_last=is_last) is not None else None

    async def _applied(
        self, answers: Sequence[MatchedReceipt], *, again: bool, is_last: bool
    ) -> int | None:
        """Apply receipts in one transaction, with the place of their page if they are its last."""
        name, now = self.deliverer.name, self.deliverer.clock()
        place = ReceiptsPlace(self.cursor, self.pages.kept()) if is_last else None

        async def work(connection: Connection) -> int:
            moved = await receipts.apply_receipts(connection, name, answers, now, again=again)
            # After the subjects, which are locked first everywhere.
            if not await destinations.set_receipts_place(connection, self.ours, place):
                raise _NotOurs
            return moved

        with suppress(_NotOurs):
            moved = await run_steadily(self.deliverer.database, work)
            tracing.receipts(name, ((one.delivery_id, one.accepted) for one in answers))
            return moved
        return None


def _end_of_slice(answers: Sequence[MatchedReceipt]) -> int:
    """Return where the first slice ends: behind all receipts of its last delivery."""
    end = min(SLICE, len(answers))
    while end < len(answers) and answers[end].delivery_id == answers[end - 1].delivery_id:
        end += 1
    return end


def _ours(deliverer: Deliverer, found: Sequence[Receipt]) -> list[MatchedReceipt]:
    return [
        MatchedReceipt(id_, r.accepted, r.reasons, r.platform_at, r.reference)
        for r in found
        if (id_ := delivery_of(deliverer.installation, r.key)) is not None
    ]
