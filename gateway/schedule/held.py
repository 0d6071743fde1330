"""Look at held deliveries 待补正 again: time or the configuration may have removed the problem."""

from datetime import date, datetime

from gateway.batch import tell_apart
from gateway.decide.decider import Decider
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import held
from gateway.store.deliver.held import Held
from gateway.telemetry.log import LogEvent, logger
from schemas.base import today
from schemas.problem import Rule

#: Held deliveries looked at in one transaction.
SLICE = 500


async def release_held(database: Database, decider: Decider, now: datetime) -> int:
    """Free the held deliveries that nothing holds any more; return how many."""
    released, after = 0, 0
    while True:
        async with database.transaction() as connection:
            found = await held.page(connection, after, SLICE)
            released += await _release(connection, decider, found, today(now))
        if not found:
            return released
        after = found[-1].id


async def _release(connection: Connection, decider: Decider, found: list[Held], day: date) -> int:
    """Free those of a page that lack nothing; they follow the others of their chains."""
    free = [one for one in found if not is_lacking(decider, one, day)]
    if not free:
        return 0
    released = await held.release(connection, free)
    versions, only = [one.version_id for one in free], [one.id for one in free]
    await tell_apart(connection, decider, versions, only)
    logger.info(LogEvent.HELD_RELEASED, extra={"count": released})
    return released


def is_lacking(decider: Decider, one: Held, day: date) -> bool:
    """Whether a column that the destination requires is still missing or faulty."""
    still = frozenset(
        problem["field"]
        for problem in one.problems
        if problem["rule"] != Rule.FUTURE or one.decision_date > day
    )
    return bool(decider.lacking(one.destination, one.kind, still, frozenset(one.columns)))
