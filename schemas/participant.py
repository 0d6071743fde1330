"""Participants 参评单位: entries of the register of those who are graded.

Sources: 内蒙古 draft art. 16 (一) and 17 (一) (lists by 31 January and 31 March, sites by permit),
and the four batches of 新乡市2025年度动态调整通知 一.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from schemas.base import NonBlank, Schema, plain_number
from schemas.codes import RecordKind, SubjectKind
from schemas.event import Day, as_credit_code, as_identity_number
from schemas.identifiers import fold_once, half_width

#: The words of registers for the kinds of subjects.
KIND_WORDS: Mapping[str, SubjectKind] = {
    **dict.fromkeys(("企事业单位", "企业", "事业单位", "排污单位"), SubjectKind.ENTERPRISE),
    **dict.fromkeys(("第三方服务机构", "生态环境服务机构", "服务机构", "机构"), SubjectKind.AGENCY),
    **dict.fromkeys(("从业人员", "个人", "自然人"), SubjectKind.INDIVIDUAL),
    **dict.fromkeys(("厂址", "按排污许可证参评的厂址"), SubjectKind.SITE),
}
_SEVERAL = re.compile(r"[、，,;；\n]")
_SEPARATORS = re.compile(r"[、，,;；/|\s]+")


def _kind(value: object) -> object:
    word = half_width(value).strip() if isinstance(value, str) else value
    if word in KIND_WORDS or word in set(SubjectKind):
        return KIND_WORDS.get(str(word), word)
    raise ValueError(f"“{word}”不认识，填 企事业单位、第三方服务机构、从业人员 或 厂址")


def _words(value: object) -> object:
    return _words_of(value) if isinstance(value, str) else value


def _words_of(text: str) -> tuple[str, ...]:
    return tuple(word for word in _SEPARATORS.split(text.strip()) if word)


def _weight(value: object) -> object:
    try:
        weight = Decimal(half_width(str(value)).strip().removesuffix("%").replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"“{value}”不是数，填产值或所占比例的数") from None
    if not weight.is_finite() or weight <= 0:
        raise ValueError(f"“{value}”应大于0")
    return weight


def _permit(value: object) -> object:
    if isinstance(value, str) and _SEVERAL.search(value.strip()):
        raise ValueError("一格写了几个许可证，一个许可证填一行")
    return fold_once(value) if isinstance(value, str) else value


#: The words of an entry without an id of its own.
_KINDS: Mapping[str, str] = {
    SubjectKind.ENTERPRISE: "企事业单位",
    SubjectKind.AGENCY: "第三方服务机构",
    SubjectKind.INDIVIDUAL: "从业人员",
    SubjectKind.SITE: "厂址",
}


def _name(data: Mapping[str, Any]) -> str:
    """Return the name of an entry without an id: batch, else first day, then kind and permit.

    A list that is drawn up anew each year makes entries of its own, and a corrected one the same.
    """
    word = half_width(str(data.get("subject_kind"))).strip()
    kind = _KINDS.get(KIND_WORDS.get(word, word), word)
    parts = (data.get("batch") or data.get("since"), kind, data.get("permit"))
    return " ".join(fold_once(str(part)) for part in parts if part) or "参评"


class Participant(Schema):
    """One entry of the register: from when to when a subject takes part, and as what.

    A legal person with several sites has an entry for each permit. Columns that nobody here reads
    are left out: registers have many. Without an `id`, what it says names the entry.
    """

    model_config = ConfigDict(extra="ignore")
    KIND: ClassVar[RecordKind] = RecordKind.PARTICIPANT

    id: NonBlank = Field(title="名录编号", max_length=256)
    subject_code: str | None = Field(default=None, title="统一社会信用代码")
    identity_number: str | None = Field(
        default=None, title="身份证号（从业人员）", max_length=18, repr=False
    )
    subject_name: str | None = Field(default=None, title="单位名称", max_length=200)
    subject_kind: Annotated[SubjectKind, BeforeValidator(_kind)] = Field(title="参评类别")
    since: Day = Field(title="参评日期")
    until: Day | None = Field(default=None, title="退出日期")
    reason: NonBlank | None = Field(default=None, title="退出原因", max_length=200)
    batch: NonBlank | None = Field(default=None, title="批次", max_length=120)
    agency_kinds: Annotated[tuple[NonBlank, ...], BeforeValidator(_words)] | None = Field(
        default=None, title="机构类型", max_length=20
    )
    permit: Annotated[NonBlank, BeforeValidator(_permit)] | None = Field(
        default=None, title="排污许可证编号", max_length=120
    )
    weight: Annotated[Decimal, BeforeValidator(_weight)] | None = Field(
        default=None, title="产值占比", max_digits=18, decimal_places=6
    )
    parent_code: str | None = Field(default=None, title="所属法人统一社会信用代码")

    _code = field_validator("subject_code", "parent_code")(as_credit_code)
    _identity = field_validator("identity_number")(as_identity_number)
    _plain = field_validator("weight")(lambda weight: weight and plain_number(weight))

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or data.get("id"):
            return data
        return {**data, "id": _name(data)}
