"""Read one value of one column by its type, or say what is wrong with it (pure)."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gateway.check.amounts import read_amount
from gateway.check.dates import number_as_date, parse_date, why_no_date
from gateway.check.garbled import (
    doubtful,
    in_one_line,
    is_scientific,
    lost_characters,
    unusual,
)
from gateway.check.penalty_kinds import is_penalty_kind, split_kinds
from schemas.cell import TO_FILL, fault, is_cell
from schemas.columns import Column, ColumnType
from schemas.identifiers import credit_code_problem, fold, fold_once, visible
from schemas.problem import Problem, Rule

#: Characters of a value that is no free text. Longer ones are no codes, dates or amounts; comparing
#: and normalising them takes time that grows with the square of the length.
_LONGEST_CODE, _LONGEST_KINDS = 200, 2_000
#: Characters of a value that may be a word of its own.
_LONGEST_WORD = 64
#: JSON values that no column of the standard takes; a union would be built at each call.
_NESTED = (bool, dict, list)
#: What is said of them where no text is wanted.
_NESTED_WORDS = {
    ColumnType.AMOUNT: ("应为金额，不能是 true、false、列表或对象", "填一个数，单位万元，如 0.2"),
    ColumnType.DATE: ("应为日期，不能是 true、false、列表或对象", "填一个日期，如 2026-10-09"),
}
#: Digits of a number up to which spreadsheets and floats hold all that was typed.
EXACT_DIGITS = 14
#: What spreadsheets show where a formula fails.
ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
#: What people write for the value of the row above, which is another one once rows are sorted.
DITTO = frozenset({"同上", "同前", "〃", "″", '"'})
#: Columns whose values are no numbers, although some have nothing but digits.
_NAMES = frozenset({ColumnType.TEXT, ColumnType.CREDIT_CODE, ColumnType.IDENTITY})

#: Columns of names and numbers in which people write several below each other.
_OF_SEVERAL = frozenset({"suspended_permit", "certificate_name", "licence_number"})

#: What is said of a list of penalty kinds that has something else in it.
_NO_KIND = ("列表里有空值，或者不是文字的值", "每一项用文字写一个处罚种类")
#: What is said of a name, number or code that came as a number and lost digits.
NUMBER_OF_A_NAME = (
    Rule.PRECISION,
    "是数字而不是文本，后几位已丢失",
    "把单元格或字段设为文本，按证照重填",
)

Read = tuple[Any, Problem | None]


def read(column: Column, value: Any) -> Read:
    """Return the typed value (None if empty or unreadable) and its problem (None if fine)."""
    if value is None or value == "" or (isinstance(value, str) and value.isspace()):
        return None, None
    if is_code(column, value):
        return _code(column, value)
    odd = _odd(column, value)
    if odd is not None:
        return None, problem(column, *odd)
    if column.type is not ColumnType.TEXT and _is_too_long(column, value):
        return None, problem(column, Rule.LENGTH, "内容过长，不会是该项", "检查是否填错了列")
    return _READERS[column.type](column, value)


def is_code(column: Column, value: object) -> bool:
    """Whether a value stands in the code list of its column, such as 无 of 有、无.

    It is that value, also where it would stand for nothing, or for the row above, elsewhere.
    """
    if column.type is not ColumnType.CODE or not isinstance(value, str):
        return False
    return visible(value).strip() in (column.codes or ())


def _is_too_long(column: Column, value: Any) -> bool:
    if isinstance(value, int):
        return False
    kinds = column.type is ColumnType.PENALTY_KINDS
    return len(str(value)) > (_LONGEST_KINDS if kinds else _LONGEST_CODE)


def _is_list_of_kinds(column: Column, value: Any) -> bool:
    return isinstance(value, list) and column.type is ColumnType.PENALTY_KINDS


def _odd(column: Column, value: Any) -> tuple[Rule, str, str] | None:
    """Return what is wrong with a value that no column of this type has; None if nothing is."""
    wrong = fault_in(value)
    if wrong is not None:
        return wrong
    if isinstance(value, _NESTED) and not _is_list_of_kinds(column, value):
        return Rule.FORMAT, *_NESTED_WORDS.get(column.type, ("应为文字", "填写文字"))
    return NUMBER_OF_A_NAME if column.type in _NAMES and lost_digits(value) else None


def fault_in(value: Any) -> tuple[Rule, str, str] | None:
    """Return what is wrong with a value in every column: a cell without one, an error, 同上."""
    if is_cell(value):
        return _CELL_RULES[value["$cell"]], *fault(value)
    word = visible(value[:_LONGEST_WORD]).strip() if isinstance(value, str) else ""
    if word in ERRORS:
        return Rule.FORMULA, f"单元格是公式错误 {word}", "改正公式，或直接填写该项"
    if word == TO_FILL:
        return Rule.CONFLICT, f"还是“{TO_FILL}”，没有填写", "填写该项；没有内容的，清空这一格"
    if word in DITTO:
        return Rule.FORMAT, f"写的是“{word}”，没有写出内容", "写出内容：每一行单独读，不看上一行"
    return None


def told(value: object) -> str:
    """Return a value as it is quoted to a person: what is no text as JSON has it."""
    if value is None or isinstance(value, _NESTED):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return str(value)


def lost_digits(value: object) -> bool:
    """Whether a value is a number, or a text made from one, that cannot hold all its digits."""
    if isinstance(value, str):
        return is_scientific(value.strip())
    if isinstance(value, Decimal):
        return value.is_finite() and value.adjusted() >= EXACT_DIGITS
    return isinstance(value, int | float) and abs(value) >= 10**EXACT_DIGITS


def missing(column: Column) -> Problem:
    """Return the problem of a required column that is empty."""
    return problem(column, Rule.REQUIRED, "必填项为空", "补填该项")


def _text(column: Column, value: Any) -> Read:
    text = str(value)
    if unusual(text):
        text = visible(text)
        if column.name not in _OF_SEVERAL:
            text = in_one_line(text, column.max_length)
        if lost := lost_characters(text, column.max_length):
            words = f"“{text[:60]}”里有乱码“{lost[:20]}”，原来的字已丢失"
            return None, problem(
                column, Rule.GARBLED, words, "按决定书重填该项，或从原系统重新导出"
            )
        if what := doubtful(text, column.max_length):
            words = f"“{text[:60]}”里有{what}，可能是乱码，丢了一个字"
            fix = "删去问号" if what == "问号" else "改成原来的字"
            return text.strip(), problem(column, Rule.GARBLED, words, f"按决定书核对，{fix}")
    text = text.strip()
    if not text:
        return None, None
    if column.max_length is not None and len(text) > column.max_length:
        words = f"长度{len(text)}，超过上限{column.max_length}"
        return text, problem(column, Rule.LENGTH, words, f"缩短到{column.max_length}字以内")
    return text, None


def _code(column: Column, value: Any) -> Read:
    text = visible(str(value)).strip()
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


def _date(column: Column, value: Any) -> Read:
    day = number_as_date(value) if type(value) is int else parse_date(str(value).strip())
    if day is not None:
        return day, None
    return None, problem(column, Rule.FORMAT, *why_no_date(value))


def _amount(column: Column, value: Any) -> Read:
    amount = read_amount(str(value))
    if amount.wan is not None:
        return amount.wan, None
    return None, problem(column, Rule.FORMAT, amount.wrong, amount.fix)


def _penalty_kinds(column: Column, value: Any) -> Read:
    given = value if isinstance(value, list) else [value]
    if any(one is None or isinstance(one, _NESTED) for one in given):
        return None, problem(column, Rule.FORMAT, *_NO_KIND)
    words = split_kinds(tuple(map(str, given)))
    if not words:
        return None, None
    strange = [word for word in words if not is_penalty_kind(word)]
    if not strange:
        return words, None
    return words, problem(
        column,
        Rule.CODE_LIST,
        f"“{'、'.join(strange)}”不是行政处罚种类",
        "几个种类之间用“、”分开，各写代码表里的词；代码表里没有的，写成“其他-补充说明”",
    )


def problem(column: Column, rule: Rule, message: str, fix: str) -> Problem:
    """Return a problem of one column, which the message begins with."""
    return Problem(field=column.wire, rule=rule, message=f"{column.title}：{message}", fix=fix)


_CELL_RULES = {
    "formula": Rule.FORMULA,
    "cut": Rule.GARBLED,
    "conflict": Rule.CONFLICT,
    "date": Rule.PRECISION,
    "merged": Rule.CONFLICT,
    "shifted": Rule.CONFLICT,
    "shown": Rule.PRECISION,
    "split": Rule.CONFLICT,
    "struck": Rule.CONFLICT,
    "unclear": Rule.FORMAT,
    "unsent": Rule.GARBLED,
}
_READERS: dict[ColumnType, Callable[[Column, Any], Read]] = {
    ColumnType.TEXT: _text,
    ColumnType.DATE: _date,
    ColumnType.AMOUNT: _amount,
    ColumnType.CREDIT_CODE: _credit_code,
    ColumnType.IDENTITY: _identity,
    ColumnType.PENALTY_KINDS: _penalty_kinds,
    ColumnType.CODE: _code,
}
