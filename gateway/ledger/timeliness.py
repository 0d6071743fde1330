"""Whether a decision was in time by a clock 及时、迟报、漏报 (pure)."""

from datetime import datetime
from enum import StrEnum


class Timeliness(StrEnum):
    """The result of one decision at one destination by one clock."""

    TIMELY = "及时"
    LATE = "迟报"
    MISSED = "漏报"
    OPEN = "未到期"
    UNKNOWN = "期限未定"  #: beyond the working-day calendar
    VOID = "撤回未报"  #: withdrawn before its due time, never handed over


#: Results that have a cause.
LATE = frozenset({Timeliness.LATE, Timeliness.MISSED})


def timeliness(
    *,
    due: datetime,
    provisional: bool,
    handed_over_at: datetime | None,
    accepted_at: datetime | None,
    withdrawn_at: datetime | None,
    now: datetime,
) -> Timeliness:
    """Return the result by one clock; `due` is exclusive, `provisional` makes it a lower bound."""
    if accepted_at is not None and accepted_at < due:
        return Timeliness.TIMELY
    if now < due:
        return Timeliness.OPEN
    if provisional:
        return Timeliness.UNKNOWN
    if handed_over_at is not None:
        return Timeliness.LATE
    if withdrawn_at is not None and withdrawn_at < due:
        return Timeliness.VOID
    return Timeliness.MISSED
