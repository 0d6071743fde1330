"""Read the JSON feeds of a platform: receipts 回执, the listing 公示清单, and health."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.errors import ConnectorError, OutcomeUnknown
from connectors.shared.http_client import Answer, HttpClient
from connectors.shared.http_settings import under
from connectors.shared.words import reason
from schemas.base import AwareDatetime, storable
from schemas.delivery import Health, Listed, Receipt

#: Pages of one listing at most.
MOST_PAGES = 20_000


class _Wire(BaseModel):
    """Base of the platform's messages; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


W = TypeVar("W", bound=_Wire)


class _ReceiptRow(_Wire):
    key: str
    accepted: bool
    reasons: tuple[str, ...] = ()
    platform_at: AwareDatetime
    reference: str | None = None


class _ReceiptPage(_Wire):
    receipts: tuple[_ReceiptRow, ...]
    cursor: str


class _ListedRow(_Wire):
    record_kind: str
    document_number: str
    subject_code: str
    columns: dict[str, str]
    shown_at: AwareDatetime


class _ListedPage(_Wire):
    rows: tuple[_ListedRow, ...]
    cursor: str | None = None


async def read_receipts(http: HttpClient, url: str, cursor: str) -> tuple[list[Receipt], str]:
    """Return one page of receipts after a cursor, and the next cursor."""
    answer = await http.ask("GET", under(url, "", cursor=cursor))
    page = _parsed(_ReceiptPage, answer)
    receipts = [
        Receipt(
            key=row.key,
            accepted=row.accepted,
            reasons=tuple(reason(text) for text in row.reasons),
            platform_at=row.platform_at,
            reference=row.reference,
        )
        for row in page.receipts
    ]
    return receipts, page.cursor


async def read_listing(http: HttpClient, url: str, since: datetime) -> AsyncIterator[Listed]:
    """Yield every row of the listing, page by page; raises OutcomeUnknown if a cursor repeats."""
    cursor: str | None = ""
    seen: set[str] = set()
    while cursor is not None and cursor not in seen and len(seen) < MOST_PAGES:
        seen.add(cursor)
        at = under(url, "", since=since.isoformat(), cursor=cursor)
        answer = await http.ask("GET", at)
        page = _parsed(_ListedPage, answer)
        clean = b"\\u0000" not in answer.body  # the only way to write it in JSON
        for row in page.rows:
            yield Listed.model_construct(**(dict(row) if clean else _cleaned(row)))
        cursor = page.cursor or None
    if cursor is not None:
        raise OutcomeUnknown("公示清单翻不完：翻页标记重复")


def _cleaned(row: _ListedRow) -> dict[str, object]:
    columns = {storable(name): storable(value) for name, value in row.columns.items()}
    number, code = storable(row.document_number), storable(row.subject_code)
    return dict(row) | {"document_number": number, "subject_code": code, "columns": columns}


async def read_health(http: HttpClient, url: str) -> Health:
    """Return whether the platform answers; a failure is in the result, not raised."""
    try:
        await http.ask("GET", url)
    except ConnectorError as exc:
        return Health(ok=False, detail=str(exc))
    return Health(ok=True)


def _parsed(shape: type[W], answer: Answer) -> W:
    try:
        return shape.model_validate_json(answer.body)
    except ValidationError as exc:
        places = ", ".join(".".join(map(str, e["loc"])) for e in exc.errors()[:3])
        raise OutcomeUnknown(f"应答不是约定的格式：{places}") from exc
