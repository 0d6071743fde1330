"""Hints of concealed decisions 瞒报线索, each with its evidence and never an accusation (pure).

An authority numbers its decisions of a year without a gap: a number that never came here may be a
decision that nobody sent, or one that was never made. And an authority that decided something in
most months, and then nothing, may have stopped sending.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import date
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
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
    """One hint: `key` tells it from others of the authority, `words` are its evidence.

    `missing` are the numbers of a hole.
    """

    kind: HintKind
    authority: str
    key: str
    words: str
    missing: tuple[int, ...] = ()


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
    """Numbers that follow each other: decisions of several kinds may share them."""

    authority: str
    before: str
    year: str
    after: str

    @property
    def title(self) -> str:
        return f"{self.before}〔{self.year}〕…{self.after}"


#: What people have spoken of: authority and key of a hole → its numbers.
Settled = Mapping[tuple[str, str], Set[int]]


def holes(
    decisions: Iterable[NumberedDecision], years: range, settled: Settled = MappingProxyType({})
) -> list[Hint]:
    """Return the numbers that are missing in the series of each authority, a hint for a series.

    Only the series of these years, which the decisions cover from their beginning. Where all that
    is missing is settled there is no hint.
    """
    series: dict[_Series, dict[int, RecordKind]] = {}
    for one in decisions:
        found = _NUMBER.fullmatch(one.number)
        if found is not None and int(found["year"]) in years:
            place = _Series(one.authority, found["before"], found["year"], found["after"])
            series.setdefault(place, {})[int(found["n"])] = one.kind
    return [
        hint
        for place, numbers in sorted(series.items())
        for hint in _hole(place, numbers, settled.get((place.authority, place.title), frozenset()))
    ]


def _hole(place: _Series, numbers: Mapping[int, RecordKind], settled: Set[int]) -> Iterator[Hint]:
    """Yield the hint of a series; nothing if nothing new is missing, or nobody can tell."""
    first = 1 if min(numbers) <= LEAST_NUMBERS else min(numbers)
    last = max(numbers)
    missing = [n for n in range(first, last + 1) if n not in numbers]
    whole = len(numbers) + len(missing)
    if len(numbers) < LEAST_NUMBERS or len(numbers) * 100 < whole * _LEAST_PERCENT:
        return
    new = [n for n in missing if n not in settled]
    if not new:
        return
    kinds = "、".join(KINDS[kind].title for kind in sorted(set(numbers.values())))
    named = "、".join(list(_spans(new))[:_NAMED])
    told = len(missing) - len(new)
    also = f"；另有 {told} 个已说明" if told else ""
    words = f"{kinds} {first}–{last} 号中缺 {len(new)} 个：{named}{also}"
    yield Hint(HintKind.HOLE, place.authority, place.title, words, tuple(new))


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
