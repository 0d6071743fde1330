"""Find which items, band edges and date edges of a rule set its cases cover."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from schemas.codes import OTHER_PENALTY_PREFIX
from scoring.cases.rule_set_cases import Case, CaseFile
from scoring.dates import add_days
from scoring.engine.count import count, start_of
from scoring.engine.prepared import PreparedTable, prepare
from scoring.engine.prepared_rows import Row, stop, valid_from
from scoring.engine.repair import When
from scoring.facts import Fact
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Band, Table

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Share:
    """How many elements have a case, and which have none."""

    covered: int
    total: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of the cases 用例覆盖; missing elements are written "table element"."""

    items: Share  #: items, vetoes, promotions and exceptions
    bands: Share  #: each side of each band edge, without those named as unreachable
    dates: Share  #: each side of each date edge

    @property
    def missing(self) -> tuple[str, ...]:
        """All elements without a case."""
        return (*self.items.missing, *self.bands.missing, *self.dates.missing)


def coverage(rule_set: RuleSet, file: CaseFile) -> Coverage:
    """Return what the cases of a rule set cover; does not check that the cases pass."""
    items: dict[str, bool] = {}
    bands: dict[str, bool] = {}
    dates: dict[str, bool] = {}
    for name, table in rule_set.tables.items():
        cases = [case for case in file.cases if case.kind in table.kinds]
        entry = prepare(rule_set).entries[table.kinds[0]]
        items |= _reached(name, _items(table), _shown_items(table, entry, cases))
        bands |= _reached(name, _sides(table.bands), _shown_sides(table.bands, cases))
        dates |= _reached(name, _date_edges(table, entry), _shown_dates(table, entry, cases))
    exempt = {each.edge for each in file.unreachable}
    reachable = {edge: hit for edge, hit in bands.items() if hit or edge not in exempt}
    return Coverage(_share(items), _share(reachable), _share(dates))


def uncovered(rule_set: RuleSet, file: CaseFile) -> list[str]:
    """Return elements without a case and wrong entries of `unreachable`, each with its mending.

    An entry is wrong if there is no such side, or if a case reaches it.
    """
    found = coverage(rule_set, file)
    known = {
        f"{name} {side}": side in _shown_sides(table.bands, _of(file, table))
        for name, table in rule_set.tables.items()
        for side in _sides(table.bands)
    }
    stale = [each.edge for each in file.unreachable if known.get(each.edge, True)]
    return [
        *(f"{name}（在一个用例的 expect 里写出它）" for name in found.items.missing),
        *(
            f"{edge}（写一个得分恰在这一侧的用例；到不了的写进 unreachable）"
            for edge in found.bands.missing
        ),
        *(f"{edge}（写一个日期恰在这一侧的用例）" for edge in found.dates.missing),
        *(f"{edge}（unreachable 里多写的；删去）" for edge in stale),
    ]


def _of(file: CaseFile, table: Table) -> list[Case]:
    return [case for case in file.cases if case.kind in table.kinds]


def _reached(table: str, names: Iterable[str], shown: set[str]) -> dict[str, bool]:
    return {f"{table} {name}": name in shown for name in names}


def _share(reached: dict[str, bool]) -> Share:
    missing = tuple(name for name, hit in reached.items() if not hit)
    return Share(len(reached) - len(missing), len(reached), missing)


def _items(table: Table) -> Iterator[str]:
    yield from (item.id for item in table.items)
    for what, rules in (("veto", table.vetoes), ("promotion", table.promotions)):
        for rule in rules:
            yield from (f"{what} {item}" for item in rule.with_items)
            if rule.stands_alone:
                yield f"{what} {rule.id}"
    yield from (f"exception {row.id} {each.id}" for row in table.rows for each in row.unless)


def _shown_items(table: Table, entry: PreparedTable, cases: Iterable[Case]) -> set[str]:
    with_exceptions = any(row.unless for row in table.rows)
    shown = set()
    for case in cases:
        shown |= {_item(row) for row in case.expect.deductions}
        shown |= {f"veto {_item(row)}" for row in case.expect.vetoes}
        shown |= {f"promotion {_item(row)}" for row in case.expect.promotions}
        if with_exceptions:
            shown |= _exceptions(table, entry, case)
    return shown


def _exceptions(table: Table, entry: PreparedTable, case: Case) -> set[str]:
    """Return the exceptions that apply in the case, by the id of the item or of its grade rule."""
    rules = {item: rule.id for rule in table.rules for item in rule.with_items}
    when = When(case.as_of, case.as_of)
    found = count(case.name, case.subject.facts, entry, when).exceptions
    pairs = [text.split(" ")[1:] for text in found]
    return {f"exception {name} {id_}" for item, id_ in pairs for name in (item, rules.get(item))}


