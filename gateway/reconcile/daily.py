"""Compare every side once a day 每日对账; a run that failed or was cut off is done again."""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta

from connectors.errors import ConnectorError
from gateway.config.clock import Clock
from gateway.reconcile.keep import Reconciled
from gateway.reconcile.register import RegisterUnread
from gateway.reconcile.run import usual_span
from gateway.store.account import reconcile_runs
from gateway.store.account.reconcile_runs import Run
from gateway.store.base.engine import Database
from gateway.telemetry.log import LogEvent, logger
from schemas.base import SHANGHAI, today

#: A run that has not finished after so long was cut off, or failed: it is tried again.
ABANDONED = timedelta(hours=1)

#: Compares one side over the days of a run.
Compare = Callable[[Run], Awaitable[Reconciled]]


async def failed(database: Database, run: Run, error: Exception) -> None:
    """Keep why a run did not come to its end, for the people who look at it."""
    async with database.transaction() as connection:
        await reconcile_runs.fail(connection, run.id, str(error)[:500])


async def reconcile_daily(
    database: Database, side: str, at: time, clock: Clock, compare: Compare
) -> Reconciled | None:
    """Compare a side if the time of day has come and nobody has done it since.

    A side that cannot be read is logged, and tried again an hour later.
    """
    now = clock()
    begins = datetime.combine(today(now), at, SHANGHAI)
    if now < begins:
        return None
    span = usual_span(now)
    wanted = Run(0, side, span.first, span.end, now)
    async with database.transaction() as connection:
        run = await reconcile_runs.begin_once(connection, wanted, begins, now - ABANDONED)
    if run is None:
        return None
    try:
        done = await compare(run)
    except (ConnectorError, RegisterUnread) as error:
        logger.warning(LogEvent.RECONCILE_FAILED, extra={"side": side, "error": str(error)})
        await failed(database, run, error)
        return None
    changes = done.changes
    told = {"found": done.run.found, "opened": changes and changes.opened}
    if done.run.unread:
        told["unread"] = done.run.unread
    extra = {"side": side, **told, "mended": changes and changes.mended}
    logger.info(LogEvent.RECONCILED, extra=extra)
    return done
