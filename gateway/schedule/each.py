"""Do several parts of the scheduled work, each for itself."""

from collections.abc import Awaitable, Callable

from gateway.store.base.engine import DatabaseAway, DatabaseBusy
from gateway.telemetry.log import LogEvent, logger


async def each(*parts: Callable[[], Awaitable[object]]) -> None:
    """Do each part; one that fails, or waits too long, does not keep the others from being done.

    Raises:
        DatabaseAway: the parts behind it were not done.
        DatabaseBusy: a part waited too long; all others were done.
    """
    busy: DatabaseBusy | None = None
    for part in parts:
        try:
            await part()
        except DatabaseBusy as error:
            busy = error
        except DatabaseAway:
            raise
        except Exception:  # noqa: BLE001  the other parts must not wait for its repair
            logger.exception(LogEvent.WORK_FAILED, extra={"work": "schedule"})
    if busy is not None:
        raise busy
