"""Repairs and warnings that are over before their decision (pure): they are void, and told."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from schemas.codes import ABOUT_A_DECISION
from schemas.event import CreditEvent
from schemas.problem import Problem, Rule

#: What may not be before the decision, by the names of the dates of an event.
_TITLES = {
    "repair_applied_on": "修复申请日期",
    "repair_confirmed_on": "修复确认日期",
    "warning_until": "预警期限",
}


def early(dates: Mapping[str, Any], decided: date | None) -> tuple[Problem, ...]:
    """Return the dates, as ISO text or as days, that are before a decision of this day."""
    if decided is None:
        return ()
    given = [(name, str(dates[name])) for name in _TITLES if dates.get(name) is not None]
    return tuple(_told(name, day, decided) for name, day in given if day < decided.isoformat())


def early_in(event: CreditEvent) -> tuple[Problem, ...]:
    """Return the dates of an event that are before the event itself, which counts by its day."""
    if event.type in ABOUT_A_DECISION:
        return ()
    return early({name: getattr(event, name) for name in _TITLES}, event.occurred_on)


def _told(name: str, day: str, decided: date) -> Problem:
    return Problem(
        field=name,
        rule=Rule.ORDER,
        message=f"{_TITLES[name]}：{day} 早于决定日期 {decided}，不作数，信息照常计分",
        fix="核对两个日期，和所依据的决定；写错的更正后重报",
    )
