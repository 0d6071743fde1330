"""The score card of a month 双公示成绩单: what a bureau's leader reads in a minute (pure)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.ledger.causes import Cause
from gateway.ledger.figures import ClockFigures, Figures, Rate
from gateway.ledger.row import DecisionStanding, LedgerRow
from gateway.ledger.timeliness import LATE, Timeliness
from schemas.base import SHANGHAI, end_of, last_moment
from schemas.destination import CountedDays, TimeLimit
from schemas.kinds import DOUBLE_PUBLICITY

#: Months of the trend, and document numbers that are named in a sentence.
TREND_MONTHS = 12
_NAMED = 5
#: What to do where decisions were late, by the cause.
_ADVICE = {
    Cause.ENTERED_LATE: "决定作出后录入晚：催经办人员当天录入",
    Cause.HELD: "缺必填内容：由经办人员补正",
    Cause.REJECTED: "平台退回后没有及时更正：由经办人员更正重报",
    Cause.RECEIVER_DOWN: "平台中断：中断登记（outages）里补上对方的通知作为证据",
    Cause.SILENT: "送达后没有回执：询问平台，必要时出具送达证明（deliveries attest）",
    Cause.OURS: "本系统没有及时报送：由运维人员查明（doctor）",
    Cause.UPLOAD: "网页平台没有及时上报：由经办人员下载上报并登记（upload make、done）",
    Cause.UNTOLD: "没有报送任务：由运维人员查报送对象的起始日和范围",
}


@dataclass(frozen=True, slots=True)
class MonthRates:
    """The rates of one month at the headline destination; None: that month was never frozen."""

    month: str
    reported: Rate | None = None
    compliant: Rate | None = None
    timely: Rate | None = None


@dataclass(slots=True)
class AuthorityLine:
    """How one authority did at the headline destination."""

    name: str
    in_scope: int = 0
    reported: int = 0
    accepted: int = 0
    timely: int = 0
    late: int = 0
    missed: int = 0

    @property
    def timely_rate(self) -> Rate:
        """及时率."""
        return Rate(self.timely, self.in_scope)


@dataclass(frozen=True, slots=True)
class DaysNeeded:
    """How many decisions were accepted on one day after the decision, by their own result."""

    days: str
    results: Counter[Timeliness] = field(default_factory=Counter)

    @property
    def timely(self) -> int:
        """Those in time."""
        return self.results[Timeliness.TIMELY]

    @property
    def late(self) -> int:
        """Those too late, missed ones among them."""
        return sum(self.results[one] for one in LATE)

    @property
    def undecided(self) -> int:
        """Those of which nobody can say it, most often because they are not due yet."""
        return self.results.total() - self.timely - self.late


@dataclass(frozen=True, slots=True)
class ScoreCard:
    """The card of a month; `figures` are those of the headline destination, without None."""

    month: str
    figures: Figures | None
    clock: ClockFigures | None  #: of the headline destination, the one it did worst by
    destinations: tuple[Figures, ...]
    trend: tuple[MonthRates, ...]
    days: tuple[DaysNeeded, ...]
    limits: tuple[int, int]  #: the last day in time: of the strictest decision, and of the mildest
    authorities: tuple[AuthorityLine, ...]
    causes: Mapping[str, int]
    steps: tuple[str, ...]

    @property
    def rates(self) -> list[tuple[str, Rate]]:
        """The three rates that the bureau is marked by."""
        if self.figures is None or self.clock is None:
            return []
        return [
            ("上报率", self.figures.reported_rate),
            ("合规率", self.figures.compliant_rate),
            ("及时率", self.figures.timely_rate(self.clock)),
        ]


@dataclass(slots=True)
class _Counts:
    #: Day of the acceptance, None if there was none, and result.
    days: Counter[tuple[int | None, Timeliness]] = field(default_factory=Counter)
    limits: set[int] = field(default_factory=set)
    authorities: dict[str, AuthorityLine] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    by_cause: dict[Cause, Counter[str]] = field(default_factory=dict)


def score_card(
    month: str,
    figures: Sequence[Figures],
    rows: Iterable[LedgerRow],
    clocks: Mapping[str, TimeLimit],
    earlier: Mapping[str, Mapping[str, Any]],
) -> ScoreCard:
    """Return the card of a month; `earlier` are the figures of frozen months, as they are stored.

    `figures` and `rows` are those of the ledger of the month.
    """
    together = [one for one in figures if one.kind is None]
    headline = next((one for one in together if one.headline), None)
    clock = worst_clock(headline, clocks) if headline is not None else None
    counts = _Counts()
    if headline is not None and clock is not None:
        for row in rows:
            standing = row.standings.get(headline.destination)
            if standing is not None and not row.excluded and row.kind in DOUBLE_PUBLICITY:
                _count(counts, row, standing, clock.clock)
    limits = _limits(counts, clocks[clock.clock]) if clock is not None else (0, 0)
    return ScoreCard(
        month=month,
        figures=headline,
        clock=clock,
        destinations=tuple(together),
        trend=trend(month, headline, clock, earlier),
        days=() if clock is None else _days(counts, limits[1]),
        limits=limits,
        authorities=tuple(sorted(counts.authorities.values(), key=_worst_first)),
        causes=headline.causes if headline is not None else {},
        steps=tuple(_steps(headline, clock, counts)),
    )


def worst_clock(figures: Figures, clocks: Mapping[str, TimeLimit]) -> ClockFigures | None:
    """Return the clock by which the most are late or missed; of several the one of fewest days.

    Which of two clocks runs out first depends on the days: five working days end after seven
    calendar days over a holiday, and before them in other weeks.
    """
    return min(
        figures.clocks,
        key=lambda one: (
            -(one.late + one.missed),
            clocks[one.clock].days,
            clocks[one.clock].counts is CountedDays.WORKING,
        ),
        default=None,
    )


def _count(counts: _Counts, row: LedgerRow, standing: DecisionStanding, clock: str) -> None:
    result = standing.timeliness[clock]
    line = counts.authorities.setdefault(row.authority, AuthorityLine(row.authority))
    line.in_scope += 1
    line.reported += standing.handed_over_at is not None
    line.accepted += standing.accepted_at is not None
    line.timely += result is Timeliness.TIMELY
    line.late += result is Timeliness.LATE
    line.missed += result is Timeliness.MISSED
    counts.days[_days_needed(row, standing), result] += 1
    last = last_moment(standing.due[clock]).date()
    counts.limits.add((last - row.decision_date).days)
    if result is Timeliness.MISSED:
        counts.missed.append(row.document_number)
    if result is Timeliness.OPEN:
        counts.open.append(row.document_number)
    if result in LATE and standing.cause is not None:
        counts.by_cause.setdefault(standing.cause, Counter())[row.authority] += 1


def _days_needed(row: LedgerRow, standing: DecisionStanding) -> int | None:
    """Return the days from the decision to the acceptance, 0 on its own day; None without one."""
    if standing.accepted_at is None:
        return None
    if standing.accepted_at < end_of(row.decision_date):
        return 0
    return (standing.accepted_at.astimezone(SHANGHAI).date() - row.decision_date).days


def _limits(counts: _Counts, clock: TimeLimit) -> tuple[int, int]:
    """Return the first and the last calendar day on which a time limit of the month ends.

    Of working days each decision has its own number of calendar days.
    """
    found = counts.limits or {clock.days}
    return min(found), max(found)


def _days(counts: _Counts, last: int) -> tuple[DaysNeeded, ...]:
    """Return the calendar days one by one up to the last limit, those beyond it, and the rest."""
    titles = [*(f"{day}天" for day in range(last + 1)), f"{last}天后", "未入库"]
    found = tuple(map(DaysNeeded, titles))
    for (day, result), count in counts.days.items():
        found[-1 if day is None else min(day, last + 1)].results[result] += count
    return found


def _worst_first(line: AuthorityLine) -> tuple[int, int, str]:
    return -line.missed, -line.late, line.name


def months_before(month: str, count: int) -> list[str]:
    """Return so many months that end with this one, the oldest first."""
    year, number = map(int, month.split("-"))
    last = year * 12 + number - 1
    return [f"{one // 12:04d}-{one % 12 + 1:02d}" for one in range(last - count + 1, last + 1)]


def trend(
    month: str,
    headline: Figures | None,
    clock: ClockFigures | None,
    earlier: Mapping[str, Mapping[str, Any]],
) -> tuple[MonthRates, ...]:
    """Return the rates of twelve months: this one as it is now, others as they were frozen."""
    if headline is None or clock is None:
        return ()
    now = MonthRates(
        month, headline.reported_rate, headline.compliant_rate, headline.timely_rate(clock)
    )
    past = [
        _frozen_rates(one, earlier.get(one), headline.destination, clock.clock)
        for one in months_before(month, TREND_MONTHS)[:-1]
    ]
    return (*past, now)


def _frozen_rates(
    month: str, figures: Mapping[str, Any] | None, destination: str, clock: str
) -> MonthRates:
    for one in (figures or {}).get("figures", ()):
        if one["destination"] == destination and one["kind"] is None:
            timely = next((c["timely"] for c in one["clocks"] if c["clock"] == clock), None)
            return MonthRates(
                month,
                Rate(one["handed_over"], one["in_scope"]),
                Rate(one["accepted"], one["handed_over"]),
                None if timely is None else Rate(timely, one["in_scope"]),
            )
    return MonthRates(month)


def _steps(headline: Figures | None, clock: ClockFigures | None, counts: _Counts) -> Iterable[str]:
    """Yield what to do next, the most urgent first."""
    if headline is None or clock is None:
        yield "没有配置主报平台：在 destinations 里写上，并设 headline"
        return
    if not headline.in_scope:
        yield "本月没有应报的决定：按零报告报送"
        return
    if counts.missed:
        yield f"漏报 {len(counts.missed)} 件，今天就报：{_some(counts.missed)}"
    for cause, authorities in sorted(counts.by_cause.items(), key=lambda one: -one[1].total()):
        who = "、".join(f"{name} {times}件" for name, times in authorities.most_common(_NAMED))
        yield f"{_ADVICE[cause]}（{who}）"
    if counts.open:
        yield f"还有 {len(counts.open)} 件未到期未入库，盯到入库：{_some(counts.open)}"
    if clock.timely == headline.in_scope:
        yield "上报、合规、及时都做到 100%，保持"


def _some(numbers: Sequence[str]) -> str:
    named = "、".join(number or "（不显示文号）" for number in numbers[:_NAMED])
    return f"{named}等" if len(numbers) > _NAMED else named
