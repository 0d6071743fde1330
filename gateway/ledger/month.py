"""The ledger step 台账: compute the ledger of a month as it is now.

`month` reads one snapshot in a constant number of statements, slice by slice; the rows stand on
disk meanwhile. `freeze` stores the result.
"""

import asyncio
import calendar
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from gateway.due.deadline import utc
from gateway.ledger.causes import DownTime, united
from gateway.ledger.entries import EntryCounts, EntryFigures
from gateway.ledger.figures import FigureCounts, Figures, Rate, clock_title
from gateway.ledger.quality import (
    NO_ITEMS,
    ItemFigures,
    QualityCounts,
    QualityFigures,
    SideFigures,
    accurate_rate,
)
from gateway.ledger.row import LedgerRow
from gateway.ledger.rows import Assembler, LedgerScope
from gateway.ledger.sides import listed_by, sides_between
from gateway.ledger.spool import Spool
from gateway.ledger.units import Unit, UnitCounts
from gateway.store.account import evidence, hints
from gateway.store.account import ledgers as store
from gateway.store.account import outages as register
from gateway.store.base.engine import Connection, Database
from gateway.store.record import quarantine
from gateway.store.record.missing import MissingMessages, missing_found
from gateway.titles import PERSON
from schemas.base import start_of, today
from schemas.destination import TimeLimit

#: What a ledger tells of others, as of the last reconciliation.
_OF_OTHERS = frozenset({"sides", "hints"})


