"""The connector `platform-soap`: InterfaceUploadService of 信用信息共享平台 (ARCHITECTURE.md).

It has no look-up; sending again is safe, because the platform answers 20001 for a known row.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from connectors.errors import CallRejected, ConnectorError, OutcomeUnknown
from connectors.platform_api.feeds import Feeds
from connectors.platform_api.soap_answer import SoapAnswer, parse
from connectors.platform_api.soap_envelope import envelope, payload
from connectors.platform_api.soap_rows import (
    REPEAT,
    RowMark,
    Unmatched,
    mark_of,
    outcomes,
    refusal,
    row_of,
)
from connectors.platform_api.soap_settings import PlatformSoapSettings
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock
from connectors.shared.http_client import HttpClient
from connectors.shared.http_settings import under
from connectors.shared.layout import table_of
from connectors.shared.parts import (
    UNKNOWN,
    BatchRefused,
    BatchSize,
    halves,
    nothing_listed,
    send_parts,
)
from connectors.shared.words import reason
from connectors.shared.wrapper import JsonWrapper
from schemas.base import SHANGHAI
from schemas.delivery import Health, Item, Listed, ListingMark, Outcome, OutcomeKind, Receipt

_SERVICE = "InterfaceUploadService"
_DONE = "200"
#: The HTTP status of a SOAP fault.
_FAULT = 500
#: 目录或部门编码: the whole call is rejected because the configuration is wrong.
_WHOLE_CALL = frozenset({"3001", "3002", "4001", "4002"})
#: JSON或数据结构体: some row makes the call fail; it is found by halving the call.
_SPOILT = frozenset({"5001", "6001", "6002", REPEAT})


class PlatformSoap:
    """A platform that takes rows through the SOAP upload interface."""

    def __init__(self, settings: PlatformSoapSettings, now: Clock) -> None:
        self.limits = Limits(
            batch_size=settings.batch_size,
            concurrency=settings.concurrency,
            on_unknown=OnUnknown.RESEND,
            call_timeout=settings.call_timeout,
            has_receipts=settings.receipts_url is not None,
            has_listing=False,
        )
        self._settings = settings
        self._now = now
        self._last_number = 0
        self._size = BatchSize(settings.batch_size)
        self._service = _service(settings.url)
        headers = {}
        if settings.api_key is not None:
            headers[settings.api_key_header] = settings.api_key.get_secret_value()
        self._http = HttpClient(settings, now, headers)
        self._feeds = Feeds(self._http, JsonWrapper(), zoned=settings.times_of_china)

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Send the rows, one call per table and method; a call that is refused is halved.

        An item whose record kind or verb is not configured is rejected without a call.
        """
        found: dict[int, Outcome] = {}
        groups = self._groups(items)
        for place in set(range(len(items))).difference(*groups):
            found[place] = _unspoken(items[place])
        parts = [part for group in groups for part in self._size.parts([items[i] for i in group])]
        answered = await send_parts(parts, self._send, self.limits.call_timeout, self._size)
        found.update(zip((i for group in groups for i in group), answered, strict=True))
        return [found[place] for place in range(len(items))]

    def _groups(self, items: Sequence[Item]) -> list[list[int]]:
        """Group the positions of the items by table and method.

        A refused row comes back without our key and is found by document number and subject, so two
        items with the same ones are never in one group.
        """
        groups: dict[tuple[str, str, int], list[int]] = defaultdict(list)
        times: Counter[tuple[str, RowMark]] = Counter()
        for place, item in enumerate(items):
            verb = self._settings.verbs.get(item.verb)
            name = table_of(self._settings.tables, item)
            table = self._settings.tables.get(name)
            if verb is None or table is None:
                continue
            mark = name, mark_of(table.values(item), table)
            groups[name, verb.method, times[mark]].append(place)
            times[mark] += 1
        return list(groups.values())

    async def _send(self, items: Sequence[Item]) -> list[Outcome]:
        """Make one call; raises BatchRefused if a row may be what makes it fail."""
        answer, reference = await self._call(items)
        words = reason(f"对方返回 {answer.code}：{answer.message}")
        if answer.code == _DONE:
            return await self._matched(items, answer, reference)
        if answer.code in _WHOLE_CALL:
            raise CallRejected(words)
        if answer.code not in _SPOILT:
            raise OutcomeUnknown(words)
        if len(items) > 1:
            raise BatchRefused(words)
        verdict = refusal(items[0], answer.code, answer.message, self._settings)
        return [verdict or self._repeated(reference)]

    async def _matched(
        self, items: Sequence[Item], answer: SoapAnswer, reference: str
    ) -> list[Outcome]:
        """Return the outcome of each row; where refused rows cannot be told apart, send halves.

        The platform has what it took of the call already, so that the halves are resends.
        """
        try:
            return outcomes(items, answer, self._settings, reference)
        except Unmatched:
            if len(items) == 1:  # there are no smaller calls that would tell
                row = answer.refused_rows[0] if answer.refused_rows else {}
                said = row.get(self._settings.row_message_field) or answer.message
                words = reason(f"对方退回的不是所报的行：{said}")
                return [Outcome(kind=OutcomeKind.UNKNOWN, reasons=(words,))]
            again = [item.model_copy(update={"resend": True}) for item in items]
            return await self._resent(halves(again))

    async def _resent(self, parts: Sequence[Sequence[Item]]) -> list[Outcome]:
        """Send rows again of which the platform may have any: nothing is as if it were not sent."""
        try:
            outcomes_ = await send_parts(parts, self._send, self.limits.call_timeout)
        except ConnectorError as error:
            raise OutcomeUnknown(str(error), error.retry_after) from error
        deferred = OutcomeKind.DEFERRED
        return [
            one.model_copy(update={"kind": OutcomeKind.UNKNOWN}) if one.kind is deferred else one
            for one in outcomes_
        ]

    async def _call(self, items: Sequence[Item]) -> tuple[SoapAnswer, str]:
        table = self._settings.tables[table_of(self._settings.tables, items[0])]
        method = self._settings.verbs[items[0].verb].method
        number = self._next_number()
        field = self._settings.batch_number_field
        body = payload(
            (table.code, self._settings.department_code, table.version_id),
            [row_of(item, table, self._settings) for item in items],
            {field: number} if field else {},
        )
        content = envelope(method, body, self._settings.namespace, self._settings.parameter)
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        answer = await self._http.call("POST", self._service, content, headers, rows=len(items))
        kind = answer.headers.get("content-type", "")
        if not (answer.status == _FAULT and b"Fault" in answer.body):
            self._http.check(answer)
        return parse(answer.body, kind), number

    def _repeated(self, reference: str) -> Outcome:
        blind = self._settings.receipts_url is None
        kind = OutcomeKind.ACCEPTED_BLIND if blind else OutcomeKind.SUBMITTED
        return Outcome(kind=kind, reference=reference)

    def _next_number(self) -> str:
        """Return the next batch number 批次号: the day, and the millisecond of the day.

        It rises with each call, and also over a restart: nothing has to be remembered.
        """
        now = self._now().astimezone(SHANGHAI)
        of_day = now - now.replace(hour=0, minute=0, second=0, microsecond=0)
        number = int(f"{now:%Y%m%d}{of_day // timedelta(milliseconds=1):08d}")
        self._last_number = max(self._last_number + 1, number)
        return str(self._last_number)

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Return unknown for every item: the interface has no look-up, items are sent again."""
        return [UNKNOWN] * len(items)

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return the receipts of the configured endpoint; none if no endpoint is configured."""
        if self._settings.receipts_url is None:
            return [], cursor
        return await self._feeds.receipts(self._settings.receipts_url, cursor)

    def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:  # noqa: ARG002 - protocol
        """Yield nothing: the interface has no published list."""
        return nothing_listed()

    async def health(self) -> Health:
        """Check the service by asking for its description (WSDL)."""
        return await self._feeds.health(under(self._service, "", wsdl=""))

    async def close(self) -> None:
        """Close every connection."""
        await self._http.close()


def _service(url: str) -> str:
    """Return the address of the service; the URL may be that of the platform or its own."""
    named = urlsplit(url).path.rstrip("/").endswith(_SERVICE)
    return url if named else under(url, f"services/{_SERVICE}")


def _unspoken(item: Item) -> Outcome:
    words = f"未配置目录或动作：{item.record_kind}/{item.verb.value}"
    return Outcome(kind=OutcomeKind.REJECTED, reasons=(words,))
