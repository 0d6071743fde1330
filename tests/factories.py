"""Builders of valid input; keyword arguments replace columns, and None leaves one out."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from gateway.check.raw import Raw
from schemas.codes import RecordKind
from schemas.identifiers import USCC_ALPHABET, USCC_WEIGHTS

#: A region that does not exist, so that no company here looks real.
REGION = "159900"
IDENTITY = "11010519491231002X"
AUTHORITY = "样例市生态环境局"


def with_check_character(start: str) -> str:
    """Return the credit code that begins with these 17 characters."""
    values = zip(start, USCC_WEIGHTS, strict=True)
    total = sum(USCC_ALPHABET.index(letter) * weight for letter, weight in values)
    return start + USCC_ALPHABET[(31 - total) % 31]


def credit_code(number: int = 1, region: str = REGION) -> str:
    """Return the credit code of invented company `number`."""
    return with_check_character(f"91{region}MA{number:07d}")


AUTHORITY_CODE = with_check_character(f"11{REGION}000000001")


def _given(row: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**row, **changes}.items() if value is not None}


def penalty(number: int = 1, company: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return penalty `number` of a company: a fine of 2 万元, decided on 2026-10-09."""
    row = {
        "CF_XDR_MC": f"样例{company}号有限公司",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": credit_code(company),
        "CF_WSH": f"样环罚字〔2026〕{number}号",
        "CF_WFXW": "大气污染防治类",
        "CF_SY": "超标排放大气污染物",
        "CF_YJ": "《中华人民共和国大气污染防治法》第九十九条",
        "CF_CFLB": "罚款",
        "CF_NR": "处罚款人民币20000元",
        "CF_NR_FK": "2",
        "CF_JDRQ": "2026/10/09",
        "CF_YXQ": "2027/10/09",
        "CF_CFJG": AUTHORITY,
        "CF_CFJGDM": AUTHORITY_CODE,
        "CF_SJLY": AUTHORITY,
        "CF_SJLYDM": AUTHORITY_CODE,
    }
    return _given(row, changes)


def person_penalty(number: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return a penalty of a natural person 自然人."""
    person = {
        "CF_XDR_MC": "张样例",
        "CF_XDR_LB": "自然人",
        "CF_XDR_SHXYM": None,
        "CF_XDR_ZJLX": "身份证",
        "CF_XDR_ZJHM": IDENTITY,
    }
    return penalty(number, **{**person, **changes})


def licence(number: int = 1, company: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return licence `number` of a company, decided on 2026-10-09, without end."""
    row = {
        "XK_XDR_MC": f"样例{company}号有限公司",
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": credit_code(company),
        "XK_XKWS": "准予行政许可决定书",
        "XK_WSH": f"样环许可〔2026〕{number}号",
        "XK_XKLB": "普通",
        "XK_NR": "排污许可",
        "XK_JDRQ": "2026/10/09",
        "XK_YXQZ": "2026/10/09",
        "XK_YXQZI": "2099/12/31",
        "XK_XKJG": AUTHORITY,
        "XK_XKJGDM": AUTHORITY_CODE,
        "XK_ZT": "1",
        "XK_LYDW": AUTHORITY,
        "XK_LYDWDM": AUTHORITY_CODE,
    }
    return _given(row, changes)


def event(number: int = 1, company: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return event `number` of a company: a general incident on 2026-10-09."""
    row = {
        "id": f"E-{number}",
        "subject_code": credit_code(company),
        "type": "incident.general",
        "occurred_on": "2026-10-09",
    }
    return _given(row, changes)


def publicity_repair(number: int = 1, company: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return the publicity repair of penalty `number`, which its letter calls minor."""
    row = {
        "type": "publicity_repair",
        "decision": about(number),
        "letter": f"样信修〔2026〕{number}号",
        "severity": "轻微",
        "occurred_on": "2026-10-11",
    }
    return event(number, company, **{**row, **changes})


def about(number: int = 1, kind: str = "penalty") -> dict[str, str]:
    """Return the reference of an event to penalty or licence `number`."""
    words = {"penalty": f"样环罚字〔2026〕{number}号", "licence": f"样环许可〔2026〕{number}号"}
    return {"kind": kind, "document_number": words[kind], "authority": AUTHORITY}


def grade(number: int = 1, company: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return a grade that a province computed."""
    row = {
        "id": f"G-{number}",
        "subject_code": credit_code(company),
        "rule_set": "henan-2018",
        "grade": "警示",
        "issued_by": "样例省生态环境厅",
        "effective_on": "2026-10-09",
    }
    return _given(row, changes)


def participant(company: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return an entry of the register: a company takes part from 2026-01-01 on."""
    row = {"subject_code": credit_code(company), "subject_kind": "enterprise"}
    row["since"] = "2026-01-01"
    return _given(row, changes)


def raw(
    body: Mapping[str, Any] | bytes | None,
    position: int = 0,
    origin: str = "test",
    kind: RecordKind | None = None,
) -> Raw:
    """Return one item of input; messages are recognised by their fields."""
    if isinstance(body, Mapping):
        if "issued_by" in body:
            kind = kind or RecordKind.GRADE
        elif "occurred_on" in body:
            kind = kind or RecordKind.EVENT
        elif "since" in body:
            kind = kind or RecordKind.PARTICIPANT
        body = orjson.dumps(dict(body))
    return Raw(origin, position, body, kind)


def stream(
    rows: Iterable[Mapping[str, Any] | bytes | None], origin: str = "test", first: int = 0
) -> list[Raw]:
    """Return consecutive items of one origin, as in a partition of a topic."""
    return [raw(row, position, origin) for position, row in enumerate(rows, first)]
