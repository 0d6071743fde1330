"""Ask a destination that stays silent after the hand-over 送达后无回执 what it has."""

from connectors.protocol import OnUnknown
from gateway.deliver.deliverer import Deliverer
from gateway.store.deliver import silent
from gateway.telemetry.log import LogEvent, logger


async def ask(deliverer: Deliverer) -> int:
    """Let what was handed over `silent_after` ago be looked up, once; return how many.

    Only the owner of the destination asks, and only where a look-up finds out. Elsewhere, and
    where the look-up finds nothing new, a person has to act: the work list says so.
    """
    finds = deliverer.connector.limits.on_unknown in {OnUnknown.LOOK_UP, OnUnknown.LISTING}
    if not (finds and deliverer.is_owner):
        return 0
    now = deliverer.clock()
    async with deliverer.database.transaction() as connection:
        before = now - deliverer.destination.silent_after
        count = await silent.ask(connection, deliverer.name, before, now)
    if count:
        extra = {"destination": deliverer.name, "count": count}
        logger.warning(LogEvent.SILENT_ASKED, extra=extra)
    return count
