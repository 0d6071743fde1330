"""The figures of each authority in the published table 双公示月报表 (pure)."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.ledger.row import DecisionStanding, LedgerRow
from gateway.ledger.timeliness import LATE
from schemas.kinds import DOUBLE_PUBLICITY

#: The published table is of 双公示, and shows licences before penalties.
UNIT_KINDS = tuple(reversed(DOUBLE_PUBLICITY))


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """One kind of decision of one authority, as counted in the published table."""

    produced: int  #: 产生数量: in scope
    reported: int  #: 报送数量: handed over to the headline destination
    accepted: int  #: 有效入库数
    grounds: str  #: 未报送依据
    shown: int | None = None  #: 市级网站公示数量, by the last reconciliation; None: not known

    @property
    def unreported(self) -> int:
        """未报送数量."""
        return self.produced - self.reported


@dataclass(frozen=True, slots=True)
class Unit:
    """The line of one authority in the published table."""

    authority: str
    kinds: tuple[UnitFigures, ...]  #: one for each kind of UNIT_KINDS
    troubles: str  #: 报送存在问题情况


class UnitCounts:
    """Count the rows of a month by authority; `titles` has the titles of the clocks."""

    def __init__(self, headline: str | None, titles: Mapping[str, str]) -> None:
        self.headline = headline or ""
        self.titles = titles
        self._counts: dict[str, _AuthorityCounts] = defaultdict(_AuthorityCounts)

    def add(self, row: LedgerRow) -> None:
        """Count one row; only those of 双公示 stand in the table."""
        if row.kind not in UNIT_KINDS:
            return
        self._counts[row.authority].add(row, row.standings.get(self.headline), self.titles)

    def units(self, shown: Mapping[tuple[str, str], int] | None = None) -> tuple[Unit, ...]:
        """Return one line for each authority, sorted by name.

        `shown`: (kind, authority) → what the platform shows; None if nobody can read that.
        """
        return tuple(
            Unit(
                authority,
                tuple(
                    counts.kinds[kind].figures(
                        None if shown is None else shown.get((kind, authority), 0)
                    )
                    for kind in UNIT_KINDS
                ),
                counted(counts.troubles),
            )
            for authority, counts in sorted(self._counts.items())
        )


class _AuthorityCounts:
    """The counts of one authority, row by row."""

    def __init__(self) -> None:
        self.kinds = {kind: _KindCounts() for kind in UNIT_KINDS}
        self.troubles: Counter[str] = Counter()

    def add(
        self, row: LedgerRow, standing: DecisionStanding | None, titles: Mapping[str, str]
    ) -> None:
        counts = self.kinds[row.kind]
        if row.excluded:
            counts.excluded[row.excluded] += 1
            return
        counts.add(standing)
        if standing is None:
            return
        for clock, verdict in standing.timeliness.items():
            if verdict in LATE:
                self.troubles[f"{verdict.value}（{titles[clock]}）"] += 1
        self.troubles.update(["被退回"] * standing.state.endswith("被退回"))


class _KindCounts:
    """The counts of one kind of decision of one authority."""

    def __init__(self) -> None:
        self.produced = self.reported = self.accepted = 0
        self.grounds: Counter[str] = Counter()
        self.excluded: Counter[str] = Counter()

    def add(self, standing: DecisionStanding | None) -> None:
        self.produced += 1
        if standing is None:
            self.grounds["不属该平台范围"] += 1
        elif standing.handed_over_at is None:
            self.grounds[standing.state] += 1
        else:
            self.reported += 1
            self.accepted += standing.accepted_at is not None

    def figures(self, shown: int | None) -> UnitFigures:
        parts = [counted(self.grounds)] if self.grounds else []
        if self.excluded:
            parts.append(f"另有不予报送{self.excluded.total()}条（{counted(self.excluded)}）")
        grounds = "；".join(parts)
        return UnitFigures(self.produced, self.reported, self.accepted, grounds, shown)


def counted(found: Mapping[str, int]) -> str:
    """Return counts as `待补正2条、被退回1条`, sorted by their words."""
    return "、".join(f"{what}{times}条" for what, times in sorted(found.items()))
