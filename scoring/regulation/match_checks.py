"""Check that each event, word or code leads to one row for every day and amount."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from scoring.dates import add_days
from scoring.regulation.intervals import Interval, cover_problems
from scoring.regulation.terms import Decided, GradeRule, Match, TariffItem

MatchRow = TariffItem | GradeRule


def match_problems(rows: Sequence[MatchRow]) -> Iterator[str]:
    """Yield events with two rows on one day, and words or codes whose amounts do not fit."""
    events: dict[str, list[MatchRow]] = {}
    decisions: dict[str, list[MatchRow]] = {}
    for row in rows:
        for event in row.match.events:
            events.setdefault(f"事件 {event}", []).append(row)
        for word in (*row.match.penalties, *row.match.other_words):
            decisions.setdefault(f"处罚类别 {word}", []).append(row)
        for code in row.match.codes:
            decisions.setdefault(f"代码 {code}", []).append(row)
    for what, found in events.items():
        yield from _event_problems(what, found)
    for what, found in decisions.items():
        yield from _amount_problems(what, found)


def _event_problems(what: str, rows: Sequence[MatchRow]) -> Iterator[str]:
    most = max(len(meant) for meant in _by_days(rows))
    if most > 1:
        yield f"{what}：同一天有 {most} 个评价项对应；只留一个"


def _amount_problems(what: str, rows: Sequence[MatchRow]) -> Iterator[str]:
    """Yield gaps and overlaps of amounts; days without any row are allowed (word unmapped)."""
    problems: dict[str, None] = {}
    for meant in _by_days(rows):
        ranges = [(row.id, row.match.amount or Interval()) for row in meant]
        problems |= dict.fromkeys(cover_problems(ranges) if ranges else ())
    yield from (f"{what}：{problem}" for problem in problems)


def _by_days(rows: Iterable[MatchRow]) -> Iterator[list[MatchRow]]:
    """Yield the rows that apply in each period between the date edges of these rows."""
    rows = list(rows)
    firsts = {date.min, *(day for row in rows for day in _firsts(row.match))}
    for day in sorted(firsts):
        yield [row for row in rows if (row.match.decided or Decided()).contains(day)]


def _firsts(match: Match) -> Iterator[date]:
    decided = match.decided or Decided()
    after = add_days(decided.last, 1) if decided.last is not None else None
    yield from (day for day in (decided.first, after) if day is not None)
