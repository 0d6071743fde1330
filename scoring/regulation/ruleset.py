"""RuleSet 评价办法: one regulation as data, read from a parsed dict."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.codes import SubjectKind
from scoring.errors import RuleSetError
from scoring.regulation.checks import problems_of
from scoring.regulation.intervals import Terms
from scoring.regulation.reading import read
from scoring.regulation.table import Table
from scoring.regulation.terms import Note, NoteIds, Text


class RuleSetStatus(StrEnum):
    """The legal status of the regulation 效力状态; a draft runs only if configuration allows it."""

    DRAFT = "draft"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"


class SourceText(Terms):
    """The source text 依据文本, and the hash of the file that was read (null: it was not read)."""

    title: Text
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None
    published_on: date | None = None


class SuspectsRule(Terms):
    """The rule that criminal suspects are not evaluated 不参评."""

    article: Text
    text: Text
    notes: NoteIds = ()


class RuleSet(Terms):
    """One regulation: its tables by subject kind, and the notes on how its text is read."""

    name: Annotated[str, StringConstraints(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    jurisdiction: Text
    document_number: Text | None
    status: RuleSetStatus
    effective_from: date | None
    effective_to: date | None  #: the last day
    source: SourceText
    notes: tuple[Note, ...] = ()
    criminal_suspects: SuspectsRule | None  #: null: suspects are evaluated
    tables: Annotated[dict[Text, Table], Field(min_length=1)]
    unverified: tuple[Text, ...] = ()
    version: Text  #: the hash of the rule set's own file, computed by the loader

    @classmethod
    def load(cls, data: Mapping[str, object], version: str) -> "RuleSet":
        """Read a parsed rule set; raises RuleSetError naming the rule set and the faulty part."""
        name = str(data.get("name", "没有 name 的评价办法"))
        if "version" in data:
            message = f"{name}：version 是文本的校验值，由程序算出；删去"
            raise RuleSetError(message)
        return read(cls, {**data, "version": version}, name, _problems)

    def table(self, kind: SubjectKind) -> Table | None:
        """Return the table of a subject kind, or None."""
        return self._by_kind.get(kind)

    @cached_property
    def _by_kind(self) -> Mapping[SubjectKind, Table]:
        return {kind: table for table in self.tables.values() for kind in table.kinds}

    def is_effective(self, day: date) -> bool:
        """Return whether the day is within the effective dates; a missing date is no limit."""
        begin, end = self.effective_from, self.effective_to
        return (begin is None or begin <= day) and (end is None or day <= end)

    def grades(self, kind: SubjectKind) -> list[str]:
        """Return the grades of a subject kind, best first; empty if there is no table."""
        table = self.table(kind)
        return [] if table is None else [band.grade for band in table.bands]

    def note(self, name: str) -> Note:
        """Return a note by its id; raises StopIteration for an unknown id."""
        return next(note for note in self.notes if note.id == name)

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """The short title of each item, veto and promotion."""
        return {row.id: row.title for table in self.tables.values() for row in table.rows}

    def unverified_values(self) -> list[str]:
        """Return paths of the values that were not verified in the source text."""
        paths = list(self.unverified)
        paths += [f"notes {note.id}" for note in self.notes if not note.verified]
        for name, table in self.tables.items():
            paths += [f"{name} {field}" for field in table.unverified]
            paths += [f"{name} {row.id}" for row in table.rows if not row.verified]
            exceptions = [(row.id, each) for row in table.rows for each in row.unless]
            paths += [f"{name} {row} {each.id}" for row, each in exceptions if not each.verified]
            paths += [f"{name} band {band.grade}" for band in table.bands if not band.verified]
            waits = table.repair.waits if table.repair else ()
            paths += [f"{name} wait {wait.text}" for wait in waits if not wait.verified]
        return paths


def _problems(rule_set: RuleSet) -> list[str]:
    return [*_date_problems(rule_set), *problems_of(rule_set)]


def _date_problems(rule_set: RuleSet) -> list[str]:
    begin, end = rule_set.effective_from, rule_set.effective_to
    if begin is not None and end is not None and end < begin:
        return [f"effective_to {end} 早于 effective_from {begin}；改正日期"]
    if rule_set.status is RuleSetStatus.IN_FORCE and begin is None:
        return ["status 为 in_force，就要写 effective_from"]
    return []
