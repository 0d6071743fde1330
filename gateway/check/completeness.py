"""Check the columns of a decision together (pure): empty, contradictory, and refused ones."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from gateway.check.document_numbers import number_problem
from gateway.check.values import missing, problem
from schemas.codes import (
    OTHER_PENALTY_PREFIX,
    RESIDENT_IDENTITY_CARD,
    RecordKind,
    SubjectCategory,
)
from schemas.columns import Column, Required, columns_of
from schemas.fines import FINES
from schemas.identifiers import fold_once, identity_card_problem, is_identity_number
from schemas.kinds import KINDS
from schemas.problem import Problem, Rule


def lacking(kind: RecordKind, values: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each required column that is empty."""
    asked = (values.get("subject_category"), values.get("penalty_kinds"))
    names, columns = _required_columns(kind, *asked)
    if values.keys() >= names:
        return []
    return [missing(column) for column in columns if column.name not in values]


def required_names(kind: RecordKind, values: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the columns that are required for what is in these values."""
    asked = (values.get("subject_category"), values.get("penalty_kinds"))
    return _required_columns(kind, *asked)[0]


@KINDS.cached
def column_of(kind: RecordKind, name: str) -> Column:
    """Return the column of a field."""
    return next(column for column in columns_of(KINDS[kind].model) if column.name == name)


@KINDS.cached
def _required_columns(
    kind: RecordKind, category: str | None, penalty_kinds: tuple[str, ...] | None
) -> tuple[frozenset[str], list[Column]]:
    """Return names and columns that are required for this category and these penalty kinds."""
    values = {"subject_category": category, "penalty_kinds": penalty_kinds}
    columns = columns_of(KINDS[kind].model)
    always = [column for column in columns if column.required is Required.ALWAYS]
    sometimes = [c for c in columns if c.required in _WHEN and _WHEN[c.required](values)]
    return frozenset(column.name for column in always + sometimes), always + sometimes


def is_natural(values: Mapping[str, Any]) -> bool:
    """Whether the subject is a natural person by its category."""
    return bool(values.get("subject_category") == NATURAL)


def _any_kind(*starts: str) -> Callable[[Mapping[str, Any]], bool]:
    def applies(values: Mapping[str, Any]) -> bool:
        return any(kind.startswith(starts) for kind in values.get("penalty_kinds") or ())

    return applies


NATURAL = SubjectCategory.NATURAL_PERSON.value
_WHEN: dict[Required, Callable[[Mapping[str, Any]], bool]] = {
    Required.CREDIT_CODE_HOLDER: lambda values: not is_natural(values),
    Required.NATURAL_PERSON: is_natural,
    Required.FINE: _any_kind(*FINES, *(f"{OTHER_PENALTY_PREFIX}{one}" for one in FINES)),
    Required.CONFISCATION: _any_kind("没收"),
    Required.SUSPENSION: _any_kind("暂扣", "吊销"),
}


def contradictions(kind: RecordKind, values: Mapping[str, Any], today: date) -> list[Problem]:
    """Return problems of dates: a decision date after today, an end before its start."""
    problems: list[Problem] = []
    decided = values.get("decision_date")
    if decided is not None and decided > today:
        column = column_of(kind, "decision_date")
        words = f"{decided} 晚于今天 {today}"
        problems.append(problem(column, Rule.FUTURE, words, "核对决定书上的日期"))
    starts = values.get("valid_from") or decided
    ends = values.get("valid_until")
    if starts is not None and ends is not None and ends < starts:
        column = column_of(kind, "valid_until")
        words = f"{ends} 早于开始日期 {starts}"
        problems.append(problem(column, Rule.ORDER, words, "核对起止日期"))
    return problems


_NO_NUMBER_FIX = "按决定书填写完整的文号，如 样环罚字〔2026〕1号"
#: Characters of a text in a key at most. An index row of PostgreSQL ends at 2,704 bytes, and a
#: character takes up to four; the longest text that the standard allows has 255.
KEY_LENGTH = 512


def refusals(kind: RecordKind, values: Mapping[str, Any], problems: list[Problem]) -> list[Problem]:
    """Return why the decision cannot be identified; empty if it can.

    It cannot without its number, or what stands in place of it, authority, date and subject.
    """
    found = {problem.field: problem for problem in problems}
    found_ones: list[Problem] = []
    shown = () if KINDS[kind].has_number else KINDS[kind].keys  # in ledgers and mails as they are
    for name in (*KINDS[kind].keys, "authority", "decision_date"):
        value = values.get(name)
        if value is None:
            column = column_of(kind, name)
            found_ones.append(found.get(column.wire) or missing(column))
        elif type(value) is str and (why := _unusable(kind, name, value)):
            found_ones.append(why)
        elif name in shown and is_identity_number(str(value)):
            column = column_of(kind, name)
            words = f"填的是居民身份证号，不是{column.title}"
            found_ones.append(problem(column, Rule.FORMAT, words, "核对是否填错了列"))
        elif name == "document_number" and (
            said := number_problem(value, values.get("decision_date"))
        ):
            words = f"“{value}”{said}，认不出是哪一个决定"
            column = column_of(kind, name)
            found_ones.append(problem(column, Rule.FORMAT, words, _NO_NUMBER_FIX))
    return found_ones + _subject_refusals(kind, values, found)


def _unusable(kind: RecordKind, name: str, text: str) -> Problem | None:
    """Return why a text cannot be part of a key; None if it can."""
    if len(text) <= KEY_LENGTH and text[:1].isalpha():
        return None  # the way of most
    column = column_of(kind, name)
    if len(text) > KEY_LENGTH:
        words = f"长度{len(text)}，不可能是{column.title}"
        return problem(column, Rule.LENGTH, words, "核对是否填错了列")
    if not any(map(str.isalnum, text)):
        return problem(column, Rule.FORMAT, f"“{text}”里没有文字和数字", f"填写{column.title}")
    if not text.strip("0"):  # what a formula gives that found nothing
        return problem(column, Rule.FORMAT, f"“{text}”不是{column.title}", f"填写{column.title}")
    return None


def _subject_refusals(
    kind: RecordKind, values: Mapping[str, Any], found: Mapping[str, Problem]
) -> list[Problem]:
    """Return why the subject cannot be identified.

    A name alone identifies nobody, and a code with a wrong check digit may be that of another
    subject.
    """
    name = "identity_number" if is_natural(values) else "credit_code"
    column = column_of(kind, name)
    if name not in values:
        return [found.get(column.wire) or missing(column)]
    if name == "identity_number":
        why = _identity_problem(values)
        return [] if why is None else [problem(column, *why)]
    if column.wire in found:
        return [found[column.wire]]
    if is_identity_number(values[name]):
        return [problem(column, Rule.CHECK_DIGIT, _IS_IDENTITY, "填营业执照上的代码")]
    return []


_IS_IDENTITY = "填的是居民身份证号，不是统一社会信用代码"
#: Documents with a number by GB 11643, however they are called; those of Hong Kong, Macao, Taiwan,
#: the army and of foreigners have others. 111 is the resident card among codes of documents.
_RESIDENT_CARD = re.compile(
    r"(中华人民共和国|中国|国内|内地|大陆)?(第?[一二12]代)?(临时)?(居民|公民)?(二代)?身[份分]"
    r"(证|证件|证明)?(号|号码|编号)?|ID(CARD)?(NUMBER|NO)?|111"
)
#: Documents that may have 18 digits by another rule.
_FROM_OUTSIDE = re.compile("港|澳|台|外国|外籍|境外|国外|海外|永久居留|永居|通行证|回乡")
_EIGHTEEN = re.compile(r"\d{17}[\dX]", re.ASCII)
#: As the names are written in Hong Kong, Macao and Taiwan.
_SIMPLIFIED = str.maketrans("證號碼國門臺灣臨時內陸編", "证号码国门台湾临时内陆编")
_SIGNS = re.compile(r"[^\w]|_")
_BRACKETS = re.compile(r"\([^()]*\)")
#: A number of another document has letters and digits, and nothing that hides some of them.
_HIDES = re.compile(r"[*?#＊●○■□×…]|[xX]{3,}")
_LEAST_CHARACTERS = 4


def _identity_problem(values: Mapping[str, Any]) -> tuple[Rule, str, str] | None:
    number = values["identity_number"]
    kind = values.get("identity_type") or RESIDENT_IDENTITY_CARD
    if _is_resident_card(kind, has_its_length=_EIGHTEEN.fullmatch(number) is not None):
        why = identity_card_problem(number)
        return None if why is None else (Rule.CHECK_DIGIT, why, "按身份证件核对号码")
    told = [c for c in number if c.isascii() and c.isalnum()]
    is_short = len(told) < _LEAST_CHARACTERS or len(set(told)) == 1
    if _HIDES.search(number) or is_short or not any(map(str.isdigit, told)):
        return Rule.FORMAT, "不是完整的证件号码，认不出是哪一个人", "按证件填写完整的号码"
    return None


@lru_cache(maxsize=1024)
def _is_resident_card(kind: str, *, has_its_length: bool) -> bool:
    """Whether a document is a resident card: by its name, or by its number whatever it is called.

    A clerk who picks 护照 in place of 身份证 types the number of the card all the same.
    """
    whole = fold_once(kind).translate(_SIMPLIFIED)
    if _RESIDENT_CARD.fullmatch(_SIGNS.sub("", _BRACKETS.sub("", whole))) is not None:
        return True
    return has_its_length and _FROM_OUTSIDE.search(whole) is None
