"""Receipts 回执 of an exchange database: rows with a check sign, and rows that were moved."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Column, Connection, func, select

from connectors.exchange_database.rows import Staging, column_of
from connectors.exchange_database.values import midnight, python_type, value_for
from schemas.base import SHANGHAI
from schemas.delivery import Receipt

#: No platform moved a row before that.
_FIRST = datetime(2000, 1, 1)  # noqa: DTZ001  as the database has it
#: Rows of a page.
PAGE = 500
#: A row that is committed late may have an earlier time than the last one that was read.
_OVERLAP = timedelta(minutes=10)
#: How platforms write a time as text; a fraction of a second follows a point.
_FORMATS = (
    *("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S"),
    *("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"),
)


class Cursor(NamedTuple):
    """Where reading goes on: in which feed of which round, behind which key.

    The round makes each cursor a new one: a row that is refused again, with the same words, makes
    a page that looks like the one before.
    """

    round: int = 0
    feed: int = 0
    key: str = ""
    until: str | None = None  #: of moved rows: from when the next round reads them
    since: Mapping[str, str] = {}  #: by kind: from when what was moved is read


def page(
    connection: Connection, tables: Mapping[str, Staging], cursor: str, now: datetime
) -> tuple[list[Receipt], str]:
    """Return the next receipts, and where the next page begins; a round ends with an empty page."""
    place = Cursor(*orjson.loads(cursor)) if cursor else Cursor()
    feeds = [(kind, moved) for kind in sorted(tables) for moved in (False, True)]
    while place.feed < len(feeds):
        kind, is_moved = feeds[place.feed]
        if is_moved:
            found, place = _moved(connection, kind, tables[kind], place, now)
        else:
            found, place = _checked(connection, tables[kind], place)
        if found:
            return found, _written(place)
    return [], _written(Cursor(place.round + 1, since=place.since))


def _written(place: Cursor) -> str:
    return orjson.dumps(tuple(place), option=orjson.OPT_SORT_KEYS).decode()


def _next_feed(place: Cursor) -> Cursor:
    return place._replace(feed=place.feed + 1, key="", until=None)


def _checked(
    connection: Connection, staging: Staging, place: Cursor
) -> tuple[list[Receipt], Cursor]:
    """Return receipts of rows with a sign, in the order of their keys."""
    settings = staging.settings
    if settings.check_column is None:
        return [], _next_feed(place)
    key, sign = staging.column(settings.key_column), staging.column(settings.check_column)
    cause = sign if settings.cause_column is None else staging.column(settings.cause_column)
    asked = select(key, sign, cause).where(sign.in_([*staging.passed, *staging.failed]))
    rows, following = _rows(connection, asked, key, place)
    receipts = []
    for row in rows:
        accepted = staging.verdict(row[1])
        if accepted is not None:
            words = None if settings.cause_column is None else row[2]
            reasons = () if accepted else (staging.words_of(words),)
            receipts.append(_receipt(row[0], accepted=accepted, reasons=reasons))
    return receipts, following


def _rows(
    connection: Connection, asked: Any, key: Column[Any], place: Cursor
) -> tuple[Sequence[Any], Cursor]:
    """Return the next rows in the order of their keys, and where those behind them begin."""
    asked = asked.where(key.is_not(None))
    if place.key:  # of Oracle nothing is greater than an empty text, which is null
        asked = asked.where(key > place.key)
    rows = connection.execute(asked.order_by(key).limit(PAGE)).all()
    if len(rows) < PAGE:
        return rows, _next_feed(place)
    return rows, place._replace(key=str(rows[-1][0]) or " ")


def _receipt(key: Any, *, accepted: bool, reasons: Sequence[str] = (), at: Any = None) -> Receipt:
    key = str(key).strip()
    return Receipt(key=key, accepted=accepted, reasons=tuple(reasons), platform_at=_time(at))


def _moved(
    connection: Connection, kind: str, staging: Staging, place: Cursor, now: datetime
) -> tuple[list[Receipt], Cursor]:
    """Return receipts of rows that were moved since the round before, in the order of their keys.

    One without a time is told in the first round only; after that a look-up finds it.
    """
    settings = staging.settings.moved_to
    if settings is None or staging.moved is None:
        return [], _next_feed(place)
    key = column_of(staging.moved, settings.key_column)
    at = column_of(staging.moved, settings.time_column)
    since = place.since.get(kind)
    if place.until is None:
        place = place._replace(until=_next_since(connection, at, now) or since or "")
    asked = select(key, at)
    if since:
        asked = asked.where(at >= _bound(at, since))
    rows, following = _rows(connection, asked, key, place)
    receipts = [_receipt(row[0], accepted=True, at=row[1]) for row in rows]
    if following.feed != place.feed and place.until:
        following = following._replace(since={**place.since, kind: place.until})
    return receipts, following


def _next_since(connection: Connection, at: Column[Any], now: datetime) -> str | None:
    """Return from when the next round reads: a little before the latest time that is there.

    A time in the future says nothing, nor does a text that does not sort as it should: then as much
    is read again as in this round.
    """
    here = now.astimezone(SHANGHAI).replace(tzinfo=None)
    latest = select(func.max(at))
    if not _is_text(at):
        latest = latest.where(at <= value_for(at, here))
    value = connection.execute(latest).scalar()
    read = _read(value)
    if read is None or read[0] > here or read[0] < _FIRST:
        return None
    before = read[0] - _OVERLAP
    if not _is_text(at):
        return before.isoformat()
    written = read[0].strftime(read[1])
    return before.strftime(read[1]) if str(value).strip().startswith(written) else None


def _is_text(at: Column[Any]) -> bool:
    return python_type(at) is str


def _bound(at: Column[Any], since: str) -> Any:
    return since if _is_text(at) else value_for(at, datetime.fromisoformat(since))


def _read(value: Any) -> tuple[datetime, str] | None:
    """Return a time of the database without a zone, and how it is written; None if it is none."""
    if isinstance(value, datetime):
        return (value.astimezone(SHANGHAI).replace(tzinfo=None) if value.tzinfo else value), ""
    if isinstance(value, date):
        return midnight(value), ""
    text = str(value).strip().partition(".")[0]
    for written in _FORMATS:
        try:
            return datetime.strptime(text, written), written  # noqa: DTZ007  as the database has it
        except ValueError:
            continue
    return None


def _time(value: Any) -> datetime | None:
    """Return a time of the platform, which is in China; None if it cannot be one."""
    try:
        read = _read(value)
        return None if read is None else read[0].replace(tzinfo=SHANGHAI).astimezone(UTC)
    except OverflowError:  # the year 1
        return None
