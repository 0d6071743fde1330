"""Rows of a SOAP call: make them from items, and match refused rows of the answer to items."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import OutcomeUnknown
from connectors.platform_api.soap_answer import SoapAnswer
from connectors.platform_api.soap_settings import PlatformSoapSettings, SoapTable
from connectors.shared.layout import table_of
from connectors.shared.words import reason
from schemas.codes import Verb
from schemas.delivery import Item, Outcome, OutcomeKind
from schemas.identifiers import half_width

#: 重复数据，旧数据: the platform already has this row.
REPEAT = "20001"

_BRACKETS = str.maketrans("〔【［[（﹝", "((((((") | str.maketrans("〕】］]）﹞", "))))))")


class Unmatched(OutcomeUnknown):
    """A refused row could be that of several items: only smaller calls tell."""


#: Normalised document number and subject of a row.
RowMark = tuple[str, str]


def row_of(item: Item, table: SoapTable, settings: PlatformSoapSettings) -> dict[str, Any]:
    """Return one item as a row of the platform's table."""
    row = table.values(item)
    status = settings.verbs[item.verb].status
    if status is not None and table.status_column is not None:
        row[table.status_column] = status
    if settings.key_column is not None:
        row[settings.key_column] = item.key
    return row


def mark_of(row: Mapping[str, Any], table: SoapTable) -> RowMark:
    """Return what identifies a row on the platform: its document number and its subject."""
    subjects = (_plain(row.get(column)) for column in table.subject_columns)
    return _plain(row.get(table.document_column)), next(filter(None, subjects), "")


def outcomes(
    items: Sequence[Item], answer: SoapAnswer, settings: PlatformSoapSettings, reference: str
) -> list[Outcome]:
    """Return the outcome of each row: rows in errorBody are refused, all others were accepted.

    Raises OutcomeUnknown for the whole call if the counts do not add up, and Unmatched if a refused
    row does not match exactly one item.
    """
    if not answer.adds_up(len(items)):
        raise OutcomeUnknown("应答里的条数对不上")
    table = settings.tables[table_of(settings.tables, items[0])]
    refused = _refused(items, answer, table, settings.key_column)
    blind = settings.receipts_url is None
    taken = Outcome(
        kind=OutcomeKind.ACCEPTED_BLIND if blind else OutcomeKind.SUBMITTED, reference=reference
    )
    return [
        _verdict(item, refused[i], settings, taken) if i in refused else taken
        for i, item in enumerate(items)
    ]


def refusal(item: Item, code: str, text: str, settings: PlatformSoapSettings) -> Outcome | None:
    """Return the outcome of a refused item, or None if the code means a harmless repeat.

    A resend that is a repeat has arrived before. Of a correction that is no proof, since the row
    that the platform has may be the one before it; then only a receipt tells.
    """
    if code == REPEAT and item.verb in settings.repeat_is_success:
        return None
    if code == REPEAT and item.resend:
        if item.verb is not Verb.CORRECT or settings.receipts_url is not None:
            return None
        text = f"{text}（曾报送而无答复，更正是否生效请到平台核对）"
    words = " ".join(word for word in (code, text) if word) or "被退回，平台未说明原因"
    return Outcome(kind=OutcomeKind.REJECTED, reasons=(reason(words),))


def _verdict(
    item: Item, row: Mapping[str, Any], settings: PlatformSoapSettings, taken: Outcome
) -> Outcome:
    code = str(row.get(settings.row_code_field) or "")
    text = str(row.get(settings.row_message_field) or "")
    return refusal(item, code, text, settings) or taken


def _refused(
    items: Sequence[Item], answer: SoapAnswer, table: SoapTable, key_column: str | None
) -> dict[int, dict[str, Any]]:
    """Return refused rows by the position of their item.

    A row is matched by what it has and what is unique in the call: our key, document number and
    subject, the document number alone. The only row of a call is that of its item, also where the
    platform has cut its document number, unless it names another document.
    """
    if len(items) == len(answer.refused_rows) == 1:
        rows = table.values(items[0]), answer.refused_rows[0]
        ours, theirs = (mark_of(row, table)[0] for row in rows)
        if ours in theirs or theirs in ours:
            return {0: answer.refused_rows[0]}
    places: dict[RowMark | str, list[int]] = {}
    for place, item in enumerate(items):
        number, subject = mark_of(table.values(item), table)
        for mark in (item.key, (number, subject), (number, "")):
            places.setdefault(mark, []).append(place)
    refused: dict[int, dict[str, Any]] = {}
    for row in answer.refused_rows:
        key = str(row.get(key_column)) if key_column and row.get(key_column) else ""
        candidates = places.get(key) or places.get(mark_of(row, table), [])
        if len(candidates) != 1 or candidates[0] in refused:
            raise Unmatched("退回的行不能确定是哪一条")
        refused[candidates[0]] = row
    return refused


def _plain(value: Any) -> str:
    """Normalise a value: HTML unescaped, one width and bracket form, no spaces, upper case."""
    text = half_width(html.unescape(str(value or "")))
    return re.sub(r"\s+", "", text).translate(_BRACKETS).upper()
