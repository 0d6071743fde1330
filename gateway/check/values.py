"""Read one value of one column by its type, or say what is wrong with it (pure)."""

import re
from collections.abc import Callable
from datetime import MAXYEAR, date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from schemas.base import plain_number
from schemas.codes import OTHER_PENALTY_PREFIX, PENALTY_KINDS
from schemas.columns import Column, ColumnType
from schemas.identifiers import credit_code_problem, fold, fold_once, half_width
from schemas.licence import LONG_TERM
from schemas.problem import Problem, Rule

_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00(?:\.0+)?)?Z?)?")
_LONG_TERM_WORDS = frozenset({"长期", "长期有效", "永久"})
_KIND_SEPARATORS = re.compile(r"[、,，;；/|\s]+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
#: Decimal(18,6): twelve digits before the point, six after it.
_AMOUNT_LIMIT = Decimal(10) ** 12
_CENT = Decimal("0.000001")

#: Characters of a value that is no free text. Longer ones are no codes, dates or amounts; comparing
#: and normalising them takes time that grows with the square of the length.
_LONGEST_CODE, _LONGEST_KINDS = 200, 2_000
#: JSON values that no column of the standard takes; a union would be built at each call.
_NESTED = (bool, dict, list)

Read = tuple[Any, Problem | None]


def read(column: Column, value: Any) -> Read:
    """Return the typed value (None if empty or unreadable) and its problem (None if fine)."""
    if value is None or value == "" or (isinstance(value, str) and value.isspace()):
        return None, None
    if isinstance(value, _NESTED) and not _is_list_of_kinds(column, value):
        return None, problem(column, Rule.FORMAT, "应为文字", "填写文字")
    if column.type is not ColumnType.TEXT and _is_too_long(column, value):
        return None, problem(column, Rule.LENGTH, "内容过长，不会是该项", "检查是否填错了列")
    return _READERS[column.type](column, value)


def _is_too_long(column: Column, value: Any) -> bool:
    if isinstance(value, int):
        return False
    kinds = column.type is ColumnType.PENALTY_KINDS
    return len(str(value)) > (_LONGEST_KINDS if kinds else _LONGEST_CODE)


def _is_list_of_kinds(column: Column, value: Any) -> bool:
    return isinstance(value, list) and column.type is ColumnType.PENALTY_KINDS


def missing(column: Column) -> Problem:
    """Return the problem of a required column that is empty."""
    return problem(column, Rule.REQUIRED, "必填项为空", "补填该项")


def _text(column: Column, value: Any) -> Read:
    text = str(value).strip()
    if not text:
        return None, None
    if column.max_length is not None and len(text) > column.max_length:
        words = f"长度{len(text)}，超过上限{column.max_length}"
        return text, problem(column, Rule.LENGTH, words, f"缩短到{column.max_length}字以内")
    return text, None


def _code(column: Column, value: Any) -> Read:
    text = str(value).strip()
    if not text or (column.codes and text in column.codes):
        return text or None, None
    allowed = "、".join(sorted(column.codes or ()))
    return text, problem(column, Rule.CODE_LIST, f"“{text}”不在代码表内", f"改为：{allowed}")


def _credit_code(column: Column, value: Any) -> Read:
    code = fold(str(value))
    if not code:
        return None, None
    why = credit_code_problem(code)
    if why is None:
        return code, None
    return code, problem(column, Rule.CHECK_DIGIT, why, "按营业执照或证书核对18位代码")


def _identity(column: Column, value: Any) -> Read:
    return _text(column, fold_once(str(value)))


@lru_cache(maxsize=4096)
def parse_date(text: str) -> date | None:
    """Return the day of a text (YYYY/MM/DD or YYYY-MM-DD); 长期 is 2099-12-31; None if unreadable.

    Other systems write 长期 as a day of the year 9999, after which no due time can be computed; it
    also becomes 2099-12-31.
    """
    if text in _LONG_TERM_WORDS:
        return LONG_TERM
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        day = date(*(int(part) for part in match.groups()))
    except ValueError:
        return None
    return LONG_TERM if day.year == MAXYEAR else day


def _date(column: Column, value: Any) -> Read:
    day = parse_date(str(value).strip())
    if day is not None:
        return day, None
    return None, problem(
        column,
        Rule.FORMAT,
        f"“{value}”不是日期",
        "写成 2026/10/01 或 2026-10-01，长期写 2099/12/31",
    )


def _amount(column: Column, value: Any) -> Read:
    text = half_width(str(value)).strip().removesuffix("万元").removesuffix("万")
    try:
        amount = Decimal(_plain_number(text))
    except InvalidOperation:
        return None, problem(column, Rule.FORMAT, f"“{value}”不是金额", "填数字，单位万元，如 0.2")
    if not amount.is_finite() or amount < 0 or amount >= _AMOUNT_LIMIT:
        return None, problem(column, Rule.FORMAT, f"金额 {value} 超出范围", "填0以上、单位万元的数")
    if amount != amount.quantize(_CENT):
        return None, problem(column, Rule.FORMAT, f"金额 {value} 超过6位小数", "四舍五入到6位小数")
    return plain_number(amount), None


def _plain_number(text: str) -> str:
    """Return a number without commas between groups of three; one elsewhere may be a point."""
    text = text.strip()
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    return text if _NUMBER.fullmatch(text) else "no number"


def _penalty_kinds(column: Column, value: Any) -> Read:
    words = split_kinds(tuple(map(str, value)) if isinstance(value, list) else (str(value),))
    if not words:
        return None, None
    strange = [word for word in words if not _is_penalty_kind(word)]
    if not strange:
        return words, None
    return words, problem(
        column,
        Rule.CODE_LIST,
        f"“{'、'.join(strange)}”不是行政处罚种类",
        "删去，或写成“其他-补充说明”",
    )


@lru_cache(maxsize=4096)
def split_kinds(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the penalty kinds of a value in their order, each once, whatever the separator."""
    words = (word for text in texts for word in _KIND_SEPARATORS.split(text.strip()))
    return tuple(dict.fromkeys(word for word in words if word))


def _is_penalty_kind(word: str) -> bool:
    return word in PENALTY_KINDS or word.startswith(OTHER_PENALTY_PREFIX)


def problem(column: Column, rule: Rule, message: str, fix: str) -> Problem:
    """Return a problem of one column, which the message begins with."""
    return Problem(field=column.wire, rule=rule, message=f"{column.title}：{message}", fix=fix)


_READERS: dict[ColumnType, Callable[[Column, Any], Read]] = {
    ColumnType.TEXT: _text,
    ColumnType.DATE: _date,
    ColumnType.AMOUNT: _amount,
    ColumnType.CREDIT_CODE: _credit_code,
    ColumnType.IDENTITY: _identity,
    ColumnType.PENALTY_KINDS: _penalty_kinds,
    ColumnType.CODE: _code,
}
