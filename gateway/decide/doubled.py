"""Deliveries that a destination would take for something else by its duplicate key 重复键 (pure).

A platform that tells decisions apart by less than we do keeps one of two that are one to it, and
calls the other a repeat; one that tells them apart by more keeps the old row beside the corrected.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.codes import RecordKind
from schemas.destination import OWN_KEY, Destination, KeyPart
from schemas.identifiers import fold
from schemas.kinds import KINDS

_TITLES = {
    KeyPart.DOCUMENT_NUMBER: "文书号",
    KeyPart.SUBJECT: "相对人代码",
    KeyPart.SUBJECT_NAME: "相对人名称",
    KeyPart.AUTHORITY: "机关",
    KeyPart.DECISION_DATE: "决定日期",
}


def other_keys(destinations: Iterable[Destination]) -> dict[tuple[str, str], frozenset[KeyPart]]:
    """Return the keys of those that do not tell decisions apart as we do, by kind.

    The keys of a kind without document numbers, such as a year, are no number of one decision: the
    subject is always a part then.
    """
    return {
        (one.name, kind): one.duplicate_key
        if KINDS[RecordKind(kind)].has_number
        else one.duplicate_key | {KeyPart.SUBJECT}
        for one in destinations
        if one.duplicate_key != OWN_KEY
        for kind in KINDS.reported
        if kind in one.takes
    }


def doubled_reason(key: frozenset[KeyPart], number: str, subject: str | None) -> str:
    """Return why a delivery waits that its destination takes for another decision's."""
    return (
        f"对方按{_named(key)}认重复：{number}（{subject or '相对人名称不详'}）已经或将要报送，"
        "会被当成同一条；核对文书号，对方两条都收的、另一条不报了的，用 deliveries retry 报送"
    )


def changed_parts(
    key: frozenset[KeyPart], kind: str, told: Mapping[str, Any], now: Mapping[str, Any]
) -> frozenset[KeyPart]:
    """Return the parts of a key of which a correction changes the value.

    Names are compared without regard to width and blanks. A number in another spelling is the same
    decision to us; a platform that compares texts takes it for another one.
    """
    of = KINDS[RecordKind(kind)]
    columns = {
        KeyPart.DOCUMENT_NUMBER: of.number_column,
        KeyPart.SUBJECT_NAME: of.column("subject_name"),
        KeyPart.AUTHORITY: of.authority_column,
        KeyPart.DECISION_DATE: of.date_column,
    }
    return frozenset(
        part
        for part in key & columns.keys()
        if _compared(told.get(columns[part])) != _compared(now.get(columns[part]))
    )


def changed_reason(parts: frozenset[KeyPart]) -> str:
    """Return why a correction waits that its destination takes for another decision."""
    return (
        f"更正改了{_named(parts)}，对方按它认重复，会另存一条，旧的一条还在："
        "先请对方撤下旧的一条，再用 deliveries retry 报送"
    )


def _compared(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value


def _named(parts: frozenset[KeyPart]) -> str:
    return "、".join(title for part, title in _TITLES.items() if part in parts)
