"""Receipts 回执 of an exchange database: rows with a check sign, and rows that were moved."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, or_, select

from connectors.exchange_database.rows import Staging, column_of, value_for
from schemas.base import SHANGHAI
from schemas.delivery import Receipt

#: Rows of a page.
PAGE = 500
#: A row that is committed late may have an earlier time than the last one that was read.
_OVERLAP = timedelta(minutes=10)


class Cursor(NamedTuple):
    """Where reading goes on: in which feed, behind which key, and of what was moved since when."""

    feed: int = 0
    key: str = ""
    at: str = ""  #: time of the last row of the page before, within a feed of moved rows
    since: Mapping[str, str] = {}  #: by kind: from when what was moved is read


def page(
    connection: Connection, tables: Mapping[str, Staging], cursor: str
) -> tuple[list[Receipt], str]:
    """Return the next receipts, and where the next page begins; a round ends with an empty page."""
    place = _read(cursor)
    feeds = [(kind, moved) for kind in sorted(tables) for moved in (False, True)]
    while place.feed < len(feeds):
        kind, is_moved = feeds[place.feed]
        if is_moved:
            found, place = _moved(connection, kind, tables[kind], place)
        else:
            found, place = _checked(connection, tables[kind], place)
        if found:
            return found, _written(place)
    return [], _written(Cursor(since=place.since))


def _checked(
    connection: Connection, staging: Staging, place: Cursor
) -> tuple[list[Receipt], Cursor]:
    """Return receipts of rows with a sign, in the order of their keys."""
    settings = staging.settings
    over = Cursor(place.feed + 1, since=place.since)
    if settings.check_column is None:
        return [], over
    key, sign = staging.column(settings.key_column), staging.column(settings.check_column)
    cause = sign if settings.cause_column is None else staging.column(settings.cause_column)
    signs = [value_for(sign, one) for one in sorted(settings.passed | settings.failed)]
    asked = select(key, sign, cause).where(key > place.key, sign.in_(signs))
    rows = connection.execute(asked.order_by(key).limit(PAGE)).all()
    receipts = [
        _receipt(str(row[0]).strip(), str(row[1]).strip() in settings.passed, row[2])
        for row in rows
    ]
    if len(rows) < PAGE:
        return receipts, over
    return receipts, place._replace(key=receipts[-1].key)


def _receipt(key: str, accepted: bool, cause: Any) -> Receipt:
    reasons = () if accepted else (f"平台校验未通过：{cause or '没有写原因'}",)
    return Receipt(key=key, accepted=accepted, reasons=reasons)


def _moved(
    connection: Connection, kind: str, staging: Staging, place: Cursor
) -> tuple[list[Receipt], Cursor]:
    """Return receipts of rows that were moved, in the order of their times."""
    settings = staging.settings.moved_to
    if settings is None or staging.moved is None:
        return [], Cursor(place.feed + 1, since=place.since)
    key = column_of(staging.moved, settings.key_column)
    at = column_of(staging.moved, settings.time_column)
    asked = select(key, at).where(at.is_not(None), key.is_not(None))
    since = place.since.get(kind)
    if place.at:
        last = value_for(at, datetime.fromisoformat(place.at))
        asked = asked.where(or_(at > last, and_(at == last, key > place.key)))
    elif since is not None:
        asked = asked.where(at >= value_for(at, datetime.fromisoformat(since)))
    rows = connection.execute(asked.order_by(at, key).limit(PAGE)).all()
    receipts = [
        Receipt(key=str(row[0]).strip(), accepted=True, platform_at=_time(row[1])) for row in rows
    ]
    last_at = _naive(rows[-1][1]).isoformat() if rows else ""
    if len(rows) == PAGE:
        return receipts, place._replace(key=receipts[-1].key, at=last_at)
    known = dict(place.since)
    if rows:
        known[kind] = (datetime.fromisoformat(last_at) - _OVERLAP).isoformat()
    return receipts, Cursor(place.feed + 1, since=known)


def _naive(value: Any) -> datetime:
    """Return a time of the database without a zone; a text is read as ISO 8601."""
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001  as the database has it
    return _naive(datetime.fromisoformat(str(value).strip()))


def _time(value: Any) -> datetime:
    """Return a time of the platform, which is in China."""
    return _naive(value).replace(tzinfo=SHANGHAI).astimezone(UTC)


def _read(cursor: str) -> Cursor:
    if not cursor:
        return Cursor()
    feed, key, at, since = orjson.loads(cursor)
    return Cursor(feed, key, at, since)


def _written(place: Cursor) -> str:
    fields: Sequence[Any] = (place.feed, place.key, place.at, dict(place.since))
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
