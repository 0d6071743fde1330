"""Cells that hold no value to take 有问题的单元格: how a row carries them to check (pure).

A reader of files, or of old columns, puts one of these objects in place of a value. It travels in
the raw bytes of the row, so that a replay finds the same problem.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

#: The key that marks such an object; its value is one of the words below.
MARK = "$cell"
FORMULA = "formula"  #: a formula that its writer never calculated
CUT = "cut"  #: a text with bytes that are no character, such as half of a Chinese one
CONFLICT = "conflict"  #: two columns with one meaning and different values


def formula(at: str) -> dict[str, Any]:
    """Return a formula without a result; `at` is the address of the cell, such as J2."""
    return {MARK: FORMULA, "at": at}


def cut(at: str, text: str) -> dict[str, Any]:
    """Return a text in which U+FFFD stands for bytes that are no character."""
    return {MARK: CUT, "at": at, "text": text}


def conflict(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return different values of one column, by the address or name that each was found under."""
    return {MARK: CONFLICT, "values": dict(values)}


def is_cell(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a value is one of these objects."""
    return type(value) is dict and MARK in value


def shown(value: Mapping[str, Any]) -> str:
    """Return what a person sees in such a cell, for a workbook to mend."""
    match value.get(MARK):
        case "cut":
            return str(value.get("text", ""))
        case "conflict" if isinstance(values := value.get("values"), dict):
            return "｜".join(map(str, values.values()))
        case _:
            return ""


def fault(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return in Chinese what is wrong with such a cell, and how to mend it."""
    match value.get(MARK):
        case "formula":
            words = f"单元格 {value.get('at')} 是公式，还没有算出结果"
            return words, "用表格软件打开并保存一次，或把结果粘贴为数值"
        case "cut":
            words = f"{value.get('at')} 的“{value.get('text')}”里有残缺的汉字"
            return words, "多为导出时按长度截断所致：在原系统里核对，补全后重新导出"
        case "conflict" if isinstance(values := value.get("values"), dict):
            both = "，".join(f"{name} 是“{text}”" for name, text in values.items())
            return f"填了不止一次，而且不一致：{both}", "只留正确的一个"
        case _:
            return "应为文字", "填写文字"
