"""Find the rows of a table that a fact hits, and its words and codes without a row."""

import copy
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache, reduce
from operator import or_

from schemas.codes import OTHER_PENALTY_PREFIX, EventType
from schemas.credit import NotEvaluated
from schemas.orders import ORDER, is_order
from scoring.dates import add_days
from scoring.engine.note_bits import NoteBook
from scoring.engine.prepared_rows import Row, RowMaker
from scoring.engine.repair import Waits
from scoring.facts import Fact, Penalty
from scoring.regulation.table import Table
from scoring.regulation.terms import Decided, Match

#: Most entries that each cache holds; free words would otherwise let it grow without limit.
MEMORY = 20_000

#: Listed as unmapped for a penalty without any kind.
NO_KIND = "未填处罚类别"

#: Cache key: two facts with equal keys hit the same rows.
Likeness = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that a fact hits, and the values of the fact that matched."""

    row: Row
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Hits:
    """The result of matching a fact against a table."""

    hits: tuple[Hit, ...]
    unmapped: tuple[str, ...]
    refusal: tuple[NotEvaluated, str | None] | None  #: reason and subject matter (None: the fact)
    notes: int
    all_notes: int  #: `notes` and the notes of all rows
    plain: bool  #: there is no refusal, and every row is fixed


class Tariff:
    """The rows of one table, looked up by item, event type, code and penalty word."""

    def __init__(self, table: Table, book: NoteBook, foreign: frozenset[str], waits: Waits) -> None:
        """Index the rows; `foreign` are the row ids of all tables of the rule set."""
        self._foreign = foreign
        self.rows: dict[str, Row] = {}
        self._matches: dict[str, Match] = {}
        self._by_event: dict[EventType, list[Row]] = {}
        self._by_code: dict[str, list[Row]] = {}
        self._by_word: dict[str, list[Row]] = {}
        self._memory: dict[Likeness, Hits] = {}
        self._second: Tariff | None = None
        self._several = book.mask(table.relies_on.several_rows)
        self._no_row = book.mask(table.relies_on.unmapped)
        self._index(table, RowMaker(table, book, waits))
        self.cuts = _cuts(self.rows.values())
        self._segment = lru_cache(MEMORY)(self._segment_of)
        self.days = _days(match.decided for match in self._matches.values())

    def before(self, second: "Tariff") -> "Tariff":
        """Return this, with the rows of a second one for what it has none for.

        So what stands by itself counts by one of them, whatever stands beside it.
        """
        both = copy.copy(self)
        both.rows = {**second.rows, **self.rows}
        both.cuts = sorted({*self.cuts, *second.cuts})
        both.days = sorted({*self.days, *second.days})
        both._segment = lru_cache(MEMORY)(both._segment_of)  # noqa: SLF001 (its own class)
        both._memory = {}  # noqa: SLF001
        both._second = second  # noqa: SLF001
        return both

    def match(self, fact: Fact) -> Hits:
        """Return the rows that the fact hits, sorted by item id; results are cached."""
        penalty = fact.penalty
        like: Likeness = (
            (fact.item, fact.type, fact.codes)
            if penalty is None
            else (fact.item, fact.type, fact.codes, penalty.kinds, self._segment(penalty.fine_wan))
        )
        if self.days:
            like = (*like, bisect_right(self.days, fact.decided_on))
        hits = self._memory.get(like)
        if hits is None:
            hits = self._resolve(fact)
            if len(self._memory) < MEMORY:
                self._memory[like] = hits
        return hits

    def _index(self, table: Table, make: RowMaker) -> None:
        rows = [(make.item(item), item.match) for item in table.items]
        rows += [(make.rule(rule), rule.match) for rule in table.rules if rule.stands_alone]
        for row, match in rows:
            self.rows[row.item] = row
            self._matches[row.item] = match
            for event in match.events:
                self._by_event.setdefault(event, []).append(row)
            for code in match.codes:
                self._by_code.setdefault(code, []).append(row)
            for word in (*match.penalties, *match.other_words):
                self._by_word.setdefault(word, []).append(row)

    def _segment_of(self, fine: Decimal | None) -> int | None:
        """Return a number that is equal for fines between the same two amounts of the table."""
        if fine is None:
            return None
        return bisect_left(self.cuts, fine) + bisect_right(self.cuts, fine)

    def _resolve(self, fact: Fact) -> Hits:
        found = _Found()
        if fact.item is not None:
            self._find_item(fact.item, found)
        elif fact.type is not None:
            self._find_event(fact.type, fact, found)
        self._find_codes(fact, found)
        if fact.penalty is not None:
            self._find_words(fact.penalty, fact, found)
        hits = tuple(sorted(found.hits, key=lambda hit: hit.row.item))
        notes = (self._several if found.several else 0) | (self._no_row if found.unmapped else 0)
        return Hits(
            hits=hits,
            unmapped=tuple(sorted(set(found.unmapped))),
            refusal=found.refusals[0] if found.refusals else None,
            notes=notes,
            all_notes=reduce(or_, (hit.row.notes for hit in hits), notes),
            plain=not found.refusals and all(hit.row.fixed for hit in hits),
        )

    def of_event(self, event: EventType, day: date) -> list[Row]:
        """Return the rows of an event type that apply to decisions of a day."""
        own = self._meant(self._by_event.get(event, ()), day)
        return own if own or self._second is None else self._second.of_event(event, day)

    def of_code(self, code: str, day: date) -> list[Row]:
        """Return the rows of a code that apply to decisions of a day."""
        own = self._meant(self._by_code.get(code, ()), day)
        return own if own or self._second is None else self._second.of_code(code, day)

    def of_word(self, word: str, day: date) -> list[Row]:
        """Return the rows of a penalty word; orders to mend are one word, however spelt."""
        rows = self._by_word.get(word.removeprefix(OTHER_PENALTY_PREFIX))
        if rows is None:
            rows = self._by_word.get(ORDER, []) if is_order(word) else []
        own = self._meant(rows, day)
        return own if own or self._second is None else self._second.of_word(word, day)

    def _meant(self, rows: Iterable[Row], day: date) -> list[Row]:
        return [row for row in rows if _in_days(self._matches[row.item].decided, day)]

    def _add(self, meant: list[Row], fact: Fact, values: dict[str, str], found: "_Found") -> bool:
        """Add the rows whose amount contains the fine; False if no row applies on that day.

        Adds a refusal if rows apply on that day but none contains the fine.
        """
        fine = None if fact.penalty is None else fact.penalty.fine_wan
        hit = [row for row in meant if _in_amount(row, fine)]
        if meant and not hit:
            found.refusals.append((NotEvaluated.MISSING_AMOUNT, None))
        for row in hit:
            found.add(row, values)
        return bool(meant)

    def _find_item(self, item: str, found: "_Found") -> None:
        row = self.rows.get(item)
        if row is not None:
            found.add(row, {})
        elif item in self._foreign:
            found.refusals.append((NotEvaluated.ITEM_OF_OTHER_KIND, item))
        else:
            found.refusals.append((NotEvaluated.UNKNOWN_ITEM, item))

    def _find_event(self, event: EventType, fact: Fact, found: "_Found") -> None:
        if not self._add(self.of_event(event, fact.decided_on), fact, {"type": event.value}, found):
            found.unmapped.append(event.value)

    def _find_codes(self, fact: Fact, found: "_Found") -> None:
        """Add the rows of the codes.

        A code without a row is listed as unmapped only if the fact has no item, type or penalty.
        """
        alone = fact.item is None and fact.type is None and fact.penalty is None
        for code in sorted(set(fact.codes)):
            meant = self._add(self.of_code(code, fact.decided_on), fact, {"code": code}, found)
            if alone and not meant:
                found.unmapped.append(code)

    def _find_words(self, penalty: Penalty, fact: Fact, found: "_Found") -> None:
        """Add the rows of the words."""
        if not penalty.types:
            found.unmapped.append(NO_KIND)
        for word in sorted(set(penalty.kinds)):
            if not self._add(self.of_word(word, fact.decided_on), fact, {"penalty": word}, found):
                found.unmapped.append(word)


class _Found:
    """Collects the hits of one fact."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self.unmapped: list[str] = []
        self.refusals: list[tuple[NotEvaluated, str | None]] = []
        self.several = False

    def add(self, row: Row, values: dict[str, str]) -> None:
        """Add a hit; a row counts once per decision, unless it counts once per word."""
        self.several = self.several or bool(self.hits)
        known = next((hit for hit in self.hits if hit.row is row), None)
        if known is None or row.each_word:
            self.hits.append(Hit(row, dict(values)))
            return
        for name, value in values.items():
            before = known.values.get(name)
            known.values[name] = value if before is None else f"{before}、{value}"


def _in_amount(row: Row, fine: Decimal | None) -> bool:
    return row.amount is None or (fine is not None and row.amount.contains(fine))


def _in_days(decided: Decided | None, day: date) -> bool:
    return decided is None or decided.contains(day)


def _cuts(rows: Iterable[Row]) -> list[Decimal]:
    cuts = set()
    for row in rows:
        if row.amount is not None:
            cuts |= {place[0] for place in (row.amount.lower, row.amount.upper) if place}
    return sorted(cuts)


def _days(ranges: Iterable[Decided | None]) -> list[date]:
    """Return the days on which a range of decision days starts, or has just ended."""
    days = set()
    for decided in ranges:
        if decided is not None:
            days |= {decided.first, add_days(decided.last, 1) if decided.last else None}
    return sorted(day for day in days if day is not None)
