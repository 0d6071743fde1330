"""Receipts 回执: read them page by page and move the deliveries that they answer."""

from collections.abc import Sequence

from connectors.errors import ConnectorError
from gateway.deliver.deliverer import Deliverer
from gateway.deliver.item import delivery_of
from gateway.store.deliver import destinations, receipts
from gateway.store.deliver.receipts import MatchedReceipt


async def receive(deliverer: Deliverer) -> int:
    """Read the receipts since the last one read; return how many moved a delivery."""
    if not deliverer.connector.limits.has_receipts or deliverer.is_quiet:
        return 0
    if not await deliverer.owns():
        return 0
    moved = 0
    while True:
        async with deliverer.database.transaction() as connection:
            cursor = await destinations.receipts_cursor(connection, deliverer.name)
        try:
            found, following = await deliverer.connector.receipts(cursor)
        except ConnectorError as error:
            await deliverer.caller.failed(error)
            return moved
        if not found:
            return moved
        answers = [
            MatchedReceipt(id_, r.accepted, r.reasons, r.platform_at, r.reference)
            for r in found
            if (id_ := delivery_of(deliverer.installation, r.key)) is not None
        ]
        moved += await _apply(deliverer, answers, following)


async def _apply(deliverer: Deliverer, answers: Sequence[MatchedReceipt], cursor: str) -> int:
    now = deliverer.clock()
    async with deliverer.database.transaction() as connection:
        moved = await receipts.apply_receipts(connection, deliverer.name, answers, now)
        await destinations.set_receipts_cursor(connection, deliverer.name, cursor)
    return moved
