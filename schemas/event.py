"""Credit events 环保信用信息 and grades computed elsewhere 外部评定等级."""

import re
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, field_validator

from schemas.base import NonBlank, Schema, plain_number
from schemas.codes import EventType, RecordKind
from schemas.identifiers import credit_code_problem, fold, fold_once, identity_card_problem


def as_credit_code(code: str | None) -> str | None:
    """Return a credit code in its normal form; raises ValueError for what is none."""
    if code is None:
        return None
    normalised = fold(code)
    problem = credit_code_problem(normalised)
    if problem:
        raise ValueError(problem)
    return normalised


def as_identity_number(number: str | None) -> str | None:
    """Return an identity number in its normal form; raises ValueError for what is none."""
    if number is None:
        return None
    normalised = fold_once(number)
    problem = identity_card_problem(normalised)
    if problem:
        raise ValueError(problem)
    return normalised


def _plain_points(points: Decimal | None) -> Decimal | None:
    """Return points written plainly: the same points are the same content, however written."""
    return points and plain_number(points)


_YEAR_MONTH_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")


def _day(value: object) -> date:
    """Read a date as it is written in decisions; a number would be read as seconds."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and (match := _YEAR_MONTH_DAY.fullmatch(value.strip())):
        with suppress(ValueError):
            return date(*map(int, match.groups()))
    raise ValueError("不是日期，写成 2026-10-01")


#: A date as it is written: YYYY-MM-DD or YYYY/MM/DD.
Day = Annotated[date, BeforeValidator(_day)]


class DecisionReference(Schema):
    """Which decision an event is about."""

    kind: RecordKind = Field(title="决定种类")
    document_number: NonBlank = Field(title="文书号", max_length=128)
    authority: NonBlank = Field(title="决定机关", max_length=200)


def _with_verb(schema: dict[str, Any]) -> None:
    """Add the verb to the schema: what becomes of the message; it is none of its fields."""
    schema["properties"]["verb"] = {
        "title": "操作（withdraw 或 撤回：撤回这条信息）",
        "type": "string",
    }


class CreditEvent(Schema):
    """One credit event of a subject; process types change the fact of a decision."""

    model_config = ConfigDict(json_schema_extra=_with_verb)
    KIND: ClassVar[RecordKind] = RecordKind.EVENT

    id: NonBlank = Field(title="信息编号", max_length=128)
    subject_code: str | None = Field(default=None, title="统一社会信用代码")
    identity_number: str | None = Field(
        default=None, title="身份证号（从业人员）", max_length=18, repr=False
    )
    subject_name: str | None = Field(default=None, title="单位或人员名称", max_length=200)
    type: EventType | None = Field(default=None, title="信息类型")
    item: NonBlank | None = Field(default=None, title="评价项", max_length=32)
    occurred_on: Day = Field(title="发生日期")
    decision: DecisionReference | None = Field(default=None, title="所依据的决定")
    rectified_on: Day | None = Field(default=None, title="整改完成日期")
    repair_applied_on: Day | None = Field(default=None, title="修复申请日期")
    repair_confirmed_on: Day | None = Field(default=None, title="修复确认日期")
    warning_until: Day | None = Field(default=None, title="预警期限")
    principal_points: Decimal | None = Field(
        default=None, title="委托单位扣分", ge=0, le=1000, decimal_places=6
    )
    created_on: Day | None = Field(default=None, title="信息产生日期")
    codes: tuple[NonBlank, ...] | None = Field(default=None, title="违法行为代码", max_length=50)
    stated_points: Decimal | None = Field(
        default=None, title="决定所载分值或指标得分", ge=0, le=1000, decimal_places=6
    )
    letter: NonBlank | None = Field(default=None, title="信用修复决定书文号", max_length=128)
    severity: Literal["轻微", "一般", "严重"] | None = Field(
        default=None, title="决定书认定的失信程度"
    )
    self_reported: bool | None = Field(default=None, title="是否参评单位自行上传")
    confirmed_on: Day | None = Field(default=None, title="审核确认日期")
    confirmed_by: NonBlank | None = Field(default=None, title="审核确认机关", max_length=200)
    suspected: bool = Field(default=True, title="是否涉嫌（false 为解除）")
    details: dict[str, Any] = Field(
        default_factory=dict, title="其他内容（department 部门、site 厂址的排污许可证编号参与评价）"
    )

    _code = field_validator("subject_code")(as_credit_code)
    _identity = field_validator("identity_number")(as_identity_number)
    _plain = field_validator("principal_points", "stated_points")(_plain_points)


class ReceivedGrade(Schema):
    """A grade that somebody else computed (Henan's provincial system); it wins over our own.

    Only where the rule set of the subject's region takes such grades.
    """

    model_config = ConfigDict(json_schema_extra=_with_verb)
    KIND: ClassVar[RecordKind] = RecordKind.GRADE

    id: NonBlank = Field(title="等级编号", max_length=128)
    subject_code: str = Field(title="统一社会信用代码")
    subject_name: str | None = Field(default=None, title="单位名称", max_length=200)
    rule_set: NonBlank = Field(title="评价办法", max_length=64)
    grade: NonBlank = Field(title="等级", max_length=32)
    score: Decimal | None = Field(default=None, title="得分", max_digits=12, decimal_places=6)
    issued_by: NonBlank = Field(title="评定机关", max_length=200)
    effective_on: Day = Field(title="生效日期")

    _code = field_validator("subject_code")(as_credit_code)
    _plain = field_validator("score")(_plain_points)
