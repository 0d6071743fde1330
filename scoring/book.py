"""A rule set made ready for the engine: lookup tables, texts and notes, one entry per kind."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from schemas.codes import SubjectKind
from schemas.credit import RuleSetRef
from scoring.bands import Grades
from scoring.notes import NoteBook
from scoring.repair import Waits
from scoring.tariff import Tariff
from scoring.terms import Note, Table


class Entry:
    """One table, ready."""

    def __init__(self, table: Table, book: NoteBook, foreign: frozenset[str]) -> None:
        """Make every part of the table ready; `foreign` are the ids of all tables."""
        self.start = table.start
        self.delay = table.activation_delay_days
        self.tariff = Tariff(table, book, foreign)
        self.waits = Waits(table.repair.waits if table.repair else (), table.relies_on, book)
        self.grades = Grades(table.bands)
        self._caps = table.caps
        self._plain = table.caps == type(table.caps)()
        self._beyond = book.mask(table.relies_on.beyond_scale)

    def capped(self, score: Decimal) -> Decimal:
        """The score within the lowest and highest that are given, if any are."""
        if self._plain:
            return score
        if self._caps.lowest is not None:
            score = max(score, self._caps.lowest)
        return score if self._caps.highest is None else min(score, self._caps.highest)

    def scale_notes(self, score: Decimal) -> int:
        """The notes to show for a score outside the scale that it is meant to lie in."""
        scale = self._caps.scale
        return 0 if scale is None or scale.contains(score) else self._beyond


class Book:
    """All tables of a rule set, by kind of subject."""

    def __init__(
        self,
        ref: RuleSetRef,
        notes: Sequence[Note],
        tables: Mapping[str, Table],
        suspect_notes: Sequence[str],
    ) -> None:
        """Make all tables ready."""
        self.ref = ref
        self.notes = NoteBook(notes)
        self.suspect_notes = self.notes.mask(suspect_notes)
        ids = frozenset(row.id for table in tables.values() for row in table.rows)
        self.entries: dict[SubjectKind, Entry] = {}
        self.site_notes: dict[SubjectKind, int] = {}
        for table in tables.values():
            entry = Entry(table, self.notes, ids)
            self.entries.update(dict.fromkeys(table.kinds, entry))
            if SubjectKind.SITE in table.kinds:
                self.site_notes[SubjectKind.SITE] = self.notes.mask(table.relies_on.site)
