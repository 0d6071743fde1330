"""Read the JSON feeds of a platform: receipts 回执, the listing 公示清单, and health.

A feed is read row by row: one that cannot be read is left out and logged, and the others count.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from connectors.errors import ConnectorError, OutcomeUnknown
from connectors.shared.http_client import HttpClient
from connectors.shared.http_settings import under
from connectors.shared.http_wire import logger
from connectors.shared.lenient import (
    Key,
    MaybeText,
    MaybeTime,
    Texts,
    in_china,
    key_text,
    list_of,
    some_text,
)
from connectors.shared.words import reason, without_secrets
from connectors.shared.wrapper import JsonWrapper
from schemas.base import AwareDatetime, storable
from schemas.delivery import Health, Listed, ListingMark, Receipt

#: Pages of one listing at most.
MOST_PAGES = 20_000
#: Bytes of a cursor at most: it goes into a URL.
LONGEST_CURSOR = 4096
#: Rows that are logged of one page, if they cannot be read.
MOST_LOGGED = 20
#: Rows of a page that are read at once; then all else has its turn.
SLICE = 500


class _Wire(BaseModel):
    """Base of the platform's messages; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


W = TypeVar("W", bound=_Wire)


class _ReceiptRow(_Wire):
    key: Key
    accepted: bool
    reasons: Texts = ()
    platform_at: MaybeTime = None
    reference: MaybeText = None


class _ListingPage(_Wire):
    complete_until: MaybeTime = None


def _code(value: Any) -> Any:
    return "" if value is None else key_text(value)


class _ListedRow(_Wire):
    record_kind: str
    document_number: str
    #: Empty where the platform hides it, as of a natural person.
    subject_code: Annotated[str, BeforeValidator(_code)] = ""
    columns: dict[str, Annotated[str, BeforeValidator(some_text)]]
    shown_at: AwareDatetime


#: The rows of a slice are read at once, which is quick; one by one only where that fails.
_LISTS: Mapping[type[_Wire], TypeAdapter[Any]] = {
    shape: TypeAdapter(list[shape])  # type: ignore[valid-type]  # a class in a loop
    for shape in (_ReceiptRow, _ListedRow)
}


