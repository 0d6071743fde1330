"""Hints of concealed decisions 瞒报线索, each with its evidence and never an accusation (pure).

An authority numbers its decisions of a year without a gap: a number that never came here may be a
decision that nobody sent, or one that was never made. And an authority that decided something in
most months, and then nothing, may have stopped sending.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from schemas.codes import RecordKind
from schemas.kinds import KINDS


class HintKind(StrEnum):
    """What a hint rests on."""

    HOLE = "hole"  #: 缺号
    SILENCE = "silence"  #: 停报


class NumberedDecision(NamedTuple):
    """A decision: who made it, its kind, its number in normal form, and its day."""

    authority: str
    kind: RecordKind
    number: str
    day: date


class Hint(NamedTuple):
    """One hint: `key` tells it from others of the authority, `words` are its evidence."""

    kind: HintKind
    authority: str
    key: str
    words: str


#: A number of a year: 样环罚字〔2026〕12号; the prefix and what follows are its series.
_NUMBER = re.compile(
    r"(?P<before>.*?)〔?(?P<year>(?:19|20)\d\d)〕?(?:年|第)*0*(?P<n>\d{1,5})(?P<after>\D*)"
)
#: Of fewer numbers nobody can tell whether they follow each other.
LEAST_NUMBERS = 5
#: Series with fewer of their numbers in them are shared with decisions that do not come here.
_LEAST_PERCENT = 50
#: Numbers of a hole that are named one by one, at most.
_NAMED = 20
#: Months that are looked at, those of them with decisions, and decisions a month on average.
MONTHS, _LEAST_MONTHS, _LEAST_A_MONTH = 12, 6, 2


class _Series(NamedTuple):
    authority: str
    kind: RecordKind
    before: str
    year: str
    after: str

    @property
    def title(self) -> str:
        return f"{self.before}〔{self.year}〕…{self.after}"


def holes(decisions: Iterable[NumberedDecision], years: range) -> list[Hint]:
    """Return the numbers that are missing in the series of each authority, a hint for a series.

    Only the series of these years, which the decisions cover from their beginning.
    """
    series: dict[_Series, set[int]] = {}
    for one in decisions:
        found = _NUMBER.fullmatch(one.number)
        if found is not None and int(found["year"]) in years:
            place = _Series(one.authority, one.kind, found["before"], found["year"], found["after"])
            series.setdefault(place, set()).add(int(found["n"]))
    return [
        Hint(HintKind.HOLE, place.authority, place.title, words)
        for place, numbers in sorted(series.items())
        if (words := _missing(place, numbers)) is not None
    ]


def _missing(place: _Series, numbers: set[int]) -> str | None:
    """Return which numbers are missing, in Chinese; None if none is, or nobody can tell."""
    first = 1 if min(numbers) <= LEAST_NUMBERS else min(numbers)
    last = max(numbers)
    missing = [n for n in range(first, last + 1) if n not in numbers]
    whole = len(numbers) + len(missing)
    if not missing or len(numbers) < LEAST_NUMBERS or len(numbers) * 100 < whole * _LEAST_PERCENT:
        return None
    named = "、".join(list(_spans(missing))[:_NAMED])
    return f"{KINDS[place.kind].title} {first}–{last} 号中缺 {len(missing)} 个：{named}"


def _spans(numbers: list[int]) -> Iterator[str]:
    """Yield 3 and 7–9 for 3, 7, 8, 9."""
    start = numbers[0]
    for one, following in pairwise([*numbers, numbers[-1] + 2]):
        if following > one + 1:
            yield str(one) if start == one else f"{start}–{one}"
            start = following


def silences(decisions: Iterable[NumberedDecision], today: date) -> list[Hint]:
    """Return the authorities without a decision in the last month, against their own history."""
    last = _month(today) - 1
    counts: dict[tuple[str, RecordKind], dict[int, int]] = {}
    for one in decisions:
        months = counts.setdefault((one.authority, one.kind), {})
        months[_month(one.day)] = months.get(_month(one.day), 0) + 1
    found = []
    for (authority, kind), months in sorted(counts.items()):
        before = [months.get(month, 0) for month in range(last - MONTHS, last)]
        busy, total = sum(map(bool, before)), sum(before)
        if months.get(last) or busy < _LEAST_MONTHS or total < _LEAST_A_MONTH * MONTHS:
            continue
        year, month = divmod(last - 1, 12)
        words = (
            f"{KINDS[kind].title} {year}年{month + 1}月没有一件；"
            f"之前{MONTHS}个月有{busy}个月作出决定，共{total}件"
        )
        found.append(Hint(HintKind.SILENCE, authority, f"{kind} {year}-{month + 1:02d}", words))
    return found


def _month(day: date) -> int:
    """Return the number of a month, counted from the year 0."""
    return day.year * 12 + day.month
