"""The figures of a month 台账指标 from its rows: counts, rates, verdicts on time (pure).

Definitions (DOMAIN 2.2): N in scope by decision date; S handed over; A accepted; T accepted by due,
for each clock; 迟报 handed over but not accepted by due; 漏报 not handed over and past due.
上报率 S/N, 合规率 A/S, 及时率 T/N; a denominator of 0 gives "—", never 100 %.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.ledger_rows import LedgerRow, Standing, Timeliness
from schemas.codes import RecordKind
from schemas.destination import Clock, CountedDays, Destination

KIND_TITLES = {RecordKind.PENALTY: "行政处罚", RecordKind.LICENCE: "行政许可"}
NO_RATE = "—"


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of a whole; it has no value where the whole is nothing."""

    part: int
    whole: int

    @property
    def value(self) -> Decimal | None:
        """Between 0 and 1, exact; None without a denominator."""
        return Decimal(self.part) / self.whole if self.whole else None

    @property
    def text(self) -> str:
        """`98.50%`, rounded down so that 100 % is said only of all."""
        if not self.whole:
            return NO_RATE
        hundredths = self.part * 10_000 // self.whole
        return f"{hundredths // 100}.{hundredths % 100:02d}%"


@dataclass(frozen=True, slots=True)
class ClockFigures:
    """What one clock makes of the decisions in scope."""

    clock: str
    title: str
    timely: int
    late: int
    missed: int
    open: int
    unknown: int
    void: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one destination; `kind` None is penalties and licences together."""

    destination: str
    title: str
    headline: bool
    kind: RecordKind | None
    in_scope: int
    handed_over: int
    accepted: int
    blind: int
    clocks: tuple[ClockFigures, ...]

    @property
    def reported_rate(self) -> Rate:
        """上报率 S/N."""
        return Rate(self.handed_over, self.in_scope)

    @property
    def compliant_rate(self) -> Rate:
        """合规率 A/S."""
        return Rate(self.accepted, self.handed_over)

    def timely_rate(self, clock: ClockFigures) -> Rate:
        """及时率 T/N by one clock."""
        return Rate(clock.timely, self.in_scope)


def all_figures(
    rows: Sequence[LedgerRow], destinations: Iterable[Destination], clocks: Mapping[str, Clock]
) -> tuple[Figures, ...]:
    """Each destination that takes decisions: together, penalties, licences; the headline first."""
    reported = [d for d in destinations if d.takes & _REPORTED]
    headline = headline_of(reported)
    reported.sort(key=lambda d: d.name != headline)
    return tuple(
        _figures(rows, d, clocks, kind=kind, headline=d.name == headline)
        for d in reported
        for kind in (None, RecordKind.PENALTY, RecordKind.LICENCE)
    )


_REPORTED = {"penalty", "licence"}


def headline_of(destinations: Iterable[Destination]) -> str | None:
    """The destination whose figures head the ledger: the configured one, else the first."""
    reported = [d for d in destinations if d.takes & _REPORTED]
    chosen = next((d for d in reported if d.headline), None) or next(iter(reported), None)
    return chosen.name if chosen else None


def _figures(
    rows: Iterable[LedgerRow],
    destination: Destination,
    clocks: Mapping[str, Clock],
    *,
    kind: RecordKind | None,
    headline: bool,
) -> Figures:
    standings = [
        row.standings[destination.name]
        for row in rows
        if destination.name in row.standings and not row.excluded and kind in {None, row.kind}
    ]
    return Figures(
        destination=destination.name,
        title=destination.title,
        headline=headline,
        kind=kind,
        in_scope=len(standings),
        handed_over=sum(s.handed_over_at is not None for s in standings),
        accepted=sum(s.accepted_at is not None for s in standings),
        blind=sum(s.blind for s in standings),
        clocks=tuple(_clock_figures(clocks[name], standings) for name in destination.clocks),
    )


def _clock_figures(clock: Clock, standings: Iterable[Standing]) -> ClockFigures:
    found = Counter(standing.timeliness[clock.name] for standing in standings)
    return ClockFigures(
        clock=clock.name,
        title=clock_title(clock),
        timely=found[Timeliness.TIMELY],
        late=found[Timeliness.LATE],
        missed=found[Timeliness.MISSED],
        open=found[Timeliness.OPEN],
        unknown=found[Timeliness.UNKNOWN],
        void=found[Timeliness.VOID],
    )


def clock_title(clock: Clock) -> str:
    """`7个工作日`."""
    return f"{clock.days}个{'工作日' if clock.counts is CountedDays.WORKING else '自然日'}"


# ---------------------------------------------------------------- the published shape


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """One kind of decision of one authority, as the published table 双公示月报表 counts it."""

    produced: int  #: 产生数量: in scope
    reported: int  #: 报送数量: handed over to the headline destination
    accepted: int  #: 有效入库数
    grounds: str  #: 未报送依据

    @property
    def unreported(self) -> int:
        """未报送数量."""
        return self.produced - self.reported


@dataclass(frozen=True, slots=True)
class Unit:
    """One authority's line of the published table."""

    authority: str
    licences: UnitFigures
    penalties: UnitFigures
    troubles: str  #: 报送存在问题情况


def units(
    rows: Iterable[LedgerRow], headline: str | None, titles: Mapping[str, str]
) -> tuple[Unit, ...]:
    """One line for each authority, by name; `titles` names the headline's clocks."""
    by_authority: dict[str, list[LedgerRow]] = {}
    for row in rows:
        by_authority.setdefault(row.authority, []).append(row)
    return tuple(
        Unit(
            authority,
            _unit_figures([r for r in mine if r.kind is RecordKind.LICENCE], headline),
            _unit_figures([r for r in mine if r.kind is RecordKind.PENALTY], headline),
            _troubles(mine, headline, titles),
        )
        for authority, mine in sorted(by_authority.items())
    )


def _unit_figures(rows: Iterable[LedgerRow], headline: str | None) -> UnitFigures:
    produced = reported = accepted = 0
    grounds: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    for row in rows:
        if row.excluded:
            excluded[row.excluded] += 1
            continue
        produced += 1
        standing = row.standings.get(headline or "")
        if standing is None:
            grounds["不属该平台范围"] += 1
        elif standing.handed_over_at is None:
            grounds[standing.state] += 1
        else:
            reported += 1
            accepted += standing.accepted_at is not None
    parts = [counted(grounds)] if grounds else []
    parts += [f"另有不予报送{excluded.total()}条（{counted(excluded)}）"] if excluded else []
    return UnitFigures(produced, reported, accepted, "；".join(parts))


def _troubles(rows: Iterable[LedgerRow], headline: str | None, titles: Mapping[str, str]) -> str:
    found: Counter[str] = Counter()
    for row in rows:
        standing = row.standings.get(headline or "")
        if standing is None or row.excluded:
            continue
        for clock, verdict in standing.timeliness.items():
            if verdict in {Timeliness.LATE, Timeliness.MISSED}:
                found[f"{verdict.value}（{titles[clock]}）"] += 1
        if standing.state.endswith("被退回"):
            found["被退回"] += 1
    return counted(found)


def counted(found: Mapping[str, int]) -> str:
    """`待补正2条、被退回1条`, in the order of the words."""
    return "、".join(f"{what}{times}条" for what, times in sorted(found.items()))
