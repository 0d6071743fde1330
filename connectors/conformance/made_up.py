"""Made-up items, plainly marked as tests: a company, region and authority that do not exist."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.conformance.trial import ItemMaker
from schemas.base import SHANGHAI
from schemas.codes import RecordKind, SubjectCategory, Verb
from schemas.columns import Column, ColumnType, Required, columns_of
from schemas.delivery import Item, ItemKind
from schemas.identifiers import credit_code
from schemas.kinds import KINDS, Kind
from schemas.messages import GradeChanged, RuleSetName

#: A region that does not exist, so that no company here is a real one.
_REGION = "159900"
SUBJECT_CODE = credit_code(f"91{_REGION}MA0000001")
SUBJECT_NAME = "通道测试有限公司（测试）"
_AUTHORITY_CODE = credit_code(f"11{_REGION}000000001")
_REMARK = "通道测试数据，非真实决定"
_TEXTS = {"subject_name": SUBJECT_NAME, "remark": _REMARK}
#: Columns that every item has, whatever its category.
_FILLED = frozenset({Required.ALWAYS, Required.CREDIT_CODE_HOLDER})


def made_up(kind: str, now: datetime) -> ItemMaker:
    """Return a maker of items of a record kind, or of grade changes.

    The time goes into keys and document numbers, so that no later run makes the same items.
    """
    return partial(_item, kind, now)


def _item(kind: str, now: datetime, number: int, /, **changes: Any) -> Item:
    at = now.astimezone(SHANGHAI)
    run = f"{at:%m%d%H%M%S}{at.microsecond // 1000:03}"
    given: dict[str, Any] = {
        "delivery_id": number,
        "key": f"test-{at:%Y}{run}-{number}",
        "item_kind": ItemKind.GRADE_CHANGE,
        "record_kind": kind,
        "verb": Verb.NEW,
        "version": 1,
        "subject_code": SUBJECT_CODE,
        "occurred_at": now,
        "columns": _grade_change(number, at),
    }
    if kind in KINDS:
        of = KINDS[RecordKind(kind)]
        columns = _record(of, f"测试〔{at:%Y}〕{run}{number:02}号", at)
        given |= {
            "item_kind": ItemKind.RECORD_VERSION,
            "document_number": "，".join(str(columns[of.column(name)]) for name in of.keys),
            "decision_date": at.date(),
            "columns": columns,
        }
    return Item.model_validate(given | changes)


def _record(kind: Kind, document: str, at: datetime) -> dict[str, Any]:
    """Return the columns of a decision, as complete as the standard asks for."""
    made = {
        column.wire: _value(column, at)
        for column in columns_of(kind.model)
        if column.required in _FILLED or column.name == "remark"
    }
    number = next(one for one in columns_of(kind.model) if one.wire == kind.number_column)
    told_apart = number.type is ColumnType.TEXT
    return made | ({number.wire: document[: number.max_length]} if told_apart else {})


def _value(column: Column, at: datetime) -> str:
    match column.type:
        case ColumnType.DATE:
            years = 1 if "until" in column.name else 0
            return (at.date() + timedelta(days=365 * years)).isoformat()
        case ColumnType.CREDIT_CODE:
            return SUBJECT_CODE if column.name == "credit_code" else _AUTHORITY_CODE
        case ColumnType.PENALTY_KINDS:
            return "警告"
        case ColumnType.CODE:
            codes = column.codes or frozenset({"1"})
            ours = SubjectCategory.LEGAL_PERSON
            return str(ours if ours in codes else min(codes))
        case ColumnType.AMOUNT:
            return "0"
        case ColumnType.TEXT | ColumnType.IDENTITY:
            said = _TEXTS.get(column.name, f"{column.title}（测试）")
            return said[: column.max_length]


def _grade_change(number: int, at: datetime) -> dict[str, Any]:
    return GradeChanged(
        number=number,
        subject_code=SUBJECT_CODE,
        subject_name=SUBJECT_NAME,
        from_grade="测试",
        to_grade="测试",
        direction="same",
        cause="test",
        reasons=(_REMARK,),
        score=None,
        trial=True,
        rule_set=RuleSetName(name="test", version="test", status="draft"),
        effective_on=at.date(),
        recorded_at=at,
    ).model_dump(mode="json")
