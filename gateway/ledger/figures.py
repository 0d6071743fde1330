"""The figures of a month 台账指标 from its rows: counts, rates and timeliness (pure).

Definitions (ARCHITECTURE.md, "Figures of a month"): N in scope by decision date; S handed over;
A accepted; T accepted by the due time of each clock; 迟报 handed over but not accepted by the due
time; 漏报 not handed over and past due. 上报率 S/N, 合规率 A/S, 及时率 T/N; a denominator of 0
gives "—", never 100 %.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.ledger.causes import Cause
from gateway.ledger.row import DecisionStanding, LedgerRow
from gateway.ledger.timeliness import LATE, Timeliness
from schemas.codes import RecordKind
from schemas.destination import CountedDays, Destination, TimeLimit
from schemas.kinds import DOUBLE_PUBLICITY, KINDS

NO_RATE = "—"


@dataclass(frozen=True, slots=True)
class Rate:
    """A part of a whole; without a value if the whole is 0."""

    part: int
    whole: int

    @property
    def value(self) -> Decimal | None:
        """The rate, rounded down to 0.0001 so that only the whole is 1; None if the whole is 0."""
        return Decimal(self.part * 10_000 // self.whole) / 10_000 if self.whole else None

    @property
    def text(self) -> str:
        """The rate as `98.50%`."""
        return NO_RATE if self.value is None else f"{self.value * 100:.2f}%"


@dataclass(frozen=True, slots=True)
class ClockFigures:
    """The counts of decisions in scope by one clock."""

    clock: str
    title: str
    timely: int
    late: int
    missed: int
    open: int
    unknown: int
    void: int
    excused: int = 0  #: late or missing, mostly because the receiver was down


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one destination; `kind` None: 双公示 together."""

    destination: str
    title: str
    headline: bool
    kind: RecordKind | None
    in_scope: int
    handed_over: int
    accepted: int
    blind: int
    clocks: tuple[ClockFigures, ...]
    causes: Mapping[str, int] = field(default_factory=dict)  #: of those late or missing

    @property
    def reported_rate(self) -> Rate:
        """上报率 S/N."""
        return Rate(self.handed_over, self.in_scope)

    @property
    def compliant_rate(self) -> Rate:
        """合规率 A/S."""
        return Rate(self.accepted, self.handed_over)

    def timely_rate(self, clock: ClockFigures) -> Rate:
        """Return 及时率 T/N by one clock."""
        return Rate(clock.timely, self.in_scope)

    def timely_rate_without(self, clock: ClockFigures) -> Rate:
        """Return 及时率 by one clock without decisions that waited for a receiver that was down."""
        return Rate(clock.timely, self.in_scope - clock.excused)


class FigureCounts:
    """Count the rows of a month for the figures of each destination that takes decisions."""

    def __init__(
        self, destinations: Iterable[Destination], clocks: Mapping[str, TimeLimit]
    ) -> None:
        reported = [d for d in destinations if d.takes & KINDS.reported]
        self.headline = headline_of(reported)
        self.clocks = clocks
        reported.sort(key=lambda d: d.name != self.headline)
        kinds = (None, *KINDS.in_order)
        self._counts = {(d.name, kind): _Counts(d) for d in reported for kind in kinds}

    def add(self, row: LedgerRow) -> None:
        """Count one row."""
        if row.excluded:
            return
        for name, standing in row.standings.items():
            together = (None,) if row.kind in DOUBLE_PUBLICITY else ()
            for kind in (*together, row.kind):
                if (name, kind) in self._counts:
                    self._counts[name, kind].add(standing)

    def figures(self) -> tuple[Figures, ...]:
        """Return the figures of each destination, 双公示 first; the headline first."""
        return tuple(
            counts.figures(kind, self.clocks, headline=name == self.headline)
            for (name, kind), counts in self._counts.items()
        )


def headline_of(destinations: Iterable[Destination]) -> str | None:
    """Return the destination at the head of the ledger: the configured one, else the first."""
    reported = [d for d in destinations if d.takes & KINDS.reported]
    chosen = next((d for d in reported if d.headline), None) or next(iter(reported), None)
    return chosen.name if chosen else None


class _Counts:
    """The counts of one destination and kind, row by row."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.in_scope = self.handed_over = self.accepted = self.blind = 0
        self.clocks = {name: Counter[Timeliness]() for name in destination.clocks}
        self.excused = Counter[str]()
        self.causes = Counter[Cause]()

    def add(self, standing: DecisionStanding) -> None:
        self.in_scope += 1
        self.handed_over += standing.handed_over_at is not None
        self.accepted += standing.accepted_at is not None
        self.blind += standing.blind
        if standing.cause is not None:
            self.causes[standing.cause] += 1
        for name, found in self.clocks.items():
            found[standing.timeliness[name]] += 1
            if standing.cause is Cause.RECEIVER_DOWN and standing.timeliness[name] in LATE:
                self.excused[name] += 1

    def figures(
        self, kind: RecordKind | None, clocks: Mapping[str, TimeLimit], *, headline: bool
    ) -> Figures:
        return Figures(
            destination=self.destination.name,
            title=self.destination.title,
            headline=headline,
            kind=kind,
            in_scope=self.in_scope,
            handed_over=self.handed_over,
            accepted=self.accepted,
            blind=self.blind,
            clocks=tuple(
                _clock_figures(clocks[name], found, self.excused[name])
                for name, found in self.clocks.items()
            ),
            causes={cause.value: self.causes[cause] for cause in Cause if self.causes[cause]},
        )


def _clock_figures(clock: TimeLimit, found: Mapping[Timeliness, int], excused: int) -> ClockFigures:
    return ClockFigures(
        clock=clock.name,
        title=clock_title(clock),
        timely=found[Timeliness.TIMELY],
        late=found[Timeliness.LATE],
        missed=found[Timeliness.MISSED],
        open=found[Timeliness.OPEN],
        unknown=found[Timeliness.UNKNOWN],
        void=found[Timeliness.VOID],
        excused=excused,
    )


def clock_title(clock: TimeLimit) -> str:
    """Return the time limit in Chinese, as `7个工作日`."""
    return f"{clock.days}个{'工作日' if clock.counts is CountedDays.WORKING else '自然日'}"
