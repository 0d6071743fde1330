"""Rows of a SOAP call: written from items, and the refused ones found again in the answer."""

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import OutcomeUnknown
from connectors.platform_api.soap_envelope import SoapAnswer
from connectors.platform_api.soap_settings import PlatformSoapSettings, SoapTable
from connectors.shared.parts import reason
from schemas.delivery import Item, Outcome, OutcomeKind

#: 重复数据，旧数据: the platform already holds this row.
REPEAT = "20001"

_BRACKETS = str.maketrans("〔【［[（﹝", "((((((") | str.maketrans("〕】］]）﹞", "))))))")

#: Document number and subject of a row, in one form.
Mark = tuple[str, str]


def row_of(item: Item, table: SoapTable, settings: PlatformSoapSettings) -> dict[str, Any]:
    """Write one item as a row of the platform's table."""
    row = dict(item.columns)
    status = settings.verbs[item.verb].status
    if status is not None and table.status_column is not None:
        row[table.status_column] = status
    if settings.key_column is not None:
        row[settings.key_column] = item.key
    return row


def mark_of(row: Mapping[str, Any], table: SoapTable) -> Mark:
    """Tell by what a row is known over there: its document number and its subject."""
    subjects = (_plain(row.get(column)) for column in table.subject_columns)
    return _plain(row.get(table.document_column)), next(filter(None, subjects), "")


def outcomes(
    items: Sequence[Item], answer: SoapAnswer, settings: PlatformSoapSettings, reference: str
) -> list[Outcome]:
    """Give each row its outcome: named in errorBody is refused, everything else was taken.

    Counts that do not add up, or a refused row that is not surely one of ours, leave the outcome
    of the whole call unknown.
    """
    if not answer.adds_up(len(items)):
        raise OutcomeUnknown("the counts of the answer do not add up")
    table = settings.tables[items[0].record_kind]
    refused = _refused(items, answer, table)
    blind = settings.receipts_url is None
    taken = Outcome(
        kind=OutcomeKind.ACCEPTED_BLIND if blind else OutcomeKind.SUBMITTED, reference=reference
    )
    return [
        _verdict(item, refused[i], settings, taken) if i in refused else taken
        for i, item in enumerate(items)
    ]


def refusal(item: Item, code: str, text: str, settings: PlatformSoapSettings) -> Outcome | None:
    """Say what a refusal means for an item; None where it is a repeat and so no refusal."""
    if code == REPEAT and (item.resend or item.verb in settings.repeat_is_success):
        return None
    words = " ".join(word for word in (code, text) if word) or "被退回，平台未说明原因"
    return Outcome(kind=OutcomeKind.REJECTED, reasons=(reason(words),))


def _verdict(
    item: Item, row: Mapping[str, Any], settings: PlatformSoapSettings, taken: Outcome
) -> Outcome:
    code = str(row.get(settings.row_code_field) or "")
    text = str(row.get(settings.row_message_field) or "")
    return refusal(item, code, text, settings) or taken


def _refused(
    items: Sequence[Item], answer: SoapAnswer, table: SoapTable
) -> dict[int, dict[str, Any]]:
    """Pair each refused row with one item by document number and subject."""
    places: dict[Mark, list[int]] = {}
    for place, item in enumerate(items):
        places.setdefault(mark_of(item.columns, table), []).append(place)
    refused: dict[int, dict[str, Any]] = {}
    for row in answer.refused_rows:
        candidates = places.get(mark_of(row, table), [])
        if len(candidates) != 1 or candidates[0] in refused:
            raise OutcomeUnknown("a refused row is not surely one of ours")
        refused[candidates[0]] = row
    return refused


def _plain(value: Any) -> str:
    """Bring a value to one form: unescaped, widths and brackets alike, no spaces."""
    text = unicodedata.normalize("NFKC", html.unescape(str(value or "")))
    return re.sub(r"\s+", "", text).translate(_BRACKETS).upper()
