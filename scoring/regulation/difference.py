"""Compare two rule sets value by value, and describe the differences for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeGuard

from pydantic import BaseModel

from scoring.facts import plain
from scoring.regulation.intervals import Interval
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Table

#: Fields that identify an entry of a list; the first one that exists is used.
_NAMES = ("id", "grade")
#: Fields that summarise a part that was added or removed as a whole.
_SHOWN = ("title", "range", "question", "points", "months")
#: Fields that are not compared: the version is a hash and differs with every other difference.
_LEFT_OUT = frozenset({"version"})
_WORDS = {
    "tables": "对象", "items": "评价项", "vetoes": "直接评定", "bands": "等级",
    "waits": "修复等待期", "notes": "理解说明", "points": "分值", "dated": "分期分值",
    "title": "名称", "text": "原文", "article": "依据", "group": "分组", "range": "分段",
    "months": "月数", "start": "起始分", "validity_months": "有效月数", "repairable": "可修复",
    "bonus": "加分项", "stacking": "累计方式", "match": "适用情形", "penalties": "处罚类别",
    "other_words": "其他处罚用语", "events": "信息类型", "amount": "罚款金额",
    "direction": "计分方向", "activation_delay_days": "生效延后天数", "caps": "上下限",
    "lowest": "最低分", "highest": "最高分", "scale": "分值范围", "repair": "信用修复",
    "warning": "信用预警", "colour": "颜色", "status": "效力状态", "effective_from": "施行日期",
    "effective_to": "失效日期", "document_number": "文号", "points_from": "分值来源",
    "with_items": "同时直接评定的评价项", "grade": "评定为", "kinds": "对象种类",
    "sites": "多厂址", "snapshot": "评价周期", "criminal_suspects": "涉嫌犯罪", "reading": "理解",
    "question": "问题", "relies_on": "引用的理解说明", "printed": "原文分值",
    "printed_from": "原文起点", "from_grade": "等待期从评定之日起算",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextDifference:
    """One value that differs; `old` or `new` is None if that rule set does not have it."""

    path: tuple[str, ...]  #: for example ("tables", "enterprise", "items", "E01", "points")
    old: str | None
    new: str | None

    @property
    def words(self) -> str:
        """The difference as a Chinese text for people."""
        where = " ".join(_WORDS.get(step, step) for step in self.path if step != "tables")
        if self.old is None:
            return f"新增 {where}：{self.new}"
        if self.new is None:
            return f"删除 {where}：{self.old}"
        return f"{where}：{self.old} → {self.new}"


def differences(old: RuleSet, new: RuleSet) -> list[TextDifference]:
    """Return every difference between two rule sets, in the order of the fields."""
    return list(_between(old, new, ()))


def _between(old: object, new: object, path: tuple[str, ...]) -> Iterator[TextDifference]:
    if isinstance(old, BaseModel) and type(old) is type(new):
        yield from _of_entries(_fields(old), _fields(new), path)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_entries(old, new, path)
    elif _are_parts(old) and _are_parts(new):
        yield from _of_entries(_named(old), _named(new), path)
    elif old != new:
        yield TextDifference(path, _text(old), _text(new))


def _of_entries(
    old: Mapping[str, object], new: Mapping[str, object], path: tuple[str, ...]
) -> Iterator[TextDifference]:
    for name in dict.fromkeys([*old, *new]):
        yield from _between(old.get(name), new.get(name), (*path, name))


def _fields(part: BaseModel) -> dict[str, object]:
    """Return the values of a part; the two ends of a range are given as one value `range`."""
    names = [name for name in type(part).model_fields if name not in _LEFT_OUT]
    if not isinstance(part, Interval):
        return {name: getattr(part, name) for name in names}
    ends = Interval.model_fields.keys()
    return {"range": _range(part)} | {
        name: getattr(part, name) for name in names if name not in ends
    }


def _are_parts(value: object) -> TypeGuard[tuple[BaseModel, ...]]:
    """Return whether a value is a tuple of models (an empty tuple too)."""
    return isinstance(value, tuple) and all(isinstance(one, BaseModel) for one in value)


def _named(parts: Sequence[BaseModel]) -> dict[str, object]:
    return {_name(part, place): part for place, part in enumerate(parts)}


def _name(part: BaseModel, place: int) -> str:
    for name in _NAMES:
        found = getattr(part, name, None)
        if isinstance(found, str):
            return found
    return _range(part) if isinstance(part, Interval) else str(place + 1)


def _range(part: Interval) -> str:
    ends = (("≥", part.at_least), (">", part.above), ("≤", part.at_most), ("<", part.below))
    return "且".join(f"{sign}{plain(end)}" for sign, end in ends if end is not None) or "不限"


def _text(value: object) -> str | None:
    """Return a value as text, and a part of the rule set as a summary; None for no value."""
    if value is None or value == ():
        return None
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, tuple | frozenset):
        return "、".join(str(_text(one)) for one in value)
    return _summary(value) if isinstance(value, BaseModel) else str(value)


def _summary(part: BaseModel) -> str:
    if isinstance(part, Table):
        return f"{part.title}（{len(part.rows)} 项，{len(part.bands)} 个等级）"
    fields = _fields(part)
    shown = [_text(fields.get(name)) for name in _SHOWN]
    return "，".join(filter(None, shown)) or next(filter(None, map(_text, fields.values())), "")
