"""Problems of events and received grades, in Chinese (pure)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from gateway.check.fields import title_of
from gateway.check.values import told
from schemas.base import Schema
from schemas.codes import (
    ABOUT_A_DECISION,
    EventType,
    RecordKind,
    SubjectKind,
)
from schemas.event import CreditEvent, ReceivedGrade
from schemas.kinds import KINDS
from schemas.participant import Participant
from schemas.problem import Problem, Rule
from schemas.record import Message

#: What has happened, or nothing follows from it yet.
_PAST = (
    "occurred_on",
    "rectified_on",
    "repair_applied_on",
    "repair_confirmed_on",
    "confirmed_on",
)


def message_problem(record: Message, today: date) -> Problem | None:
    """Return what is wrong with a message beyond its single fields; None if nothing is."""
    if isinstance(record, CreditEvent):
        return event_problem(record, today)
    if isinstance(record, ReceivedGrade):
        return _future(RecordKind.GRADE, record, ("effective_on",), today)
    return participant_problem(record) if isinstance(record, Participant) else None


def event_problem(event: CreditEvent, today: date) -> Problem | None:
    """Return what is wrong with an event beyond its single fields; None if nothing is."""
    future = _future(RecordKind.EVENT, event, _PAST, today)
    if future is not None:
        return future
    if event.type is None and event.item is None:
        return Problem(
            field="type", rule=Rule.REQUIRED, message="信息类型：必填项为空", fix="填 type 或 item"
        )
    if (event.subject_code is None) == (event.identity_number is None):
        return Problem(
            field="subject_code",
            rule=Rule.REQUIRED,
            message="统一社会信用代码、身份证号：须填其中一项",
            fix="单位填 subject_code，从业人员填 identity_number",
        )
    if event.type in ABOUT_A_DECISION and event.decision is None:
        return Problem(
            field="decision",
            rule=Rule.REQUIRED,
            message=f"所依据的决定：{EventType(str(event.type)).value} 必须写明是哪个决定",
            fix="填 decision 的 kind、document_number 和 authority",
        )
    return _confirmation_problem(event) or (
        _repair_problem(event) if event.type is EventType.PUBLICITY_REPAIR else None
    )


def _future(kind: RecordKind, record: Message, names: Sequence[str], today: date) -> Problem | None:
    """Return the first of these days that has not come yet."""
    for name in names:
        day = getattr(record, name)
        if day is not None and day > today:
            return Problem(
                field=name,
                rule=Rule.FUTURE,
                message=f"{title_of(kind, name)}：{day.isoformat()} 还没有到",
                fix="核对日期；确是将来的事，到那天再报",
            )
    return None


def _confirmation_problem(event: CreditEvent) -> Problem | None:
    """Return what is wrong with a confirmation; nothing else confirms itself."""
    if event.type is not EventType.CONFIRMATION and (event.confirmed_on or event.confirmed_by):
        return Problem(
            field="confirmed_on",
            rule=Rule.CONFLICT,
            message="审核确认：不能随信息一起填",
            fix="删去；审核的部门另报一条 type 为 confirmation 的信息",
        )
    if event.type is EventType.CONFIRMATION and event.confirmed_by is None:
        return Problem(
            field="confirmed_by",
            rule=Rule.REQUIRED,
            message="审核确认机关：必填项为空",
            fix="填审核确认这条信息的生态环境部门",
        )
    return None


def participant_problem(entry: Participant) -> Problem | None:
    """Return what is wrong with an entry of the register beyond its single fields."""
    if (entry.subject_code is None) == (entry.identity_number is None):
        return Problem(
            field="subject_code",
            rule=Rule.REQUIRED,
            message="统一社会信用代码、身份证号：须填其中一项",
            fix="单位填统一社会信用代码，从业人员填身份证号",
        )
    if entry.until is not None and entry.until < entry.since:
        return Problem(
            field="until",
            rule=Rule.ORDER,
            message=f"退出日期：{entry.until} 早于参评日期 {entry.since}",
            fix="核对两个日期；退出日期是参评的最后一天",
        )
    is_person = entry.subject_kind is SubjectKind.INDIVIDUAL or entry.identity_number is not None
    if entry.parent_code is not None and is_person:
        return Problem(
            field="parent_code",
            rule=Rule.CONFLICT,
            message="所属法人统一社会信用代码：从业人员的信用不并入单位",
            fix="从业人员不填这一项；分支机构才填",
        )
    if entry.parent_code is not None and entry.parent_code == entry.subject_code:
        return Problem(
            field="parent_code",
            rule=Rule.CONFLICT,
            message="所属法人统一社会信用代码：与本单位的相同",
            fix="分支机构填法人的代码，不是分支机构的不填",
        )
    return None


def _repair_problem(event: CreditEvent) -> Problem | None:
    """Return what a publicity repair lacks; only what makes bad faith has one."""
    kind = None if event.decision is None else KINDS[event.decision.kind]
    if kind is not None and not (kind.reported and kind.makes_fact):
        return Problem(
            field="decision.kind",
            rule=Rule.CODE_LIST,
            message=f"所依据的决定：{kind.title}不是失信信息，没有信用修复",
            fix="核对决定的种类，行政处罚填 penalty",
        )
    if event.letter is None:
        return Problem(
            field="letter",
            rule=Rule.REQUIRED,
            message="信用修复决定书文号：必填项为空",
            fix="填信用修复决定书（或准予修复通知）的文号，occurred_on 填它的日期",
        )
    return None


def validated(
    kind: RecordKind, fields: Mapping[str, Any], problems: list[Problem]
) -> Schema | None:
    """Return the message of these fields; None with problems, to which those found are added."""
    told = {(problem.field,) for problem in problems}
    try:
        record = KINDS[kind].model.model_validate(fields)
    except ValidationError as error:
        lines = [line for line in error.errors() if line["loc"][:1] not in told]
        problems += [_from_pydantic(kind, line) for line in lines]
        return None
    return None if problems else record


def _from_pydantic(kind: RecordKind, line: Any) -> Problem:
    """Turn one of pydantic's errors into a problem in Chinese."""
    name = ".".join(str(part) for part in line["loc"])
    title = title_of(kind, str(line["loc"][0]) if line["loc"] else "") or name
    rule, words, fix = _said(line)
    return Problem(field=name, rule=rule, message=f"{title}：{words}", fix=fix)


