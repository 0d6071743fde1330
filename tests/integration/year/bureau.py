"""A year of a bureau, made from a seed: what is decided, when it is entered, what goes wrong.

What must come out is worked out here from the same events by other means than the gateway's: days
one by one, hours one by one, the working days of `chinesecalendar`.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from chinese_calendar import is_workday

from schemas.base import SHANGHAI
from tests.integration.ledger_world import credit_code, licence, penalty

YEAR = 2026
CITY, COUNTY = "样例市生态环境局", "样例县生态环境分局"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
#: The holidays of a made-up notice for 2027: New Year and Spring Festival.
HOLIDAYS_2027 = (
    "2027-01-01", "2027-02-05", "2027-02-08", "2027-02-09", "2027-02-10", "2027-02-11",
    "2027-04-05", "2027-05-03", "2027-05-04", "2027-06-09", "2027-09-15", "2027-10-01",
    "2027-10-04", "2027-10-05", "2027-10-06", "2027-10-07",
)  # fmt: skip
#: The platform is down over the National Day week.
DOWN_SINCE = datetime(YEAR, 9, 30, 12, tzinfo=SHANGHAI)
DOWN_UNTIL = datetime(YEAR, 10, 9, 8, tzinfo=SHANGHAI)


#: On these days everybody decides, and what is entered meets the platform that is down.
BEFORE_THE_HOLIDAY = (date(YEAR, 9, 29), date(YEAR, 9, 30))


class Trouble(StrEnum):
    """What goes wrong with a decision."""

    NONE = ""
    ENTERED_LATE = "录入晚"
    HELD = "待补正"
    REJECTED = "退回待更正"
    SILENT = "送达后无回执"
    CONCEALED = "concealed"


@dataclass(slots=True)
class Decided:
    """One decision, what goes wrong with it, and when what happened."""

    number: int
    day: date
    authority: str
    kind: str
    trouble: Trouble
    entered_on: date
    mended_on: date | None = None
    entered_at: datetime | None = None
    handed_over_at: datetime | None = None
    rejected_at: datetime | None = None
    mended_at: datetime | None = None
    accepted_at: datetime | None = None

    @property
    def document_number(self) -> str:
        """文书号, in the sequence of its authority."""
        place = {CITY: "样环", COUNTY: "样县环"}[self.authority]
        word = {"penalty": "罚", "licence": "许"}[self.kind]
        return f"{place}{word}〔{YEAR}〕{self.number}号"

    def row(self, **changes: Any) -> dict[str, Any]:
        """Return it as the case system sends it."""
        if self.kind == "penalty":
            named = {"CF_WSH": self.document_number, "CF_CFJG": self.authority}
            return penalty(self.number, CF_JDRQ=str(self.day), **named, **changes)
        named = {"XK_WSH": self.document_number, "XK_XKJG": self.authority}
        return licence(self.number, XK_JDRQ=str(self.day), **named, **changes)

    def faulty_row(self) -> dict[str, Any]:
        """Return it as it was entered first."""
        return self.row(CF_CFJGDM="") if self.trouble is Trouble.HELD else self.row()

    def mended_row(self) -> dict[str, Any]:
        """Return it as a person corrected it."""
        return self.row(**({"CF_NR": "罚款人民币贰万元整"} if self.kind == "penalty" else {}))


def decide(seed: int) -> list[Decided]:
    """Return the decisions of the year in the order of their days."""
    chance = random.Random(seed)  # noqa: S311  the same year from the same seed
    found: list[Decided] = []
    numbers: Counter[tuple[str, str]] = Counter()
    for day in _days(date(YEAR, 1, 1), date(YEAR + 1, 1, 1)):
        if day.month == 8 or not is_workday(day):  # a month of zero
            continue
        for authority, kind, often in (
            (CITY, "penalty", 0.6),
            (COUNTY, "penalty", 0.35),
            (CITY, "licence", 0.25),
        ):
            if chance.random() < often or day in BEFORE_THE_HOLIDAY:
                numbers[authority, kind] += 1
                found.append(_decided(chance, numbers[authority, kind], day, authority, kind))
    concealed = next(d for d in found if d.day > date(YEAR, 4, 10) and d.kind == "penalty")
    concealed.trouble = Trouble.CONCEALED
    return found


def _decided(chance: random.Random, number: int, day: date, authority: str, kind: str) -> Decided:
    """Return a decision with the trouble of its time."""
    one = Decided(number, day, authority, kind, Trouble.NONE, day + chance.randint(0, 3) * DAY)
    if day in BEFORE_THE_HOLIDAY:
        one.entered_on = day + 2 * DAY
    elif authority == COUNTY and day.month == 5:
        one.trouble, one.entered_on = Trouble.ENTERED_LATE, day + chance.randint(12, 20) * DAY
    elif kind == "penalty" and (day.month, day.day // 10) == (6, 1):
        one.trouble, one.mended_on = Trouble.REJECTED, date(YEAR, 6, 30)
    elif kind == "penalty" and (day.month, day.day // 10) == (7, 1):
        one.trouble, one.mended_on = Trouble.HELD, day + 12 * DAY
    elif (day.month, day.day // 10) == (3, 1):
        one.trouble, one.mended_on = Trouble.SILENT, day + 14 * DAY
    return one


def _days(first: date, end: date) -> Iterator[date]:
    return (first + n * DAY for n in range((end - first).days))


# ---------------------------------------------------------------- what must come out


def works(day: date) -> bool:
    """Whether a day is a working day, by another calendar than the gateway's."""
    if day.year > YEAR:
        return day.weekday() < 5 and str(day) not in HOLIDAYS_2027
    return bool(is_workday(day))


