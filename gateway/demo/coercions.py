"""A record kind from the configuration in the demo: coercive measures 行政强制 of the month."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from gateway.demo.story import AUTHORITY, COMPANIES, StoryMessage, company
from schemas.codes import RecordKind

NAME, TITLE, TOPIC = "coercion", "行政强制", "environmental-credit.coercion"
#: As a bureau writes it below `kinds` of its configuration.
CONFIGURED: dict[str, Any] = {
    "name": NAME,
    "title": TITLE,
    "prefix": "QZ_",
    "number": {"code": "QZ_WSH", "title": "行政强制决定书文号", "length": 128},
    "columns": [
        {"code": "QZ_LB", "title": "强制类别", "type": "code", "required": True,
         "codes": ["查封", "扣押", "代履行"]},
        {"code": "QZ_SY", "title": "强制事由", "length": 2000, "required": True},
        {"code": "QZ_JSRQ", "title": "强制结束日期", "type": "date"},
    ],
}  # fmt: skip
#: Days of October; the last measure lacks its reason, and is completed some days later.
_DAYS = (9, 12, 14, 20, 22, 27)
_COMPLETED = date(2026, 10, 29)


def tell() -> Iterator[StoryMessage]:
    """Yield the measures of the month; the kind must have been adopted."""
    dice = random.Random(20261002)  # noqa: S311  the same story every time
    kind = RecordKind(NAME)
    for number, day in enumerate(_DAYS, start=1):
        body = _measure(dice, number, date(2026, 10, day))
        if number == len(_DAYS):
            yield StoryMessage(date(2026, 10, day), kind, body | {"QZ_SY": ""})
            yield StoryMessage(_COMPLETED, kind, body)
        else:
            yield StoryMessage(date(2026, 10, day), kind, body)


def _measure(dice: random.Random, number: int, day: date) -> dict[str, Any]:
    name, code = company(dice.randint(1, COMPANIES))
    return {
        "QZ_XDR_MC": name,
        "QZ_XDR_SHXYM": code,
        "QZ_WSH": f"样环强字〔2026〕{number}号",
        "QZ_LB": dice.choice(("查封", "扣押")),
        "QZ_SY": "违法排放污染物，造成严重污染（样例）",
        "QZ_JDRQ": day.isoformat(),
        "QZ_JSRQ": (day + timedelta(days=30)).isoformat(),
        "QZ_JG": AUTHORITY,
        "BZ": "样例数据，非真实决定",
    }
