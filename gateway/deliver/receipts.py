"""Receipts 回执: read them page by page and move the deliveries that they answer."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from gateway.deliver.breaker import Act, BreakerState
from gateway.deliver.deliverer import Deliverer
from gateway.deliver.item import delivery_of
from gateway.store.base.engine import BadData
from gateway.store.deliver import destinations, receipts
from gateway.store.deliver.receipts import MatchedReceipt
from gateway.telemetry.log import LogEvent, logger
from schemas.delivery import Receipt

#: Pages read in one go; the rest is for the next time.
PAGES = 500
#: Time for one page beyond that of a call: a page may hold many receipts.
PAGE_MARGIN = timedelta(seconds=30)


async def receive(deliverer: Deliverer) -> int:
    """Read the receipts since the last one read; return how many moved a delivery.

    A page is the last one for now if it is empty, or if its cursor was there before. Pages whose
    cursors lead back to one another are known as read before at the next time.
    """
    if not deliverer.connector.limits.has_receipts or deliverer.is_quiet:
        return 0
    if not await deliverer.owns():
        return 0
    if await deliverer.caller.state(Act.RECEIPTS) is BreakerState.OPEN:
        return 0
    async with deliverer.database.transaction() as connection:
        cursor = await destinations.receipts_cursor(connection, deliverer.name)
    moved = 0
    read = {cursor}
    while deliverer.is_owner and not deliverer.is_quiet and len(read) <= PAGES:
        try:
            found, following = await _page(deliverer, cursor)
        except Exception as error:  # noqa: BLE001  an odd page must not stop the sending
            deliverer.caller.failed(error, Act.RECEIPTS)
            return moved
        deliverer.caller.succeeded(Act.RECEIPTS)
        if found or following != cursor:
            again = following == cursor or cursor in deliverer.receipt_cycle
            moved += await _apply(deliverer, _ours(deliverer, found), following, again=again)
        if not found or following in read:
            deliverer.receipt_cycle = frozenset(read if found else ())
            return moved
        read.add(following)
        cursor = following
    return moved


async def _page(deliverer: Deliverer, cursor: str) -> tuple[list[Receipt], str]:
    limit = deliverer.connector.limits.call_timeout + PAGE_MARGIN
    async with asyncio.timeout(limit.total_seconds()):
        return await deliverer.connector.receipts(cursor)


def _ours(deliverer: Deliverer, found: Sequence[Receipt]) -> list[MatchedReceipt]:
    return [
        MatchedReceipt(id_, r.accepted, r.reasons, r.platform_at, r.reference)
        for r in found
        if (id_ := delivery_of(deliverer.installation, r.key)) is not None
    ]


async def _apply(
    deliverer: Deliverer, answers: Sequence[MatchedReceipt], cursor: str, *, again: bool
) -> int:
    """Apply a page with its cursor; a receipt that cannot be stored is left out and logged."""
    try:
        return await _applied(deliverer, answers, cursor, again=again)
    except BadData:
        if not answers:
            raise
        moved = 0
        for one in answers:
            try:
                moved += await _applied(deliverer, [one], None, again=again)
            except BadData:
                extra = {"destination": deliverer.name, "delivery": one.delivery_id}
                logger.exception(LogEvent.RECEIPT_FAILED, extra=extra)
        await _applied(deliverer, [], cursor, again=again)
        return moved


async def _applied(
    deliverer: Deliverer, answers: Sequence[MatchedReceipt], cursor: str | None, *, again: bool
) -> int:
    now = deliverer.clock()
    async with deliverer.database.transaction() as connection:
        moved = await receipts.apply_receipts(connection, deliverer.name, answers, now, again=again)
        if cursor is not None:
            await destinations.set_receipts_cursor(connection, deliverer.name, cursor)
    return moved
