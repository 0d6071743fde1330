"""How good the data of a month is 数据质量: right at once, complete, corrected (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median_low

from gateway.ledger.figures import Rate
from gateway.ledger.row import LedgerRow
from schemas.destination import Destination
from schemas.kinds import DOUBLE_PUBLICITY, KINDS


@dataclass(frozen=True, slots=True)
class QualityFigures:
    """How decisions fared at one destination.

    `first_pass`: accepted as they were sent first, never held or rejected before. `rejected`: at
    least once; `mended` of them were accepted again, after `middle_days` and at most
    `longest_days`.
    """

    destination: str
    title: str
    handed_over: int
    first_pass: int
    rejected: int
    mended: int
    middle_days: int | None
    longest_days: int | None

    @property
    def first_pass_rate(self) -> Rate:
        """一次通过率: accepted at the first try ÷ S."""
        return Rate(self.first_pass, self.handed_over)


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """The required items 数据项 of all decisions as they came first, and those that were filled."""

    asked: int
    filled: int

    @property
    def complete_rate(self) -> Rate:
        """完整率: filled ÷ asked (苏州市双公示考核)."""
        return Rate(self.filled, self.asked)


NO_ITEMS = ItemFigures(0, 0)


@dataclass(frozen=True, slots=True)
class SideFigures:
    """What the last reconciliation says of the month: a platform's listing, or a register 登记.

    `shown`: its rows of the month; None if it cannot be read. `faults`: kind of difference → open
    ones. Of those that a register has and we have not, `never_came` are decisions that the headline
    platform takes and that never came here; `withdrawn_reported` were withdrawn here and count in S
    of that platform.
    """

    side: str
    title: str
    is_register: bool
    shown: int | None
    compared_at: datetime
    faults: Mapping[str, int] = field(default_factory=dict)
    #: (kind, authority) → its rows of the month.
    by_authority: Mapping[tuple[str, str], int] = field(default_factory=dict)
    never_came: int = 0
    withdrawn_reported: int = 0


class QualityCounts:
    """Count the 双公示 rows of a month for the figures of quality."""

    def __init__(self, destinations: Iterable[Destination]) -> None:
        self._of = {d.name: _Counts(d.title) for d in destinations if d.takes & KINDS.reported}
        self._asked = self._lacking = 0

    def add(self, row: LedgerRow) -> None:
        """Count one row."""
        if row.excluded or row.kind not in DOUBLE_PUBLICITY:
            return
        self._asked += row.asked
        self._lacking += row.lacking
        for name, standing in row.standings.items():
            counts = self._of.get(name)
            if counts is None:
                continue
            counts.handed_over += standing.handed_over_at is not None
            counts.first_pass += standing.first_pass
            if standing.rejected_at is not None:
                counts.rejected += 1
                if standing.mended_at is not None:
                    counts.mended.append(_days(standing.mended_at - standing.rejected_at))

    def items(self) -> ItemFigures:
        """Return the figures of the items."""
        return ItemFigures(self._asked, self._asked - self._lacking)

    def figures(self) -> tuple[QualityFigures, ...]:
        """Return the figures of each destination."""
        return tuple(
            QualityFigures(
                destination=name,
                title=counts.title,
                handed_over=counts.handed_over,
                first_pass=counts.first_pass,
                rejected=counts.rejected,
                mended=len(counts.mended),
                middle_days=median_low(counts.mended) if counts.mended else None,
                longest_days=max(counts.mended, default=None),
            )
            for name, counts in self._of.items()
        )


@dataclass(slots=True)
class _Counts:
    title: str
    handed_over: int = 0
    first_pass: int = 0
    rejected: int = 0
    mended: list[int] = field(default_factory=list)


def _days(time: timedelta) -> int:
    """Return begun days."""
    return -(-max(time, timedelta()) // timedelta(days=1))


def accurate_rate(side: SideFigures) -> Rate | None:
    """Return 准确率: rows of the month without a wrong value ÷ all; None where nobody can read."""
    if side.shown is None:
        return None
    return Rate(side.shown - side.faults.get("wrong_value", 0), side.shown)
