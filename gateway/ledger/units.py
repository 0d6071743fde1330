"""The figures of each authority in the published table 双公示月报表 (pure)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.ledger.rows import LedgerRow, Timeliness
from schemas.kinds import REPORTED_IN_ORDER

#: The published table shows licences before penalties.
UNIT_KINDS = tuple(reversed(REPORTED_IN_ORDER))


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """One kind of decision of one authority, as counted in the published table."""

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
    """The line of one authority in the published table."""

    authority: str
    kinds: tuple[UnitFigures, ...]  #: one for each kind of UNIT_KINDS
    troubles: str  #: 报送存在问题情况


def units(
    rows: Iterable[LedgerRow], headline: str | None, titles: Mapping[str, str]
) -> tuple[Unit, ...]:
    """Return one line for each authority, sorted by name; `titles` has the titles of the clocks."""
    by_authority: dict[str, list[LedgerRow]] = {}
    for row in rows:
        by_authority.setdefault(row.authority, []).append(row)
    return tuple(
        Unit(
            authority,
            tuple(_unit_figures([r for r in mine if r.kind is k], headline) for k in UNIT_KINDS),
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
    """Return counts as `待补正2条、被退回1条`, sorted by their words."""
    return "、".join(f"{what}{times}条" for what, times in sorted(found.items()))