class Feeds:
    """The feeds of one platform.

    `zoned`: times without a zone are those of China; otherwise they cannot be read.
    """

    def __init__(self, http: HttpClient, wrapper: JsonWrapper, *, zoned: bool) -> None:
        self._http = http
        self._wrapper = wrapper
        self._zoned = zoned

    async def receipts(self, url: str, cursor: str) -> tuple[list[Receipt], str]:
        """Return one page of receipts after a cursor, and the next cursor.

        On the last page the next cursor may be null: it is asked for again then.
        """
        asked = cursor if _is_usable(cursor) else ""
        page = await self._page(url, cursor=asked)
        following = asked if page.get("cursor", "") is None else key_text(page.get("cursor"))
        if not isinstance(following, str) or not _is_usable(following):
            raise OutcomeUnknown("应答不是约定的格式：cursor")
        receipts: list[Receipt] = []
        async for rows in self._rows(page, "receipts", _ReceiptRow, "platform_at"):
            receipts += map(_receipt, rows)
        return receipts, following

    async def listing(self, url: str, since: datetime) -> AsyncIterator[Listed | ListingMark]:
        """Yield every row of the listing, page by page; raises OutcomeUnknown if a cursor repeats.

        A row that comes again on a later page was moved there by new ones before it. Some hundred
        bytes are held of each row.
        """
        cursor: str | None = ""
        seen: set[str] = set()
        marks: list[datetime] = []
        before: set[bytes] = set()
        while cursor is not None and cursor not in seen and len(seen) < MOST_PAGES:
            seen.add(cursor)
            page = await self._page(url, since=since.isoformat(), cursor=cursor)
            marks += self._complete_until(page)
            here: set[bytes] = set()
            async for rows in self._rows(page, "rows", _ListedRow, "shown_at"):
                for row in rows:
                    here.add(said := _mark(row))
                    if said not in before:
                        yield _listed(row)
            before |= here
            cursor = key_text(page.get("cursor")) or None
            if cursor is not None and not (isinstance(cursor, str) and _is_usable(cursor)):
                raise OutcomeUnknown("应答不是约定的格式：cursor")
        if cursor is not None:
            raise OutcomeUnknown("公示清单翻不完：翻页标记重复")
        for mark in sorted(marks)[:1]:
            yield ListingMark(complete_until=mark)

    def _complete_until(self, page: Mapping[str, Any]) -> list[datetime]:
        """Return up to when a page says that the listing is complete, if it can be read."""
        said = _ListingPage.model_validate(self._in_time(page, "complete_until")).complete_until
        return [] if said is None else [said]

    async def health(self, url: str) -> Health:
        """Return whether the platform answers; a failure is in the result, not raised."""
        try:
            await self._http.ask("GET", url)
        except ConnectorError as exc:
            return Health(ok=False, detail=str(exc))
        return Health(ok=True)

    async def _page(self, url: str, **query: str) -> Mapping[str, Any]:
        answer = await self._http.ask("GET", under(url, "", **query))
        page = self._wrapper.opened(answer.json())
        if not isinstance(page, dict):
            raise OutcomeUnknown("应答不是约定的格式")
        return page

    async def _rows(
        self, page: Mapping[str, Any], name: str, shape: type[W], time: str
    ) -> AsyncIterator[list[W]]:
        """Yield the rows that can be read, in slices; raises OutcomeUnknown if there is no list."""
        found = list_of(page, name)
        odd: list[tuple[Any, ValidationError]] = []
        count = 0
        for start in range(0, len(found), SLICE):
            rows = found[start : start + SLICE]
            read, unread = _read(
                shape, [self._in_time(r, time) for r in rows] if self._zoned else rows
            )
            count += len(unread)
            odd += unread[: MOST_LOGGED - len(odd)]
            yield read
            await asyncio.sleep(0)
        _log(name, odd, count)

    def _in_time(self, row: Any, name: str) -> Any:
        """Return a row whose time has a zone, if times without one are known to be of China."""
        if not isinstance(row, dict) or not isinstance(row.get(name), str):
            return row
        return row | {name: in_china(row[name])}


def _is_usable(cursor: str) -> bool:
    """Whether a cursor can go into a URL and be stored."""
    try:
        return len(cursor.encode()) <= LONGEST_CURSOR and "\x00" not in cursor
    except UnicodeEncodeError:
        return False


def _read(shape: type[W], rows: list[Any]) -> tuple[list[W], list[tuple[Any, ValidationError]]]:
    """Return the rows that can be read, and the others with their errors."""
    try:
        return _LISTS[shape].validate_python(rows), []
    except ValidationError:
        pass
    read: list[W] = []
    odd = []
    for row in rows:
        try:
            read.append(shape.model_validate(row))
        except ValidationError as exc:
            odd.append((row, exc))
    return read, odd


def _receipt(row: _ReceiptRow) -> Receipt:
    return Receipt(
        key=row.key,
        accepted=row.accepted,
        reasons=tuple(map(reason, row.reasons)),
        platform_at=row.platform_at,
        reference=None if row.reference is None else without_secrets(row.reference),
    )


def _log(name: str, odd: Sequence[tuple[Any, ValidationError]], count: int) -> None:
    """Log rows that could not be read, without their values, which may be personal."""
    for row, error in odd:
        key = row.get("key") or row.get("document_number") if isinstance(row, dict) else None
        places = ", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:3])
        extra = {"feed": name, "row": reason(str(key))[:100], "places": places, "count": count}
        logger.warning("feed_row_unreadable", extra=extra)


def _mark(row: _ListedRow) -> bytes:
    """Return a hash of all that a row says."""
    said = {**dict(row), "columns": sorted(row.columns.items())}
    return hashlib.blake2b(repr(said).encode(), digest_size=16).digest()


def _listed(row: _ListedRow) -> Listed:
    """Return a row without what cannot be stored."""
    given = dict(row)
    texts = (row.document_number, row.subject_code, *row.columns, *row.columns.values())
    if "\x00" in "".join(texts):
        given["columns"] = {storable(n): storable(v) for n, v in row.columns.items()}
        given["document_number"] = storable(row.document_number)
        given["subject_code"] = storable(row.subject_code)
    return Listed.model_construct(**given)
