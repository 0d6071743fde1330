"""Values that can be read and hardly be meant (pure): garbled, doubtful, in the wrong unit."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.check.amounts import YUAN_PER_WAN
from gateway.check.comparisons import before_1990, typed_in_yuan
from gateway.check.completeness import column_of, is_natural, required_names
from gateway.check.garbled import misread
from gateway.check.penalty_kinds import kinds_with_amounts
from gateway.check.values import problem
from gateway.check.written_amounts import yuan_in
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.kinds import KINDS
from schemas.problem import Problem, Rule

#: A credit code or another number of a company, perhaps cut.
_CODE = re.compile(r"(?=(?:[A-Z]*[0-9]){8})[0-9A-Z]{10,20}", re.ASCII | re.IGNORECASE)
#: Rules whose breach refuses the item.
_LOSSES = frozenset({Rule.PRECISION, Rule.GARBLED, Rule.CONFLICT})


def unfit(kind: RecordKind, values: dict[str, Any], row: Mapping[str, Any]) -> list[Problem]:
    """Return problems of values that can be read but not be meant; they are taken out.

    `row` is what was given: an amount in a penalty kind, as in 罚款（3万元）, is in no value.
    """
    found: list[Problem] = []
    name = values.get("subject_name")
    if name and misread(name):
        words = f"“{name[:60]}”是用错了编码读出来的乱码"
        found.append(
            problem(
                column_of(kind, "subject_name"), Rule.GARBLED, words, "从原系统按 UTF-8 重新导出"
            )
        )
    elif name and not is_natural(values) and (said := _no_name(name)):
        del values["subject_name"]
        column = column_of(kind, "subject_name")
        found.append(problem(column, Rule.FORMAT, f"“{name[:60]}”{said}", "按决定书填写完整的名称"))
    for field, wrong in (*typed_in_yuan(kind, values), *before_1990(kind, values)):
        del values[field]
        found.append(wrong)
    if values.get("penalty_kinds") and values.get("fine_wan") is not None:
        found += _amounts_of_kinds(kind, values, row)
    return found


def _no_name(text: str) -> str | None:
    """Return in Chinese why a text is no name of a company; None if it may be one."""
    if not any(map(str.isalpha, text)):
        return "里没有文字，不是名称"
    return "像是证照号码，不是名称" if text.isascii() and _CODE.fullmatch(text) else None


def _amounts_of_kinds(
    kind: RecordKind, values: Mapping[str, Any], row: Mapping[str, Any]
) -> list[Problem]:
    """Return a problem if the amount behind a penalty kind is not the fine."""
    column, fine = column_of(kind, "penalty_kinds"), values["fine_wan"]
    given = row.get(column.wire)
    told = kinds_with_amounts(tuple(map(str, given)) if type(given) is list else (str(given),))
    if not told:
        return []
    amounts = [amount for one in told for amount in yuan_in(one)]
    if not amounts or fine * YUAN_PER_WAN in {*amounts, sum(amounts)}:
        return []
    words = f"“{'、'.join(told)}”里的金额与罚款金额 {fine} 万元不一致"
    return [problem(column, Rule.AMOUNT, words, "按决定书核对金额；处罚类别只写种类")]


def doubted(
    kind: RecordKind, values: dict[str, Any], problems: list[Problem]
) -> tuple[list[Problem], list[Problem]]:
    """Return the problems of texts with a question mark: those that hold, and those that warn.

    The mark may be a lost character, or the clerk's own. The value of a required column is taken
    out, which refuses the decision only where it cannot be identified without it; that of another
    column stays, and its problem becomes a warning.
    """
    if not problems or all(one.rule is not Rule.GARBLED for one in problems):
        return [], []
    names = {column.wire: column.name for column in columns_of(KINDS[kind].model)}
    doubts = [
        one for one in problems if one.rule is Rule.GARBLED and names.get(one.field) in values
    ]
    required = required_names(kind, values)
    held = [one for one in doubts if names[one.field] in required]
    for one in held:
        del values[names[one.field]]
    warned = [one for one in doubts if one not in held]
    problems[:] = [one for one in problems if one not in warned]
    return held, warned


def lost(problems: list[Problem], doubts: list[Problem]) -> list[Problem]:
    """Return what refuses the item, whichever column it is: what was typed is not what came."""
    return [one for one in problems if one.rule in _LOSSES and one not in doubts]
