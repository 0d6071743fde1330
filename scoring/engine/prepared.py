"""Prepare a rule set for the engine: lookup tables and notes, one entry per subject kind."""

import copy
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from weakref import ref as weak

from schemas.codes import SubjectKind
from schemas.credit import RuleSetRef
from scoring.engine.bands import Grades
from scoring.engine.conditions import windows
from scoring.engine.note_bits import NoteBook
from scoring.engine.repair import Waits
from scoring.engine.tariff import Hits, Tariff
from scoring.facts import Fact
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Table
from scoring.regulation.terms import Note


class PreparedTable:
    """One table, prepared for the engine."""

    def __init__(self, table: Table, book: NoteBook, foreign: frozenset[str]) -> None:
        """Prepare every part of the table; `foreign` are the row ids of all tables."""
        self.start = table.start
        self.caps = table.caps
        self.activation = table.activation
        self.once_per = table.once_per
        self.by_year = table.by_year
        self.sites = table.sites
        self.receives = table.received_grades is not None
        self.has_tariff = bool(table.items)
        self.confirms = table.confirmation is not None
        self.waits = Waits(table.repair.waits if table.repair else (), table.relies_on, book)
        self.waits_from_grade = table.repair is not None and table.repair.from_grade
        self.tariff = Tariff(table, book, foreign, self.waits)
        self.match: Callable[[Fact], Hits] = self.tariff.match
        self.grades = Grades(table.bands)
        self.scale = [(band.grade, band.lower, band.upper) for band in table.bands]
        self.notes = Notes(table, book)
        exceptions = [each for row in table.rows for each in row.unless]
        self.windows = windows(exceptions)
        self.indicators = frozenset(item.id for item in table.items if item.weight is not None)
        self.jointly = (
            bool(self.windows)
            or table.once_per is not None
            or table.by_year
            or table.activation is not None
            or table.caps.per_decision is not None
            or any(item.stacking == "latest" for item in table.items)
        )
        self.limited = table.caps.lowest is not None or table.caps.highest is not None

    def capped(self, score: Decimal) -> Decimal:
        """Return the score limited to the table's lowest and highest score, if it has them."""
        if self.caps.lowest is not None:
            score = max(score, self.caps.lowest)
        return score if self.caps.highest is None else min(score, self.caps.highest)

    def adds_up_with(self, other: "PreparedTable") -> bool:
        """Whether the points of both tables may be taken from one score: they have one scale.

        Where facts depend on each other, or a limit cuts the score, points do not add up.
        """
        alone = not any(one.jointly or one.limited for one in (self, other))
        of_both = [(one.start, one.scale, one.has_tariff) for one in (self, other)]
        return alone and of_both[0] == of_both[1]

    def scale_notes(self, score: Decimal) -> int:
        """Return the bits of the notes for a score outside its intended scale, else 0."""
        scale = self.caps.scale
        return 0 if scale is None or scale.contains(score) else self.notes.beyond_scale


class Notes:
    """The bits of the notes that a table relies on, by circumstance."""

    def __init__(self, table: Table, book: NoteBook) -> None:
        """Compute the bits."""
        relies = table.relies_on
        self.beyond_scale = book.mask(relies.beyond_scale)
        self.capped = book.mask(relies.capped)
        self.activation = book.mask(relies.activation)
        self.exception = book.mask(relies.exception)
        self.not_assessed = book.mask(relies.not_assessed)
        self.received = book.mask(relies.received)
        self.site = book.mask(relies.site)
        self.several_sites = book.mask(relies.several_sites)
        self.unattributed = book.mask(relies.unattributed)
        self.unconfirmed = book.mask(relies.unconfirmed)
        self.site_veto = book.mask(relies.site_veto)
        self.earlier_kind = book.mask(relies.earlier_kind)


class PreparedRules:
    """All prepared tables of a rule set, by subject kind."""

    def __init__(
        self,
        ref: RuleSetRef,
        notes: Sequence[Note],
        tables: Mapping[str, Table],
        suspect_notes: Sequence[str] | None,
    ) -> None:
        """Prepare all tables; if `suspect_notes` is None, criminal suspects are evaluated."""
        self.ref = ref
        self.notes = NoteBook(notes)
        self.suspect_notes = None if suspect_notes is None else self.notes.mask(suspect_notes)
        self._ids = frozenset(row.id for table in tables.values() for row in table.rows)
        self.entries: dict[SubjectKind, PreparedTable] = {}
        self._tables: dict[SubjectKind, Table] = {}
        self._of_agencies: dict[tuple[SubjectKind, tuple[str, ...]], PreparedTable] = {}
        self._either: dict[tuple[int, int], PreparedTable] = {}
        for table in tables.values():
            entry = PreparedTable(table, self.notes, self._ids)
            self.entries.update(dict.fromkeys(table.kinds, entry))
            if any(item.agency_kinds for item in table.items):
                self._tables.update(dict.fromkeys(table.kinds, table))

    def entry(self, kind: SubjectKind, agency_kinds: tuple[str, ...]) -> PreparedTable | None:
        """Return the table of a kind, without the rows of other kinds of agencies 机构分类指标.

        Where the table knows none of the kinds of an agency, every row counts.
        """
        table = self._tables.get(kind) if agency_kinds else None
        if table is None or not any(map(table.knows_agency, agency_kinds)):
            return self.entries.get(kind)
        place = kind, agency_kinds
        if place not in self._of_agencies:
            own = tuple(item for item in table.items if item.is_of(agency_kinds))
            theirs = table.model_copy(update={"items": own})
            self._of_agencies[place] = PreparedTable(theirs, self.notes, self._ids)
        return self._of_agencies[place]

    def either(self, first: PreparedTable, second: PreparedTable | None) -> PreparedTable:
        """Return a table with the rows of a second one for what it has no row for."""
        if second is None or second is first:
            return first
        place = id(first), id(second)
        if place not in self._either:
            both = copy.copy(first)
            both.tariff = first.tariff.before(second.tariff)
            both.match = both.tariff.match
            self._either[place] = both
        return self._either[place]


_PREPARED: dict[int, tuple[weak[RuleSet], PreparedRules]] = {}


def prepare(rule_set: RuleSet) -> PreparedRules:
    """Return the prepared rule set; it is built once and kept until the rule set is deleted."""
    place = id(rule_set)
    known = _PREPARED.get(place)
    if known is not None and known[0]() is rule_set:
        return known[1]
    name = RuleSetRef(rule_set.name, rule_set.version, rule_set.status.value)
    suspects = None if rule_set.criminal_suspects is None else rule_set.criminal_suspects.notes
    made = PreparedRules(name, rule_set.notes, rule_set.tables, suspects)
    _PREPARED[place] = (weak(rule_set, lambda _: _PREPARED.pop(place, None)), made)
    return made