def midnight_after(day: date) -> datetime:
    """Return the end of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + DAY


def due(clock: str, day: date) -> datetime:
    """Return the end of `calendar-7`, `working-7` or `entry-10` of a decision of a day."""
    counts, _, number = clock.partition("-")
    left, last = int(number), day
    while left:
        last += DAY
        left -= counts == "calendar" or works(last)
    return midnight_after(last)


def verdict(one: Decided, clock: str, now: datetime) -> str:
    """Return the result by a clock as of a time."""
    end = due(clock, one.day)
    if one.accepted_at is not None and one.accepted_at < min(end, now + HOUR):
        return "及时"
    if now < end:
        return "未到期"
    return "漏报" if one.handed_over_at is None or one.handed_over_at > now else "迟报"


def cause(one: Decided) -> str:
    """Return what took most of the hours from the day of the decision to the first missed end."""
    assert one.entered_at is not None
    at, hours = midnight_after(one.day), Counter[str]()
    end = min(due(c, one.day) for c in ("calendar-7", "working-7") if _is_late(one, c))
    while at < end:
        hours[_waits_for(one, at)] += 1
        at += HOUR
    [(most, _)] = hours.most_common(1)
    return most


def _is_late(one: Decided, clock: str) -> bool:
    return one.accepted_at is None or one.accepted_at >= due(clock, one.day)


def _waits_for(one: Decided, at: datetime) -> str:
    if one.entered_at is None or at < one.entered_at:
        return "录入晚"
    if one.trouble is Trouble.HELD and (one.mended_at is None or at < one.mended_at):
        return "待补正"
    if one.rejected_at and at >= one.rejected_at and (not one.mended_at or at < one.mended_at):
        return "退回待更正"
    if one.handed_over_at is None or at < one.handed_over_at:
        return "接收方中断" if DOWN_SINCE <= at < DOWN_UNTIL else "本系统待报送"
    return "送达后无回执"


@dataclass(slots=True)
class Expected:
    """The figures of a month at one time, all kinds together."""

    in_scope: int = 0
    handed_over: int = 0
    accepted: int = 0
    results: Mapping[str, Counter[str]] = field(
        default_factory=lambda: {"calendar-7": Counter(), "working-7": Counter()}
    )
    late: dict[str, str] = field(default_factory=dict)  #: number → cause


def expected(decided: list[Decided], month: int, now: datetime) -> Expected:
    """Work out the figures of a month as of a time."""
    found = Expected()
    for one in decided:
        if one.day.month != month or one.entered_at is None or one.entered_at > now:
            continue
        found.in_scope += 1
        found.handed_over += one.handed_over_at is not None and one.handed_over_at <= now
        found.accepted += one.accepted_at is not None and one.accepted_at <= now
        results = {clock: verdict(one, clock, now) for clock in found.results}
        for clock, result in results.items():
            found.results[clock][result] += 1
        if {"迟报", "漏报"} & set(results.values()):
            found.late[one.document_number] = cause(one)
    return found


def entered_late(decided: list[Decided], month: int) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (authority, kind) → decisions entered, and those entered after ten working days."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one in decided:
        if one.day.month == month and one.entered_at is not None:
            all_, late = found.get((one.authority, one.kind), (0, 0))
            is_late = one.entered_at >= due("entry-10", one.day)
            found[one.authority, one.kind] = all_ + 1, late + is_late
    return found


def code_of(one: Decided) -> str:
    """Return the credit code of its company."""
    return credit_code(one.number)