def _said(line: Any) -> tuple[Rule, str, str]:
    """Return the rule of an error, what is wrong, and the fix."""
    context = line.get("ctx", {})
    known = _SAID.get(line["type"])
    if known is None:
        return Rule.FORMAT, *_words_and_fix(str(context.get("error") or "格式不对"))
    given = {
        "input": told(line["input"]),
        **context,
        "expected": _listed(context.get("expected", "")),
    }
    rule, words, fix = known
    return rule, words.format_map(given), fix.format_map(given)


_DECIMAL = (Rule.FORMAT, "“{input}”不是数", "只填数字")
_BOOLEAN = (Rule.FORMAT, "“{input}”看不出是还是否", "填 true（是）或 false（否）")
_LISTED = (Rule.FORMAT, "“{input}”不在代码表内", "填其中之一：{expected}")
#: What is said of pydantic's errors, by their type.
_SAID = {
    "missing": (Rule.REQUIRED, "必填项为空", "补填该项"),
    "extra_forbidden": (Rule.FORMAT, "没有这个字段", "删去，或放进 details"),
    "string_too_short": (Rule.FORMAT, "内容为空", "填写内容，或删去该字段"),
    "string_too_long": (Rule.LENGTH, "超过上限{max_length}字", "缩短到{max_length}字以内"),
    "string_type": (Rule.FORMAT, "应为文字", "填写文字"),
    "enum": _LISTED,
    "literal_error": _LISTED,
    "decimal_max_places": (
        Rule.FORMAT,
        "超过{decimal_places}位小数",
        "四舍五入到{decimal_places}位小数",
    ),
    "decimal_parsing": _DECIMAL,
    "decimal_type": _DECIMAL,
    "bool_parsing": _BOOLEAN,
    "bool_type": _BOOLEAN,
}


def _listed(expected: str) -> str:
    """Return pydantic's list of words in Chinese."""
    return expected.replace(" or ", ", ").replace(", ", "、").replace("'", "")


def _words_and_fix(told: str) -> tuple[str, str]:
    """Return the two halves of an error of ours, of which some say the fix behind a comma."""
    words, _, fix = told.rpartition("，")
    return (words, fix) if words and fix[0] in "填写一" else (told, "按原件核对，重填该项")
