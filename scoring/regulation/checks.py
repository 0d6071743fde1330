"""Check the parts of a rule set against each other, when each value alone is well formed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

from schemas.codes import PENALTY_KINDS
from scoring.regulation.intervals import Interval, cover_problems
from scoring.regulation.item_checks import exception_problems, item_problems, weight_problems
from scoring.regulation.match_checks import match_problems
from scoring.regulation.table import Table
from scoring.regulation.terms import Match, Note, Unless


class _Checked(Protocol):
    """The attributes of a rule set that `problems_of` reads."""

    @property
    def notes(self) -> tuple[Note, ...]: ...
    @property
    def tables(self) -> dict[str, Table]: ...
    @property
    def criminal_suspects(self) -> "_Noted | None": ...


class _Noted(Protocol):
    @property
    def notes(self) -> tuple[str, ...]: ...


def problems_of(rule_set: _Checked) -> list[str]:
    """Return every problem of the rule set; each text names the table and the item."""
    problems = _doubles("理解说明", (note.id for note in rule_set.notes))
    kinds = (kind.value for table in rule_set.tables.values() for kind in table.kinds)
    problems += _doubles("对象种类", kinds)
    known = frozenset(note.id for note in rule_set.notes)
    suspects = rule_set.criminal_suspects
    problems += _unknown("criminal_suspects", suspects.notes if suspects else (), known)
    for name, table in rule_set.tables.items():
        problems += [f"{name} {problem}" for problem in _table_problems(table, known)]
    return problems


def _table_problems(table: Table, known: frozenset[str]) -> Iterator[str]:
    yield from _doubles("评价项", (row.id for row in table.rows))
    yield from _doubles("等级", (band.grade for band in table.bands))
    yield from _row_problems(table, known)
    yield from weight_problems(table)
    yield from _rule_problems(table)
    yield from _cover("等级分段", ((band.grade, band) for band in table.bands))
    yield from _repair_problems(table, known)
    yield from match_problems(table.rows)
    yield from _value_problems(table)
    for circumstance, notes in table.relies_on:
        yield from _unknown(f"relies_on {circumstance}", notes, known)
    yield from _unknown("sites", table.sites.notes if table.sites else (), known)


def _row_problems(table: Table, known: frozenset[str]) -> Iterator[str]:
    for row in table.rows:
        name = f"评价项 {row.id}"
        yield from _unknown(name, row.notes, known)
        yield from (f"{name}：{fault}" for fault in _word_problems(row.match))
        yield from _doubles(f"{name} 例外", (each.id for each in row.unless))
        yield from (f"{name}：{fault}" for fault in exception_problems(row.unless))
        yield from (f"{name}：{fault}" for fault in _exception_words(row.unless))
    for item in table.items:
        yield from (f"评价项 {item.id}：{fault}" for fault in item_problems(item, table.direction))


def _doubles(what: str, names: Iterable[str]) -> list[str]:
    counts = Counter(names).items()
    return [f"{what} {name}：出现 {count} 次；只留一个" for name, count in counts if count > 1]


def _unknown(where: str, notes: Iterable[str], known: frozenset[str]) -> list[str]:
    return [
        f"{where}：没有理解说明 {note}；补进 notes 或改正" for note in notes if note not in known
    ]


def _cover(what: str, ranges: Iterable[tuple[str, Interval]]) -> list[str]:
    return [f"{what}：{problem}" for problem in cover_problems(ranges)]


def _word_problems(match: Match) -> Iterator[str]:
    for word in match.penalties:
        if word not in PENALTY_KINDS:
            yield f"不认识的处罚类别 {word}；按代码表改正"
    if match.amount is not None and (match.events or not (match.penalties or match.codes)):
        yield "amount 要与 penalties 或 codes 同写，不能与 events 同写"


def _exception_words(exceptions: Iterable[Unless]) -> Iterator[str]:
    for each in exceptions:
        fault = each.when.amount.problem() if each.when.amount else None
        if fault:
            yield f"例外 {each.id}：amount：{fault}"


def _rule_problems(table: Table) -> Iterator[str]:
    items = {item.id for item in table.items}
    grades = {band.grade for band in table.bands}
    for rule in table.rules:
        yield from (
            f"评价项 {rule.id}：with_items 里的 {item} 不是评价项；改正编号"
            for item in rule.with_items
            if item not in items
        )
        if not rule.with_items and not rule.stands_alone:
            yield f"评价项 {rule.id}：match、by_item、with_items 至少写一个"
        if rule.by_item and rule.match != Match():
            yield f"评价项 {rule.id}：by_item 与 match 不能同写；删去一个"
        if rule.grade not in grades:
            yield f"评价项 {rule.id}：等级分段里没有等级 {rule.grade}；改正 grade"
        if any(each.points for each in rule.unless):
            yield f"评价项 {rule.id}：直接评定的例外不能有 points；删去"
    yield from _doubles(
        "with_items 里的评价项", (item for rule in table.rules for item in rule.with_items)
    )


def _repair_problems(table: Table, known: frozenset[str]) -> Iterator[str]:
    if table.repair is None:
        return
    yield from _cover("修复等待期", ((wait.text, wait) for wait in table.repair.waits))
    for wait in table.repair.waits:
        yield from _unknown(f"修复等待期 {wait.text}", wait.notes, known)


def _value_problems(table: Table) -> Iterator[str]:
    """Yield problems of table values that require or exclude each other."""
    caps = table.caps
    if (caps.lowest, caps.highest, caps.per_decision) != (None, None, None) and not caps.article:
        yield "caps：写了限值，就要写 article 和 text"
    if caps.lowest is not None and caps.highest is not None and caps.highest < caps.lowest:
        yield "caps：highest 小于 lowest；改正其中一个"
    if caps.per_decision is not None and not _closed(caps.per_decision):
        yield "caps：per_decision 用 at_least 和 at_most 写，都是正数"
    if table.snapshot is not None and table.snapshot.period_of_a_day:
        yield "snapshot：cadence 为 live 时没有评价周期，counts 不能是 of_period"
    if not table.public and table.public_rule is None:
        yield "public：写了 false，就要写 public_rule"
    if table.listing is not None and table.listing.grade not in {b.grade for b in table.bands}:
        yield f"listing：等级分段里没有等级 {table.listing.grade}；改正 grade"
    if table.sites is not None and (table.sites.combined == "weighted") != bool(table.sites.weight):
        yield "sites：combined 为 weighted 时要写 weight，为 per_site 时不写"
    fields = type(table).model_fields
    yield from (
        f"unverified：没有 {name} 这个键；改正" for name in table.unverified if name not in fields
    )


def _closed(size: Interval) -> bool:
    ends = [end for end in (size.at_least, size.at_most) if end is not None]
    return size.above is None and size.below is None and size.problem() is None and min(ends) > 0
