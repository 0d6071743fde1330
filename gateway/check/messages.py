"""Problems of events and received grades, in Chinese (pure)."""

from collections.abc import Container, Mapping
from datetime import date
from typing import Any

import orjson

from gateway.check.dates import parse_date
from gateway.check.rows import WRITTEN_BY_US
from schemas.cell import is_empty
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
from schemas.record import RECORD_KINDS, Message

#: What has happened, or nothing follows from it yet.
_PAST = (
    "occurred_on",
    "rectified_on",
    "repair_applied_on",
    "repair_confirmed_on",
    "confirmed_on",
)


#: The days of an entry of the register.
_REGISTER_DAYS = ("since", "until")


def fields_of(
    kind: RecordKind, row: Mapping[str, Any], placeholders: Container[object]
) -> dict[str, Any]:
    """Return the fields of a message; those of an entry of the register as tables have them."""
    fields = {name: _unfolded(v) for name, v in row.items() if name not in WRITTEN_BY_US}
    if kind is not RecordKind.PARTICIPANT:
        return fields
    filled = {name: v for name, v in fields.items() if not is_empty(v, placeholders)}
    days = {n: parse_date(v) for n in _REGISTER_DAYS if isinstance(v := filled.get(n), str)}
    return filled | {name: day.isoformat() for name, day in days.items() if day is not None}


def _unfolded(value: Any) -> Any:
    """Return a list or object from a cell of the problem workbook, which has them as JSON."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return orjson.loads(value)
        except ValueError:
            return value
    return value


def message_problem(record: Message, today: date) -> Problem | None:
    """Return what is wrong with a message beyond its single fields; None if nothing is."""
    if isinstance(record, CreditEvent):
        return event_problem(record, today)
    return participant_problem(record) if isinstance(record, Participant) else None


def event_problem(event: CreditEvent, today: date) -> Problem | None:
    """Return what is wrong with an event beyond its single fields; None if nothing is."""
    for name in _PAST:
        day = getattr(event, name)
        if day is not None and day > today:
            return Problem(
                field=name,
                rule=Rule.FUTURE,
                message=f"{_title(RecordKind.EVENT, name)}：{day.isoformat()} 还没有到",
                fix="核对日期；确是将来的事，到那天再报",
            )
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


def graded(record: ReceivedGrade, words: Mapping[str, str] | None) -> ReceivedGrade | Problem:
    """Return a received grade by the name that its rule set has for it, or what is wrong with it.

    Without `words` the rule set is not here, and the grade stays as it is.
    """
    if words is None or record.grade in words.values():
        return record
    grade = words.get(record.grade)
    if grade is not None:
        return record.model_copy(update={"grade": grade})
    known = "、".join(dict.fromkeys(words.values()))
    return Problem(
        field="grade",
        rule=Rule.CODE_LIST,
        message=f"等级：“{record.grade}”不是 {record.rule_set} 的等级",
        fix=f"填 {known} 之一，或对应的名称、颜色",
    )


def from_pydantic(kind: RecordKind, line: Any) -> Problem:
    """Turn one of pydantic's errors into a problem in Chinese."""
    name = ".".join(str(part) for part in line["loc"])
    title = _title(kind, str(line["loc"][0]) if line["loc"] else "") or name
    rule, words, fix = _said(line)
    return Problem(field=name, rule=rule, message=f"{title}：{words}", fix=fix)


def _title(kind: RecordKind, name: str) -> str | None:
    field = RECORD_KINDS[kind].model_fields.get(name)
    return field.title if field else None


def _said(line: Any) -> tuple[Rule, str, str]:
    """Return the rule of an error, what is wrong, and the fix."""
    context = line.get("ctx", {})
    match line["type"]:
        case "missing":
            return Rule.REQUIRED, "必填项为空", "补填该项"
        case "extra_forbidden":
            return Rule.FORMAT, "没有这个字段", "删去，或放进 details"
        case "string_too_short":
            return Rule.FORMAT, "内容为空", "填写内容，或删去该字段"
        case "string_too_long":
            limit = context["max_length"]
            return Rule.LENGTH, f"超过上限{limit}字", f"缩短到{limit}字以内"
        case _:
            return Rule.FORMAT, str(context.get("error") or "格式不对"), "按接口说明填写该项"