def _item(row: str) -> str:
    return row.split(" ")[1]


def _edges(bands: Iterable[Band]) -> Iterator[tuple[Decimal, Band, Band]]:
    """Yield each edge with the band below and the band above it."""
    ordered = sorted(bands, key=lambda band: (band.lower is not None, band.lower or ()))
    for below, above in pairwise(ordered):
        yield next(end for end in (above.at_least, above.above) if end is not None), below, above


def _sides(bands: Iterable[Band]) -> Iterator[str]:
    for edge, below, above in _edges(bands):
        yield f"{edge} {below.grade}"
        yield f"{edge} {above.grade}"


def _shown_sides(bands: Iterable[Band], cases: Iterable[Case]) -> set[str]:
    """Return the covered sides.

    The side of the band that contains the edge needs a score on the edge; the other side needs
    any score in its band.
    """
    scores = [
        (Decimal(case.expect.score), case.expect.grade)
        for case in cases
        if case.expect.score is not None and _by_score(case)
    ]
    shown = set()
    for edge, *both in _edges(bands):
        for band in both:
            reached = [score for score, grade in scores if grade == band.grade]
            if edge in reached or (reached and not band.contains(edge)):
                shown.add(f"{edge} {band.grade}")
    return shown


def _by_score(case: Case) -> bool:
    """Return whether the score alone gives the grade."""
    rules = case.expect.vetoes or case.expect.promotions
    return not rules and not any(fact.received for fact in case.facts)


def _date_edges(table: Table, entry: PreparedTable) -> Iterator[str]:
    """Yield each side of each date edge, of decision days and of assessment days."""
    for row in table.rows:
        decided = row.match.decided
        if decided is not None:
            yield from (
                f"{row.id} decided {side}"
                for day in (decided.first, decided.last and add_days(decided.last, 1))
                if day is not None
                for side in (day - DAY, day)
            )
    for ready in entry.tariff.rows.values():
        yield from (
            f"{ready.item} decided {side}"
            for dated in ready.dated
            for side in (dated.decided_from - DAY, dated.decided_from)
        )
        yield from (f"{ready.item} {end} {side}" for end in _ends(ready) for side in SIDES)
    if table.activation is not None:
        yield from (f"activation {side}" for side in SIDES)


SIDES = ("last day", "day after")


def _ends(row: Row) -> Iterator[str]:
    if row.validity is not None:
        yield "validity"
    yield from (f"validity from {dated.decided_from}" for dated in row.dated if dated.validity)
    if row.mark is not None and row.points is not None and row.mark.validity is not None:
        yield "grade validity"


def _shown_dates(table: Table, entry: PreparedTable, cases: Iterable[Case]) -> set[str]:
    shown: set[str] = set()
    for case in cases:
        if case.expect.model_fields_set & {"score", "deductions", "vetoes", "promotions"}:
            for fact in case.facts:
                shown.update(_dates_of(fact, entry, case.as_of))
                shown.update(_decided(table, fact))
    return shown


def _decided(table: Table, fact: Fact) -> Iterator[str]:
    """Yield "row decided day" for every row that the fact matches apart from the decision day."""
    words = () if fact.penalty is None else fact.penalty.kinds
    signs = {fact.item, fact.type, *fact.codes}
    signs |= {word.removeprefix(OTHER_PENALTY_PREFIX) for word in words}
    for row in table.rows:
        match = row.match
        own = {row.id, *match.penalties, *match.other_words, *match.events, *match.codes}
        if not signs.isdisjoint(own):
            yield f"{row.id} decided {fact.decided_on}"


def _dates_of(fact: Fact, entry: PreparedTable, as_of: date) -> Iterator[str]:
    start = start_of(fact, entry.activation)
    if start is None:
        return
    if entry.activation is not None:
        yield from (f"activation {side}" for side in _side(start, as_of))
    begin = valid_from(fact, start, entry.activation)
    for hit in entry.tariff.match(fact).hits:
        row = hit.row
        validity = row.terms_for(fact)[1]
        changed = [each.decided_from for each in row.dated if each.validity is not None]
        since = [day for day in changed if day <= fact.decided_on]
        name = f"validity from {since[-1]}" if since else "validity"
        yield from (f"{row.item} {name} {s}" for s in _side(stop(validity, fact, begin), as_of))
        end = stop(row.mark.validity, fact, begin) if row.mark else None
        yield from (f"{row.item} grade validity {side}" for side in _side(end, as_of))


def _side(turn: date | None, as_of: date) -> Iterator[str]:
    """Yield the side of a date edge on which the day of assessment lies directly."""
    if turn is not None and as_of == turn - DAY:
        yield SIDES[0]
    if turn == as_of:
        yield SIDES[1]
