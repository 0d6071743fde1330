"""Times between Python and PostgreSQL: quickly, and also those beyond the range of Python."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

#: PostgreSQL counts microseconds from this time.
_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
#: The bounds of what is read, a day within those of Python, so that each has a local time.
_FIRST_TIME = datetime(1, 1, 2, tzinfo=UTC)
_LAST_TIME = datetime(9999, 12, 30, tzinfo=UTC)


def _from_time(at: datetime) -> tuple[int]:
    return _since_epoch(at, at.fold)


@lru_cache(maxsize=1024)
def _since_epoch(at: datetime, fold: int) -> tuple[int]:
    """Convert a time; `fold` is in the cache key, since times of either fold count as equal."""
    del fold
    return ((at - _EPOCH) // _MICROSECOND,)


def _to_time(since: tuple[int]) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=since[0])
    except OverflowError:  # PostgreSQL has times, and infinities, beyond those of Python
        return _FIRST_TIME if since[0] < 0 else _LAST_TIME


def read_and_write_times(connection: Any, record: object) -> None:
    """Convert times with a cache, since a batch writes the same time to thousands of rows.

    asyncpg's own codec takes 1.6 µs for each value, a tenth of intake; other types take 0.1 µs.
    """
    del record
    codec = {"encoder": _from_time, "decoder": _to_time, "format": "tuple"}
    connection.run_async(
        lambda driver: driver.set_type_codec("timestamptz", schema="pg_catalog", **codec)
    )
