"""The connector `platform-json`: JSON rows, an answer for each row, look-up by our key."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from connectors.errors import ConnectorError, OutcomeUnknown
from connectors.platform_api.feeds import Feeds
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock
from connectors.shared.guomi_settings import HeaderName
from connectors.shared.http_client import HttpClient
from connectors.shared.http_read import Answer
from connectors.shared.http_settings import HeaderSecret, HttpClientSettings, under
from connectors.shared.layout import RowLayout, shown_as_ours, table_of
from connectors.shared.layout_checks import fitting
from connectors.shared.lenient import (
    Key,
    MaybeSeconds,
    MaybeText,
    MaybeTime,
    Texts,
    in_china,
    key_text,
    list_of,
)
from connectors.shared.parts import UNKNOWN, BatchRefused, BatchSize, by, halves, send_parts
from connectors.shared.words import reason, without_secrets
from connectors.shared.wrapper import JsonWrapper
from schemas.delivery import Health, Item, Listed, ListingMark, Outcome, OutcomeKind, Receipt
from schemas.destination import TakenTable

_STATUS = {
    "accepted": OutcomeKind.ACCEPTED,
    "submitted": OutcomeKind.SUBMITTED,
    "rejected": OutcomeKind.REJECTED,
    "retry": OutcomeKind.DEFERRED,
    "absent": OutcomeKind.DEFERRED,
}


class PlatformJsonSettings(HttpClientSettings):
    """Configuration of a `platform-json` destination."""

    batch_size: int = Field(default=100, ge=1, le=5000, title="每批条数")
    api_key: HeaderSecret | None = Field(default=None, title="接口密钥")
    api_key_header: HeaderName = Field(default="X-Api-Key", title="接口密钥的请求头")
    wrapper: JsonWrapper = Field(default=JsonWrapper(), title="应答的外层")
    times_of_china: bool = Field(default=False, title="没有时区的时间是北京时间")
    tables: Annotated[dict[TakenTable, RowLayout], AfterValidator(fitting)] = Field(
        default={}, title="平台的列，按记录种类；不写的照标准"
    )


class _Row(BaseModel):
    """The platform's answer about one row."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: Key
    status: Literal["accepted", "submitted", "rejected", "retry", "absent"]
    reasons: Texts = ()
    retry_after: MaybeSeconds = None
    platform_at: MaybeTime = None
    reference: MaybeText = None


