"""Why a decision was late 迟报原因: where the time up to its due time went (pure).

The time from the day of the decision to the due time is split by what a decision waited for; the
cause is what took the most of it. It is worked out from what is stored, and nobody can set it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple


class Cause(StrEnum):
    """What a decision waited for; the first one counts where two took the same time."""

    ENTERED_LATE = "录入晚"  #: it was decided, and had not come here
    HELD = "待补正"  #: a column that the destination requires was missing
    REJECTED = "退回待更正"
    RECEIVER_DOWN = "接收方中断"  #: by the register of outages
    SILENT = "送达后无回执"
    OURS = "本系统待报送"  #: in our queue, or we were down
    UPLOAD = "待人工上报"  #: a person had to carry a file there, and had not said so yet
    UNTOLD = "没有报送任务"  #: no delivery was made: the destination came later, or by a fault


class DownTime(NamedTuple):
    """A time in which a destination was down; `until` None: it still is."""

    since: datetime
    until: datetime | None


def united(outages: Iterable[tuple[datetime, datetime | None]]) -> list[DownTime]:
    """Return the outages of one destination without what they share, in order."""
    found: list[DownTime] = []
    for since, until in sorted(outages, key=lambda one: one[0]):
        last = found[-1] if found else None
        if last is None or (last.until is not None and last.until < since):
            found.append(DownTime(since, until))
        elif last.until is not None:
            longer = None if until is None else max(last.until, until)
            found[-1] = DownTime(last.since, longer)
    return found


class Told(NamedTuple):
    """What became of one version of a decision at a destination, as far as it is known."""

    created_at: datetime
    held: bool  #: it was incomplete and never tried
    handed_over_at: datetime | None
    rejected_at: datetime | None
    accepted_at: datetime | None


class Why(NamedTuple):
    """The cause, and what took how long, the longest first."""

    cause: Cause
    spent: tuple[tuple[Cause, timedelta], ...]

    @property
    def words(self) -> str:
        """Return it in Chinese, as 录入晚（录入晚 6天3小时，送达后无回执 20小时）."""
        parts = [f"{cause.value} {_length(time)}" for cause, time in self.spent]
        return f"{self.cause.value}（{'，'.join(parts)}）"


def why(
    decided: datetime,
    due: datetime,
    arrived_at: datetime | None,
    told: Sequence[Told],
    outages: Sequence[DownTime],
    queue: Cause = Cause.OURS,
) -> Why:
    """Return why a decision was not accepted by its due time.

    `decided` is the end of the day of the decision, from which the clock runs; `told` are the
    versions in their order; outages are in their order too, and do not overlap. `queue` is what
    the time before the hand-over counts as.
    """
    spent = dict.fromkeys(Cause, timedelta())
    for cause, since, until in _stretches(due, arrived_at, told, outages):
        within = min(until, due) - max(since, decided)
        spent[queue if cause is Cause.OURS else cause] += max(within, timedelta())
    order = sorted(Cause, key=lambda cause: -spent[cause])
    return Why(order[0], tuple((cause, spent[cause]) for cause in order if spent[cause]))


def _stretches(
    due: datetime, arrived_at: datetime | None, told: Sequence[Told], outages: Sequence[DownTime]
) -> Iterator[tuple[Cause, datetime, datetime]]:
    """Yield what a decision waited for, from when to when."""
    first = datetime.min.replace(tzinfo=due.tzinfo)
    arrived = due if arrived_at is None else arrived_at
    yield Cause.ENTERED_LATE, first, arrived
    if not told:
        yield Cause.UNTOLD, arrived, due
        return
    if told[0].created_at > arrived:
        yield Cause.UNTOLD, arrived, told[0].created_at
    for one, following in zip(told, [*told[1:], None], strict=True):
        yield from _of_version(one, due if following is None else following.created_at, outages)


def _of_version(
    one: Told, end: datetime, outages: Sequence[DownTime]
) -> Iterator[tuple[Cause, datetime, datetime]]:
    if one.held:
        yield Cause.HELD, one.created_at, end
        return
    handed = min(one.handed_over_at or end, end)
    yield from _queued(one.created_at, handed, outages)
    answered = min(one.rejected_at or one.accepted_at or end, end)
    yield Cause.SILENT, handed, answered
    if one.rejected_at is not None:
        yield Cause.REJECTED, answered, end


def _queued(
    since: datetime, until: datetime, outages: Iterable[DownTime]
) -> Iterator[tuple[Cause, datetime, datetime]]:
    """Split the time in our queue: that in which the destination was down is its own."""
    for outage in outages:
        begin, end = max(since, outage.since), min(until, outage.until or until)
        if begin < end:
            yield Cause.OURS, since, begin
            yield Cause.RECEIVER_DOWN, begin, end
            since = end
    if since < until:
        yield Cause.OURS, since, until


def _length(time: timedelta) -> str:
    hours, minutes = time.seconds // 3600, time.seconds % 3600 // 60
    if time.days:
        return f"{time.days}天{hours}小时" if hours else f"{time.days}天"
    return f"{hours}小时" if hours else f"{max(minutes, 1)}分钟"
