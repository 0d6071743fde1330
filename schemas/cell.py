"""Cells that hold no value to take 有问题的单元格: how a row carries them to check (pure).

A reader of files, or of old columns, puts one of these objects in place of a value. It travels in
the raw bytes of the row, so that a replay finds the same problem.
"""

import re
from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeGuard

from schemas.identifiers import fold_once, visible

#: The key that marks such an object; its value is one of the words below.
MARK = "$cell"
FORMULA = "formula"  #: a formula that its writer never calculated
CUT = "cut"  #: a text with bytes that are no character, such as half of a Chinese one
CONFLICT = "conflict"  #: two columns with one meaning and different values
DATE = "date"  #: a day in a column of texts: what was typed, such as 1-3, is lost
MERGED = "merged"  #: the lower part of a cell that several rows share
SHOWN = "shown"  #: a number that its cell shows in a way that is not read, such as 5%
UNSENT = "unsent"  #: a value that a message of change capture left out
SHIFTED = "shifted"  #: a cell of a row that is longer than the header: its cells may be shifted
SPLIT = "split"  #: a decision whose values stand in several rows
STRUCK = "struck"  #: a text of which a part is struck out 删除线
UNCLEAR = "unclear"  #: an amount whose unit is unclear, by a note beside the table
#: What stands in a workbook to mend where a person has to fill something in.
TO_FILL = "【待填】"
#: What each of them has beside its mark: a foreign object with a mark is none of them.
_PARTS: Mapping[str, Mapping[str, type]] = {
    FORMULA: {"at": str},
    CUT: {"at": str, "text": str},
    CONFLICT: {"values": dict},
    DATE: {"at": str, "text": str},
    MERGED: {"at": str},
    SHOWN: {"at": str},
    UNSENT: {},
    SHIFTED: {"text": str, "surplus": list},
    SPLIT: {"text": str},
    STRUCK: {"at": str},
    UNCLEAR: {"text": str, "said": str},
}


def formula(at: str) -> dict[str, Any]:
    """Return a formula without a result; `at` is the address of the cell, such as J2."""
    return {MARK: FORMULA, "at": at}


def otherwise(at: str) -> dict[str, Any]:
    """Return a number that its cell shows in another way, such as 贰万元整."""
    return {MARK: SHOWN, "at": at}


def unsent() -> dict[str, Any]:
    """Return a value that stands in the source, but not in its message."""
    return {MARK: UNSENT}


def cut(at: str, text: str) -> dict[str, Any]:
    """Return a text in which U+FFFD stands for bytes that are no character."""
    return {MARK: CUT, "at": at, "text": text}