class PlatformJson:
    """A platform that takes rows as JSON and can look up each row by our key."""

    def __init__(self, settings: PlatformJsonSettings, now: Clock) -> None:
        self.limits = Limits(
            batch_size=settings.batch_size,
            concurrency=settings.concurrency,
            on_unknown=OnUnknown.LOOK_UP,
            call_timeout=settings.call_timeout,
            has_receipts=True,
            has_listing=True,
        )
        self._url = settings.url
        self._size = BatchSize(settings.batch_size)
        self._lookups = BatchSize(settings.batch_size)
        headers = {"Content-Type": "application/json"}
        if settings.api_key is not None:
            headers[settings.api_key_header] = settings.api_key.get_secret_value()
        self._http = HttpClient(settings, now, headers, settings.wrapper.says_expired)
        self._wrapper = settings.wrapper
        self._tables = settings.tables
        self._zoned = settings.times_of_china
        self._feeds = Feeds(self._http, settings.wrapper, zoned=settings.times_of_china)

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Send the rows; each gets the outcome that the answer has for its key.

        They go in one call, or in smaller ones where the platform has refused larger ones.
        """
        if not items:
            return []
        parts = self._size.parts(items)
        return await send_parts(parts, self._send, self.limits.call_timeout, self._size)

    async def _send(self, items: Sequence[Item]) -> list[Outcome]:
        rows = [wire_row(item, self._tables.get(table_of(self._tables, item))) for item in items]
        content = orjson.dumps({"items": rows}, default=str)
        answer = await self._http.ask("POST", under(self._url, "records"), content, rows=len(items))
        return self._outcomes(items, answer, absent=False)

    def _outcomes(self, items: Sequence[Item], answer: Answer, *, absent: bool) -> list[Outcome]:
        body = self._wrapper.opened(answer.json())
        return row_outcomes(items, body, absent=absent, zoned=self._zoned)

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Ask the platform about the rows; raises OutcomeUnknown if that fails.

        It never raises NotSent, because the caller would then send the rows again. What was
        answered in time counts, and so does a row that the platform refuses to be asked about.
        """
        waiting, found = deque(self._lookups.parts(items)), list[Outcome]()
        deadline = asyncio.get_running_loop().time() + self.limits.call_timeout.total_seconds()
        largest = 0
        fault: ConnectorError | None = None
        while waiting and (fault is None or isinstance(fault, BatchRefused)):
            part = waiting.popleft()
            try:
                found += await by(deadline, self._looked_up, part)
                largest = max(largest, len(part))
                self._lookups.passed(len(part))
            except ConnectorError as exc:
                fault = exc
                if isinstance(exc, BatchRefused) and len(part) > 1:
                    self._lookups.settled(len(part) // 2)
                    waiting.extendleft(reversed(halves(part)))
                else:
                    found += [UNKNOWN] * len(part)
        if fault is not None and not largest:
            raise OutcomeUnknown(str(fault), fault.retry_after) from fault
        return found + [UNKNOWN] * (len(items) - len(found))

    async def _looked_up(self, items: Sequence[Item]) -> list[Outcome]:
        content = orjson.dumps({"keys": [item.key for item in items]})
        at = under(self._url, "lookup")
        answer = await self._http.ask("POST", at, content, rows=len(items))
        return self._outcomes(items, answer, absent=True)

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return the receipts after a cursor; the first cursor is the empty text."""
        return await self._feeds.receipts(under(self._url, "receipts"), cursor)

    async def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:
        """Yield the rows that the platform has published since a time, in our layout."""
        async for row in self._feeds.listing(under(self._url, "listing"), since):
            if isinstance(row, Listed) and self._tables:
                columns = shown_as_ours(self._tables, row.record_kind, row.columns)
                yield row.model_copy(update={"columns": columns})
            else:
                yield row

    async def health(self) -> Health:
        """Return whether the platform answers."""
        return await self._feeds.health(under(self._url, "health"))

    async def close(self) -> None:
        """Close every connection."""
        await self._http.close()


def wire_row(item: Item, table: RowLayout | None = None) -> dict[str, Any]:
    """Return one item as a row of the interface, in the layout of its kind."""
    return {
        "key": item.key,
        "kind": item.record_kind,
        "verb": item.verb.value,
        "version": item.version,
        "columns": item.columns if table is None else table.values(item),
    }


def row_outcomes(
    items: Sequence[Item], body: Any, *, absent: bool, zoned: bool = False
) -> list[Outcome]:
    """Return the outcome of each item from the answer row with its key.

    No row, two different rows or an invalid row is unknown. An answer without a list of results
    raises OutcomeUnknown. `absent` is true for look-ups; `zoned` times without a zone are China's.
    """
    results = list_of(body if isinstance(body, dict) else {}, "results")
    found: dict[str, Outcome] = {}
    asked = {item.key for item in items}
    for result in results:
        key = key_text(result.get("key")) if isinstance(result, dict) else None
        if isinstance(key, str) and key in asked:
            if zoned and "platform_at" in result:
                result |= {"platform_at": in_china(result["platform_at"])}
            outcome = _outcome(result, absent=absent)
            same = found.get(key, outcome).kind is outcome.kind
            found[key] = found.get(key, outcome) if same else UNKNOWN
    return [found.get(item.key, UNKNOWN) for item in items]


def _outcome(result: dict[str, Any], *, absent: bool) -> Outcome:
    try:
        row = _Row.model_validate(result)
    except ValidationError:
        return UNKNOWN
    if (row.status == "absent") and not absent:
        return UNKNOWN
    if row.status == "retry" and absent:
        return UNKNOWN
    return Outcome(
        kind=_STATUS[row.status],
        reasons=tuple(map(reason, row.reasons)),
        retry_after=None if row.retry_after is None else timedelta(seconds=row.retry_after),
        platform_at=row.platform_at,
        reference=None if row.reference is None else without_secrets(row.reference),
        absent=row.status == "absent",
    )