def own_figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of our own records, which alone make a month another one."""
    return {name: value for name, value in figures.items() if name not in _OF_OTHERS}


class BadMonth(ValueError):
    """A month is not written YYYY-MM; the message says so in Chinese."""


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One grade change 等级变动 of the month."""

    number: int | None
    subject_name: str
    subject_code: str
    from_grade: str | None
    to_grade: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one month at one time; `refused` counts input that became no record."""

    month: str
    headline: str | None
    figures: tuple[Figures, ...]
    units: tuple[Unit, ...]
    excluded: Mapping[str, int]
    refused: int
    rows: Collection[LedgerRow]
    grade_changes: Collection[GradeRow]
    #: What the bus deleted before it was read, found in the month.
    missing: tuple[MissingMessages, ...] = ()
    #: The clock of entry, and the figures by it.
    entry_clock: TimeLimit | None = None
    entries: tuple[EntryFigures, ...] = ()
    quality: tuple[QualityFigures, ...] = ()
    items: ItemFigures = NO_ITEMS
    sides: tuple[SideFigures, ...] = ()  #: what the last reconciliations say of the month
    hints: int = 0  #: of concealed decisions, which nobody has closed

    @property
    def headline_figures(self) -> Figures | None:
        """The figures of the headline destination over all kinds."""
        return next((one for one in self.figures if one.headline and one.kind is None), None)

    def rate_by(self, side: SideFigures) -> Rate | None:
        """Return 上报率 by a register: what never came or was withdrawn here is not reported."""
        headline = self.headline_figures
        if headline is None or not side.is_register:
            return None
        reported = headline.handed_over - side.withdrawn_reported
        return Rate(reported, headline.in_scope + side.never_came)

    def as_json(self) -> dict[str, Any]:
        """Return the figures with their rates, without rows, for `--format json` and the store."""
        found: dict[str, Any] = {}
        if self.missing:
            found["missing"] = [asdict(one) for one in self.missing]
        if self.entry_clock is not None:
            found["entries"] = [
                {**asdict(one), "timely_rate": one.timely_rate.text} for one in self.entries
            ]
        found["quality"] = [
            {**asdict(one), "first_pass_rate": one.first_pass_rate.text} for one in self.quality
        ]
        found["items"] = {**asdict(self.items), "complete_rate": self.items.complete_rate.text}
        found["sides"] = [_side_json(one) for one in self.sides]
        return found | {
            "hints": self.hints,
            "month": self.month,
            "headline": self.headline,
            "figures": [_figures_json(figures) for figures in self.figures],
            "excluded": dict(self.excluded),
            "refused": self.refused,
            "decisions": len(self.rows),
            "grade_changes": len(self.grade_changes),
        }

    @property
    def hash(self) -> str:
        """SHA-256 of figures and rows as canonical JSON: equal content has an equal hash.

        What others show is as of the last reconciliation: a new one alone makes no new version.
        """
        told = self.as_json()
        own = own_figures(told)
        digest = hashlib.sha256(_canonical(own))
        for row in self.rows:
            digest.update(_canonical(asdict(row)))
        for change in self.grade_changes:
            digest.update(_canonical(asdict(change)))
        return digest.hexdigest()


def _canonical(value: object) -> bytes:
    options = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(value, option=options)


def _side_json(side: SideFigures) -> dict[str, Any]:
    accurate = accurate_rate(side)
    return {
        "side": side.side,
        "is_register": side.is_register,
        "shown": side.shown,
        "faults": dict(side.faults),
        "accurate_rate": accurate and accurate.text,
    }


def _figures_json(figures: Figures) -> dict[str, Any]:
    clocks = [
        {
            **asdict(clock),
            "timely_rate": figures.timely_rate(clock).text,
            "timely_rate_without_outages": figures.timely_rate_without(clock).text,
        }
        for clock in figures.clocks
    ]
    return {
        **asdict(figures),
        "reported_rate": figures.reported_rate.text,
        "compliant_rate": figures.compliant_rate.text,
        "clocks": clocks,
    }


def days_of(month: str) -> tuple[date, date]:
    """Return the first day of a month `YYYY-MM` and the day after its last.

    Raises:
        BadMonth: it is written in another way.
    """
    try:
        first = date.fromisoformat(f"{month}-01")
        days = calendar.monthrange(first.year, first.month)[1]
        return first, date.fromordinal(first.toordinal() + days)
    except (ValueError, OverflowError) as error:
        raise BadMonth(f"月份“{month}”应写成 2026-10 的样子") from error


def end_of_month(month: str) -> datetime:
    """Return the first moment after a month `YYYY-MM`; raises BadMonth as `days_of`."""
    return start_of(days_of(month)[1])


async def month(database: Database, scope: LedgerScope, month: str, now: datetime) -> Ledger:
    """Compute the ledger of the decisions of a month, as they are at `now`.

    It opens its own read-only transaction; rows and figures are computed in a thread.

    Raises:
        BadMonth: the month is not written YYYY-MM, or has not begun.
    """
    first, end = days_of(month)
    if first > today(now):
        raise BadMonth(f"{month} 尚未开始；月份写成已开始的月")
    start, stop = start_of(first), start_of(end)
    grades = Spool[GradeRow]()
    async with database.snapshot() as connection:
        await store.keep_months(connection)
        notes = await evidence.of_decisions(connection, first, end)
        made = _Making(Assembler(scope, now, await _outages(connection, start), notes))
        async for decisions in store.month_decisions(connection, first, end):
            await asyncio.to_thread(made.add, decisions)
        refused = await quarantine.refused_in(connection, first, end)
        sides = await sides_between(
            connection, scope, first, min(end, today(now) + timedelta(days=1))
        )
        open_hints = await hints.count_open(connection)
        missing = await missing_found(connection, start, stop)
        async for changes in store.grade_changes(connection, start, stop):
            grades.add([_grade_row(change, scope) for change in changes])
    return Ledger(
        month=month,
        headline=made.figures.headline,
        figures=made.figures.figures(),
        units=made.units.units(listed_by(sides, made.figures.headline, made.last_accepted)),
        excluded=made.excluded,
        refused=refused,
        rows=made.rows,
        grade_changes=grades,
        missing=tuple(missing),
        entry_clock=scope.entry_clock,
        entries=made.entries.figures(),
        quality=made.quality.figures(),
        items=made.quality.items(),
        sides=sides,
        hints=open_hints,
    )


async def _outages(connection: Connection, start: datetime) -> dict[str, list[DownTime]]:
    """Return when each destination was down since the start of the month."""
    found = register.by_destination(await register.listed(connection, until=start))
    return {name: united((one.since, one.until) for one in rows) for name, rows in found.items()}


class _Making:
    """The rows of a month and all that is counted of them, slice by slice."""

    def __init__(self, assembler: Assembler) -> None:
        scope = assembler.scope
        self.assembler = assembler
        self.rows = Spool[LedgerRow]()
        self.figures = FigureCounts(scope.destinations, scope.clocks)
        titles = {name: clock_title(clock) for name, clock in scope.clocks.items()}
        self.units = UnitCounts(self.figures.headline, titles)
        self.entries = EntryCounts(scope.entry_clock, scope.workdays)
        self.quality = QualityCounts(scope.destinations)
        self.excluded = Counter[str]()
        self.last_accepted: datetime | None = None  #: of the month, at the headline destination

    def add(self, decisions: Iterable[Sequence[Any]]) -> None:
        rows = [self.assembler.row(stored) for stored in decisions]
        for row in rows:
            self.figures.add(row)
            self.units.add(row)
            self.entries.add(row)
            self.quality.add(row)
            self._note_accepted(row)
            if row.excluded:
                self.excluded[row.excluded] += 1
        self.rows.add(rows)

    def _note_accepted(self, row: LedgerRow) -> None:
        standing = row.standings.get(self.figures.headline or "")
        if standing is not None and standing.accepted_at is not None:
            known = self.last_accepted or standing.accepted_at
            self.last_accepted = max(known, standing.accepted_at)


def _grade_row(row: Any, scope: LedgerScope) -> GradeRow:
    number, code, name, person, before, after, at = row
    shown = scope.pseudonym(code) if person else code
    return GradeRow(number, PERSON if person else name or "", shown, before, after, utc(at))