def conflict(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return different values of one column, by the address or name that each was found under."""
    return {MARK: CONFLICT, "values": dict(values)}


def date(at: str, day: str) -> dict[str, Any]:
    """Return a day that stands in a column of texts."""
    return {MARK: DATE, "at": at, "text": day}


def merged(at: str) -> dict[str, Any]:
    """Return the lower part of a cell that is merged over several rows."""
    return {MARK: MERGED, "at": at}


def shifted(text: str, surplus: Sequence[str]) -> dict[str, Any]:
    """Return a value of a row that has cells behind those of the header."""
    return {MARK: SHIFTED, "text": text, "surplus": list(surplus)}


def split(place: str) -> dict[str, Any]:
    """Return the number of a decision that goes on in the row above or below: 上一行 or 下一行."""
    return {MARK: SPLIT, "text": place}


def struck(at: str) -> dict[str, Any]:
    """Return a text of which a part is struck out, so that nobody knows whether it holds."""
    return {MARK: STRUCK, "at": at}


def is_struck(value: object) -> bool:
    """Whether a value is struck out, as a whole or in part."""
    return is_cell(value) and value[MARK] == STRUCK


def unclear(text: str, said: str) -> dict[str, Any]:
    """Return an amount of which nobody knows the unit, with what is said of it."""
    return {MARK: UNCLEAR, "text": text, "said": said}


def is_cell(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a value is one of these objects."""
    if type(value) is not dict:
        return False
    mark = value.get(MARK)
    parts = _PARTS.get(mark) if type(mark) is str else None
    if parts is None or len(value) != len(parts) + 1:
        return False
    return all(type(value.get(name)) is type_ for name, type_ in parts.items())


def is_shifted(value: object) -> bool:
    """Whether a value is one of a row whose cells may be in wrong columns."""
    return is_cell(value) and value[MARK] == SHIFTED


def shown(value: Mapping[str, Any]) -> str:
    """Return what such a cell is in a workbook to mend: a word that a person has to replace.

    What stood there is told as its problem; it would be taken for good when it comes back, and an
    empty cell for nothing: no secret, no revocation. A text with a part of a character is refused
    again, and so is an amount whose unit is still to be filled in.
    """
    text = str(value.get("text", ""))
    if value.get(MARK) == UNCLEAR:
        return f"{text}{TO_FILL}"
    return text if value.get(MARK) == CUT else TO_FILL


#: What is wrong with a cell, in Chinese, and how to mend it; `at` and `text` are those of the cell.
_FAULTS = {
    FORMULA: (
        "单元格 {at} 是公式，还没有算出结果",
        "用表格软件打开并保存一次，或把结果粘贴为数值",
    ),
    SHOWN: (
        "单元格 {at} 存的是数字，按格式显示成别的样子（如四舍五入、百分比、大写金额）",
        "把单元格设为文本，按看到的重填",
    ),
    UNSENT: (
        "源数据库没有随消息送来这一项（没有改动的长文字）",
        "在源数据库设 REPLICA IDENTITY FULL，重新发送",
    ),
    CUT: (
        "{at} 的“{text}”里有残缺的汉字",
        "多为导出时按长度截断所致：在原系统里核对，补全后重新导出",
    ),
    DATE: (
        "单元格 {at} 是日期 {text}，不是原来填写的文字",
        "把单元格设为文本，按决定书重填",
    ),
    MERGED: (
        "单元格 {at} 与上面的合并成一格：一个决定占了几行",
        "取消合并，一个决定写一行，处罚类别用“、”隔开",
    ),
    SHIFTED: (
        "这一行比表头多 {count} 格，{last}前面的内容可能都错了位",
        "格里有分隔符的，整格加上引号；或另存为 .xlsx",
    ),
    SPLIT: (
        "与{text}是一个决定，写成了两行",
        "一个决定写一行：处罚类别用“、”隔开，金额填在各自的列；合计在第一格写明“合计”",
    ),
    STRUCK: (
        "单元格 {at} 里有划掉的字（删除线），不知道还算不算数",
        "删去划掉的字，或取消删除线；整行作废的，删去这一行",
    ),
    UNCLEAR: (
        "“{text}”没有写单位；表外写着“{said}”，看不准是不是这一列的单位",
        "表头和表外写同一个单位，如都写“万元”，或在每个金额后面写上单位",
    ),
    CONFLICT: ("填了不止一次，而且不一致：{both}", "只留正确的一个"),
}


def fault(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return in Chinese what is wrong with such a cell, and how to mend it."""
    words, fix = _FAULTS.get(str(value.get(MARK)), ("应为文字", "填写文字"))
    surplus, values = value.get("surplus") or [], value.get("values") or {}
    both = values.items() if isinstance(values, Mapping) else ()
    told = words.format(
        at=value.get("at"),
        text=value.get("text"),
        said=value.get("said"),
        count=len(surplus),
        last=f"最后是“{surplus[-1]}”，" if surplus else "",
        both="，".join(_either(name, given) for name, given in both),
    )
    return told, fix


def _either(name: str, given: object) -> str:
    """Return what one of two different cells has; some have nothing to quote."""
    return fault(given)[0] if is_cell(given) else f"{name} 是“{given}”"


def is_empty(value: object, words: Container[object]) -> bool:
    """Whether a value is none, as people see it; `words` stand for nothing 占位符."""
    if not isinstance(value, str):
        return value is None
    return not value or visible(value).strip() in words


def settled(value: Any, words: Container[object]) -> Any:
    """Return the one value of a conflict in which the others are empty; else what is given."""
    if not is_cell(value) or value[MARK] != CONFLICT:
        return value
    filled = [one for one in value["values"].values() if not is_empty(one, words)]
    if all(say_the_same(filled[0], one) for one in filled):
        return filled[0] if filled else ""
    return value


def say_the_same(one: object, other: object) -> bool:
    """Whether two values of one column are the same, whatever their width, dashes and zeros."""
    if one == other:
        return True
    texts = [fold_once(str(value)).translate(_SIGNS) for value in (one, other)]
    if texts[0] == texts[1]:
        return True
    days = [_DAY.fullmatch(text) for text in texts]
    if all(days):
        return [int(part) for part in days[0].groups()] == [int(p) for p in days[1].groups()]  # type: ignore[union-attr]
    numbers = [_NUMBER.fullmatch(text) for text in texts]
    return all(numbers) and Decimal(texts[0]) == Decimal(texts[1])


#: Brackets and commas that people write for each other.
_SIGNS = str.maketrans("〔[【〕]】、", "((())),")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:T?0{1,2}:00(?::00)?)?")
#: Without zeros before it, which a document number or a code may have.
_NUMBER = re.compile(r"(?:0|[1-9]\d{0,17})(?:\.\d{1,9})?", re.ASCII)
