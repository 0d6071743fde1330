"""An invented month of a city bureau, marked as samples; the same in every run (pure).

About 200 decisions on 61 invented companies of a region that does not exist (159900), with repeats,
a corrected version, faulty rows, and one decision that is published eight days late.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from gateway.due.workdays import Workdays
from schemas.codes import RecordKind
from schemas.identifiers import credit_code

REGION = "159900"
MONTH = "2026-10"
FIRST_DAY, LAST_DAY = date(2026, 10, 1), date(2026, 11, 4)
COMPANIES = 60
PENALTIES, LICENCES = 112, 88
#: The decision that the bureau publishes eight days late.
LATE_NUMBER = "样环罚字〔2026〕900号"
LATE_DECIDED, LATE_PUBLISHED = date(2026, 10, 9), date(2026, 10, 17)
#: A platform rejects these two days after it accepted them; the first is then corrected.
REJECTED = ("样环罚字〔2026〕901号", "样环许可〔2026〕902号")
REJECTED_DECIDED, MENDED_ON = date(2026, 10, 19), date(2026, 10, 26)
CORRECTED_NUMBER = "样环罚字〔2026〕903号"

AUTHORITY = "样例市生态环境局（样例）"
_KINDS = (
    ("罚款", 62, "处罚款人民币{yuan}元"),
    ("罚款、没收违法所得", 10, "处罚款人民币{yuan}元，没收违法所得"),
    ("责令停产停业", 8, "责令停产整治"),
    ("警告", 10, "给予警告"),
    ("罚款、暂扣许可证", 6, "处罚款人民币{yuan}元，暂扣许可证"),
    ("限制开展生产经营活动", 4, "责令限制生产"),
)
_FINES = ("0.5", "2", "5", "8.6", "10", "12.5", "20", "50", "65")
_VIOLATIONS = ("超标排放大气污染物", "未按规定贮存危险废物", "未保存原始监测记录", "未建设防尘设施")
_EVENTS = ("E31", "E25", "E21", "E38", "E40", "E41", "E26", "E23")


@dataclass(frozen=True, slots=True)
class StoryMessage:
    """One message: the day of publication, kind and body; broken bodies are bytes."""

    day: date
    kind: RecordKind
    body: dict[str, Any] | bytes


@dataclass(slots=True)
class Story:
    """The messages of the month."""

    messages: list[StoryMessage] = field(default_factory=list)

    def on(self, day: date) -> Iterator[StoryMessage]:
        """Return the messages of a day."""
        return (message for message in self.messages if message.day == day)


def company(number: int) -> tuple[str, str]:
    """Return the name and code of an invented company."""
    return f"样例{number:02d}号环保测试有限公司（样例）", credit_code(f"91{REGION}MA{number:07d}")


AUTHORITY_CODE = credit_code(f"11{REGION}000000001")


def tell(workdays: Workdays) -> Story:
    """Return the whole month."""
    dice = random.Random(20261001)  # noqa: S311  the same story every time
    days = _working_days(workdays)
    story = Story()
    for number in range(1, PENALTIES + 1):
        story.messages.append(_published(_penalty(dice, number, _day(dice, days))))
    for number in range(1, LICENCES + 1):
        story.messages.append(_published(_licence(dice, number, _day(dice, days))))
    _add_special(story, dice)
    _add_repeats(story, dice)
    _add_dirty(story, dice, days)
    _add_events(story, dice, days)
    _add_repair(story, dice)
    _add_suspect(story)
    return story


def _working_days(workdays: Workdays) -> list[date]:
    days = [FIRST_DAY + timedelta(days=n) for n in range(31)]
    return [day for day in days if workdays.is_working(day)]


def _day(dice: random.Random, days: list[date]) -> date:
    return dice.choice(days)


def _published(body: dict[str, Any], day: date | None = None) -> StoryMessage:
    penalty = "CF_WSH" in body
    decided = date.fromisoformat(body["CF_JDRQ" if penalty else "XK_JDRQ"].replace("/", "-"))
    return StoryMessage(day or decided, RecordKind.PENALTY if penalty else RecordKind.LICENCE, body)


def _penalty(
    dice: random.Random, number: int, day: date, document: str | None = None
) -> dict[str, Any]:
    name, code = company(dice.randint(1, COMPANIES))
    kinds, _, words = dice.choices(_KINDS, weights=[weight for _, weight, _ in _KINDS])[0]
    fine = dice.choice(_FINES)
    violation = dice.choice(_VIOLATIONS)
    body = {
        "CF_XDR_MC": name,
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": code,
        "CF_WSH": document or f"样环罚字〔2026〕{number}号",
        "CF_WFXW": violation,
        "CF_SY": f"现场检查发现{violation}（样例）",
        "CF_YJ": "《样例条例》第一条（样例）",
        "CF_CFLB": kinds,
        "CF_NR": words.format(yuan=int(float(fine) * 10000)) + "（样例）",
        "CF_JDRQ": day.strftime("%Y/%m/%d") if number % 2 else day.isoformat(),
        "CF_YXQ": (day + timedelta(days=365)).isoformat(),
        "CF_CFJG": AUTHORITY,
        "CF_CFJGDM": AUTHORITY_CODE,
        "CF_SJLY": AUTHORITY,
        "CF_SJLYDM": AUTHORITY_CODE,
        "BZ": "样例数据，非真实决定",
    }
    if "罚款" in kinds:
        body["CF_NR_FK"] = fine
    if "没收" in kinds:
        body["CF_NR_WFFF"] = "1.2"
    if "暂扣" in kinds:
        body["CF_NR_ZKDX"] = "排污许可证（样例）"
    return body


def _licence(
    dice: random.Random, number: int, day: date, document: str | None = None
) -> dict[str, Any]:
    name, code = company(dice.randint(1, COMPANIES))
    return {
        "XK_XDR_MC": name,
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": code,
        "XK_XKWS": "建设项目环境影响评价批复（样例）",
        "XK_WSH": document or f"样环许可〔2026〕{number}号",
        "XK_XKLB": "普通",
        "XK_XKZS": "环评批复（样例）",
        "XK_XKBH": f"YL2026{number:04d}",
        "XK_NR": "同意建设（样例）",
        "XK_JDRQ": day.isoformat(),
        "XK_YXQZ": day.isoformat(),
        "XK_YXQZI": "2099/12/31" if number % 3 else (day + timedelta(days=730)).isoformat(),
        "XK_XKJG": AUTHORITY,
        "XK_XKJGDM": AUTHORITY_CODE,
        "XK_ZT": "1",
        "XK_LYDW": AUTHORITY,
        "XK_LYDWDM": AUTHORITY_CODE,
        "BZ": "样例数据，非真实决定",
    }


def _add_special(story: Story, dice: random.Random) -> None:
    """Add the late decision, the two that are rejected later, and one that is corrected."""
    late = _penalty(dice, 900, LATE_DECIDED, LATE_NUMBER)
    story.messages.append(_published(late, LATE_PUBLISHED))
    rejected = _penalty(dice, 901, REJECTED_DECIDED, REJECTED[0])
    story.messages.append(_published(rejected))
    mended = {**rejected, "CF_SY": rejected["CF_SY"] + "，已补充证据（样例）"}
    story.messages.append(_published(mended, MENDED_ON))
    story.messages.append(_published(_licence(dice, 902, REJECTED_DECIDED, REJECTED[1])))
    wrong = _penalty(dice, 903, date(2026, 10, 14), CORRECTED_NUMBER)
    story.messages.append(_published(wrong))
    right = {**wrong, "CF_NR": wrong["CF_NR"] + "（更正）"}
    story.messages.append(_published(right, date(2026, 10, 21)))


def _add_repeats(story: Story, dice: random.Random) -> None:
    """Add some rows again on a later day, unchanged, as an export of the bureau does."""
    for message in dice.sample(story.messages[: PENALTIES + LICENCES], 12):
        later = min(message.day + timedelta(days=dice.randint(1, 5)), LAST_DAY)
        story.messages.append(StoryMessage(later, message.kind, message.body))


def _add_dirty(story: Story, dice: random.Random, days: list[date]) -> None:
    """Add faulty rows as in real input: missing columns, wrong codes, broken bytes."""
    spoils: tuple[dict[str, Any], ...] = (
        {"CF_CFJGDM": ""},
        {"CF_NR": None},
        {"CF_XDR_SHXYM": "91159900MAO000012X"},
        {"CF_WSH": ""},
        {"CF_JDRQ": "2026-13-40"},
    )
    for number, spoiled in enumerate(spoils, start=910):
        day = _day(dice, days)
        body = {**_penalty(dice, number, day), **spoiled}
        story.messages.append(StoryMessage(day, RecordKind.PENALTY, body))
    broken = '{"CF_XDR_MC": "样例断行'.encode()
    story.messages.append(StoryMessage(days[3], RecordKind.PENALTY, broken))
    latin = '{"CF_XDR_MC": "样例"}'.encode("gb18030")
    story.messages.append(StoryMessage(days[5], RecordKind.LICENCE, latin))


def _add_events(story: Story, dice: random.Random, days: list[date]) -> None:
    """Add findings and commendations."""
    for number, item in enumerate(_EVENTS, start=1):
        day = _day(dice, days)
        name, code = company(dice.randint(1, COMPANIES))
        body = {
            "id": f"样例信息{number}",
            "subject_code": code,
            "subject_name": name,
            "item": item,
            "occurred_on": day.isoformat(),
        }
        story.messages.append(StoryMessage(day, RecordKind.EVENT, body))


def _add_repair(story: Story, dice: random.Random) -> None:
    """Add a company that falls to B by two decisions, repairs one, and rises to A again."""
    name, code = company(COMPANIES + 1)
    subject = {"CF_XDR_MC": name, "CF_XDR_SHXYM": code}
    first = {
        **_penalty(dice, 920, date(2026, 10, 12), "样环罚字〔2026〕920号"),
        **subject,
        "CF_CFLB": "没收违法所得",
        "CF_NR": "没收违法所得（样例）",
        "CF_NR_WFFF": "3",
    }
    second = {
        **_penalty(dice, 921, date(2026, 10, 15), "样环罚字〔2026〕921号"),
        **subject,
        "CF_CFLB": "限制开展生产经营活动",
        "CF_NR": "责令限制生产（样例）",
    }
    story.messages += [_published(first), _published(second)]
    story.messages.append(StoryMessage(date(2026, 10, 30), RecordKind.EVENT, _repair(second)))


def _add_suspect(story: Story) -> None:
    """Add a company that is suspected of a crime: from then on it is not evaluated."""
    name, code = company(1)
    body = {
        "id": "样例涉嫌1",
        "subject_code": code,
        "subject_name": name,
        "type": "criminal_suspicion",
        "occurred_on": "2026-10-29",
    }
    story.messages.append(StoryMessage(date(2026, 10, 29), RecordKind.EVENT, body))


def _repair(penalty: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "样例修复1",
        "subject_code": penalty["CF_XDR_SHXYM"],
        "type": "repair",
        "occurred_on": "2026-10-30",
        "decision": {
            "kind": "penalty",
            "document_number": penalty["CF_WSH"],
            "authority": penalty["CF_CFJG"],
        },
        "rectified_on": "2026-10-26",
        "repair_applied_on": "2026-10-28",
        "repair_confirmed_on": "2026-10-30",
    }
