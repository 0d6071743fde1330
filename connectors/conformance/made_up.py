"""Made-up items, plainly marked as tests: a company, region and authority that do not exist."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.conformance.trial import ItemMaker
from schemas.base import SHANGHAI
from schemas.codes import RecordKind, Verb
from schemas.delivery import Item, ItemKind
from schemas.identifiers import credit_code
from schemas.messages import GradeChanged, RuleSetName

#: A region that does not exist, so that no company here is a real one.
_REGION = "159900"
SUBJECT_CODE = credit_code(f"91{_REGION}MA0000001")
SUBJECT_NAME = "通道测试有限公司（测试）"
_AUTHORITY_CODE = credit_code(f"11{_REGION}000000001")
_AUTHORITY = "样例市生态环境局（测试）"
_REMARK = "通道测试数据，非真实决定"


def made_up(kind: str, now: datetime) -> ItemMaker:
    """Return a maker of items of a record kind, or of grade changes.

    The time goes into keys and document numbers, so that no later run makes the same items.
    """
    return partial(_item, kind, now)


def _item(kind: str, now: datetime, number: int, /, **changes: Any) -> Item:
    run = f"{now.astimezone(SHANGHAI):%Y%m%d%H%M%S}{now.microsecond // 1000:03}"
    document = None if kind not in _COLUMNS else f"测试〔{now:%Y}〕{run[4:]}{number:02}号"
    made = Item(
        delivery_id=number,
        key=f"test-{run}-{number}",
        item_kind=ItemKind.GRADE_CHANGE if document is None else ItemKind.RECORD_VERSION,
        record_kind=kind,
        verb=Verb.NEW,
        version=1,
        subject_code=SUBJECT_CODE,
        document_number=document,
        decision_date=None if document is None else now.astimezone(SHANGHAI).date(),
        occurred_at=now,
        columns=_grade_change(number, now) if document is None else _record(kind, document, now),
    )
    return made.model_copy(update=changes)


def _record(kind: str, document: str, now: datetime) -> dict[str, Any]:
    """Return the columns of a decision, as complete as the standard asks for."""
    day = now.astimezone(SHANGHAI).date()
    until = (day + timedelta(days=365)).isoformat()
    return {
        name: value.format(document=document, day=day.isoformat(), until=until)
        for name, value in _COLUMNS[kind].items()
    }


_COLUMNS: Mapping[str, Mapping[str, str]] = {
    RecordKind.PENALTY: {
        "CF_XDR_MC": SUBJECT_NAME,
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": SUBJECT_CODE,
        "CF_WSH": "{document}",
        "CF_WFXW": "通道测试",
        "CF_SY": _REMARK,
        "CF_YJ": "《通道测试办法》第一条（测试）",
        "CF_CFLB": "罚款",
        "CF_NR": f"处罚款人民币20000元（{_REMARK}）",
        "CF_NR_FK": "2",
        "CF_JDRQ": "{day}",
        "CF_YXQ": "{until}",
        "CF_CFJG": _AUTHORITY,
        "CF_CFJGDM": _AUTHORITY_CODE,
        "CF_SJLY": _AUTHORITY,
        "CF_SJLYDM": _AUTHORITY_CODE,
        "BZ": _REMARK,
    },
    RecordKind.LICENCE: {
        "XK_XDR_MC": SUBJECT_NAME,
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": SUBJECT_CODE,
        "XK_XKWS": "通道测试决定书（测试）",
        "XK_WSH": "{document}",
        "XK_XKLB": "普通",
        "XK_NR": _REMARK,
        "XK_JDRQ": "{day}",
        "XK_YXQZ": "{day}",
        "XK_YXQZI": "{until}",
        "XK_XKJG": _AUTHORITY,
        "XK_XKJGDM": _AUTHORITY_CODE,
        "XK_ZT": "1",
        "XK_LYDW": _AUTHORITY,
        "XK_LYDWDM": _AUTHORITY_CODE,
        "BZ": _REMARK,
    },
}


def _grade_change(number: int, now: datetime) -> dict[str, Any]:
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
        effective_on=now.astimezone(SHANGHAI).date(),
        recorded_at=now,
    ).model_dump(mode="json")
