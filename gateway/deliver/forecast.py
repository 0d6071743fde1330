"""Predicted breaches 预计超期: deliveries that will be late at the present call time."""

from gateway.deliver.deliverer import Deliverer
from gateway.store.deliver import overdue


async def predict(deliverer: Deliverer) -> int:
    """Count deliveries that will be late: work ahead × recent p95 call time; set the gauges.

    Only the owner of the destination counts: it alone knows the call times.
    """
    if not deliverer.is_owner:
        deliverer.metrics.predicted_breaches.labels(deliverer.name).set(0)
        deliverer.metrics.silent_receipts.labels(deliverer.name).set(0)
        return 0
    seconds, now = deliverer.caller.seconds_an_item(), deliverer.clock()
    async with deliverer.database.transaction() as connection:
        late = await overdue.predicted_breaches(connection, deliverer.name, now, seconds)
        before = now - deliverer.destination.receipt_within
        silent = await overdue.silent_receipts(connection, deliverer.name, before)
    deliverer.metrics.predicted_breaches.labels(deliverer.name).set(late)
    deliverer.metrics.silent_receipts.labels(deliverer.name).set(silent)
    return late
