"""What a version of a ledger has changed of the version before it 与上一版比较."""

import hashlib
from collections.abc import Iterator, Mapping, Set
from typing import Any, NamedTuple

import orjson

from gateway.ledger.month import Ledger, own_figures
from gateway.ledger.rows_file import frozen, parquet
from gateway.store.account.ledgers import Frozen

_TITLES = {
    "kind": "种类",
    "document_number": "文书号",
    "authority": "机关",
    "subject_name": "相对人名称",
    "subject_code": "相对人代码",
    "decision_date": "决定日期",
    "amount": "金额",
    "arrived_at": "录入时间",
    "excluded": "不予报送",
    "withdrawn": "是否撤回",
    "state": "状态",
    "clocks": "期限与结果",
    "handed_over_at": "送达时间",
    "accepted_at": "入库时间",
    "blind": "无回执",
    "attempts": "次数",
    "reasons": "平台意见",
    "why": "迟报漏报原因",
    "notes": "说明",
}

#: What an open delivery does every hour makes no new version.
NO_CHANGE = frozenset({"attempts"})


class RowChange(NamedTuple):
    """A decision that two versions tell differently, and what is different, in Chinese."""

    document_number: str
    authority: str
    words: str


def row_changes(before: bytes, after: bytes, but: Set[str] = frozenset()) -> Iterator[RowChange]:
    """Yield the decisions that came, went or changed from one version to the next.

    A change of nothing but these columns is none.
    """
    known = {row["decision_id"]: _digest(row) for row in frozen(before)}
    changed: dict[int, Mapping[str, Any]] = {}
    for row in frozen(after):
        digest = known.pop(row["decision_id"], None)
        if digest is None:
            yield _change(row, "新列入")
        elif digest != _digest(row):
            changed[row["decision_id"]] = row
    for row in frozen(before):
        later = changed.get(row["decision_id"])
        if later is not None:
            if words := "；".join(_words(row, later, but)):
                yield _change(later, words)
        elif row["decision_id"] in known:
            yield _change(row, "不再列入")


def is_as(before: Frozen, rows: bytes | None, account: Ledger) -> bool:
    """Whether a month is now as in a version of it, whose rows are these; tries are no change."""
    if before.hash == account.hash:
        return True
    told = orjson.loads(orjson.dumps(account.as_json()))
    if rows is None or own_figures(before.figures) != own_figures(told):
        return False
    return not any(row_changes(rows, parquet(account.rows), NO_CHANGE))


def _digest(row: Mapping[str, Any]) -> bytes:
    return hashlib.blake2b(orjson.dumps(row), digest_size=16).digest()


def _change(row: Mapping[str, Any], words: str) -> RowChange:
    return RowChange(row["document_number"], row["authority"], words)


def _words(before: Mapping[str, Any], after: Mapping[str, Any], but: Set[str]) -> Iterator[str]:
    yield from _of_values("", before, after, but)
    told = {one["destination"]: one for one in before["standings"]}
    for one in after["standings"]:
        yield from _of_values(f"{one['destination']} ", told.pop(one["destination"], {}), one, but)
    yield from (f"{name} 不再列入" for name in told)


def _of_values(
    place: str, before: Mapping[str, Any], after: Mapping[str, Any], but: Set[str]
) -> Iterator[str]:
    for name, title in _TITLES.items():
        old, new = _text(before.get(name)), _text(after.get(name))
        is_told = (
            name not in but and name in after and (name in before or not before)
        )  # not by an earlier release
        if is_told and old != new:
            yield f"{place}{title}：{old or '（空）'} → {new or '（空）'}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(map(_text, value))
    if isinstance(value, dict):
        return f"{value['clock']} {value['result']}"
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value)
