"""Deliveries that a destination would take for something else by its duplicate key 重复键 (pure).

A platform that tells decisions apart by less than we do keeps one of two that are one to it, and
calls the other a repeat; one that tells them apart by more keeps the old row beside the corrected.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.codes import RecordKind
from schemas.destination import OWN_KEY, Destination, KeyPart
from schemas.kinds import KINDS

_TITLES = {
    KeyPart.DOCUMENT_NUMBER: "文书号",
    KeyPart.SUBJECT: "相对人代码",
    KeyPart.SUBJECT_NAME: "相对人名称",
    KeyPart.AUTHORITY: "机关",
    KeyPart.DECISION_DATE: "决定日期",
}
#: The parts that a correction may change: the others make another decision of it.
CORRECTED_PARTS = frozenset({KeyPart.SUBJECT_NAME, KeyPart.DECISION_DATE})


def other_keys(destinations: Iterable[Destination]) -> dict[str, frozenset[KeyPart]]:
    """Return the duplicate keys of the destinations that do not tell decisions apart as we do."""
    return {one.name: one.duplicate_key for one in destinations if one.duplicate_key != OWN_KEY}


def doubled_reason(key: frozenset[KeyPart], number: str, subject: str | None) -> str:
    """Return why a delivery waits that its destination takes for another decision's."""
    return (
        f"对方按{_named(key)}认重复：{number}（{subject or '相对人名称不详'}）已经或将要报送，"
        "会被当成同一条；核对文书号，对方两条都收的用 deliveries retry 报送"
    )


def changed_parts(
    key: frozenset[KeyPart], kind: str, told: Mapping[str, Any], now: Mapping[str, Any]
) -> frozenset[KeyPart]:
    """Return the parts of a key of which a correction changes the value."""
    of = KINDS[RecordKind(kind)]
    columns = {
        KeyPart.SUBJECT_NAME: of.column("subject_name"),
        KeyPart.DECISION_DATE: of.date_column,
    }
    return frozenset(
        part for part in key & CORRECTED_PARTS if told.get(columns[part]) != now.get(columns[part])
    )


def changed_reason(parts: frozenset[KeyPart]) -> str:
    """Return why a correction waits that its destination takes for another decision."""
    return (
        f"更正改了{_named(parts)}，对方按它认重复，会另存一条，旧的一条还在："
        "先请对方撤下旧的一条，再用 deliveries retry 报送"
    )


def _named(parts: frozenset[KeyPart]) -> str:
    return "、".join(title for part, title in _TITLES.items() if part in parts)
