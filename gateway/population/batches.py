"""Read a whole population in slices, from a file or the store, each with its rule set."""

import io
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from msgspec import convert

from gateway.config.settings import RuleSetBinding
from gateway.population.columns import population_of
from gateway.population.files import Slice, file_slices
from gateway.rules.rulebook import Rulebook
from gateway.store.base.engine import Database
from gateway.store.score import population as stored
from schemas.codes import SubjectKind
from schemas.credit import NotEvaluated
from scoring.engine.register import kind_on
from scoring.facts import Fact, Facts
from scoring.population import Flips, Population, flips, rescore
from scoring.population.assess import RESULT
from scoring.regulation.ruleset import RuleSet

#: Subjects read from the store at once.
PAGE = 50_000
#: Replaces the code of a natural person outside the store.
PERSON = "自然人"
_TEXT = pl.String()
#: The fields of a stored fact, as in the `score` input.
_OWN = ("id", "decided_on", "item", "type", "rectified_on", "repair_applied_on",
        "repair_confirmed_on", "warning_until", "principal_points", "document_number",
        "created_on", "department", "stated_points", "site", "confirmed_on", "branch")  # fmt: skip
_OF_ENTRY = ("kind", "until", "batch", "permit", "weight", "parent", "reason")
_BODY: dict[str, pl.DataType] = dict.fromkeys(_OWN, _TEXT) | {
    "codes": pl.List(_TEXT),
    "penalty": pl.Struct({"types": pl.List(_TEXT), "fine_wan": _TEXT}),
    "self_reported": pl.Boolean(),
    "entry": pl.Struct(dict.fromkeys(_OF_ENTRY, _TEXT) | {"agency_kinds": pl.List(_TEXT)}),
}

RuledSlice = tuple[RuleSet | None, Slice]


async def from_file(path: Path, rule_set: RuleSet, as_of: date) -> AsyncIterator[RuledSlice]:
    """Yield the slices of a file, all under one rule set."""
    for one in file_slices(path, as_of):
        yield rule_set, one


async def from_store(
    database: Database,
    rulebook: Rulebook,
    day: date,
    *,
    rule_set: RuleSet | None = None,
    bound: frozenset[str] | None = None,
) -> AsyncIterator[RuledSlice]:
    """Yield the scored subjects of the store, each slice with its rule set in force or `rule_set`.

    `bound` limits them to the subjects whose binding is one of these names. Each page is read in
    its own read-only transaction, so it can run beside the service.
    """
    after = 0
    while True:
        async with database.snapshot() as connection:
            page = await stored.page(connection, after, PAGE)
        if not page.subjects:
            return
        after = page.subjects[-1].id
        facts = _facts(page)
        kinds = _kinds(page, facts, day)
        bindings = [
            rulebook.binding(kind, one.code) for kind, one in zip(kinds, page.subjects, strict=True)
        ]
        population, errors = _population(page, kinds, bindings, facts)
        rows: dict[RuleSetBinding | None, list[int]] = {}
        for row, bound_to in enumerate(bindings):
            rows.setdefault(bound_to, []).append(row)
        for binding, chosen in rows.items():
            if bound is None or (binding is not None and binding.rule_set in bound):
                part = population if len(chosen) == population.size else population.only(chosen)
                rules = rulebook.in_force(binding.rule_set, day) if binding else None
                yield rule_set or rules, Slice(part, errors)
                errors = []


def _population(
    page: stored.Page,
    kinds: list[SubjectKind],
    bindings: list[RuleSetBinding | None],
    facts: pl.DataFrame,
) -> tuple[Population, list[dict[str, Any]]]:
    subjects = pl.DataFrame(
        {
            "id": [PERSON if one.person else one.code for one in page.subjects],
            "kind": [kind.value for kind in kinds],
            "criminal_suspect": [one.criminal_suspect for one in page.subjects],
            "participants_only": [bool(one and one.participants_only) for one in bindings],
        }
    )
    return population_of(subjects, facts)


def _kinds(page: stored.Page, facts: pl.DataFrame, day: date) -> list[SubjectKind]:
    """Return the kinds of the subjects on a day, by their entries in the register."""
    usual = SubjectKind.ENTERPRISE, SubjectKind.INDIVIDUAL
    kinds = [usual[one.person] for one in page.subjects]
    entries = facts.filter(pl.col("entry").is_not_null()).select(
        "subject", "id", "decided_on", "branch", "entry"
    )
    found: dict[int, list[Fact]] = {}
    for subject, *row in entries.iter_rows():
        id_, begins, branch, entry = row
        said = {name: value for name, value in entry.items() if value is not None}
        found.setdefault(subject, []).append(
            convert({"id": id_, "decided_on": begins, "branch": branch, "entry": said}, Fact)
        )
    for subject, of_subject in found.items():
        code = page.subjects[subject].code
        kinds[subject] = kind_on(Facts(code, kinds[subject], tuple(of_subject)), day)
    return kinds


def _facts(page: stored.Page) -> pl.DataFrame:
    """Return the facts of a page, with the row number of their subject."""
    ids = pl.Series([one.id for one in page.subjects], dtype=pl.Int64)
    of = pl.Series(page.fact_subjects, dtype=pl.Int64)
    bodies = (
        pl.read_ndjson(io.BytesIO(page.bodies.encode()), schema=_BODY)
        if page.bodies
        else pl.DataFrame(schema=_BODY)
    )
    facts = bodies.unnest("penalty").with_columns(
        subject=ids.search_sorted(of).cast(pl.UInt32), known=of.is_in(ids.implode())
    )
    return facts.filter("known").drop("known")


@dataclass(slots=True)
class Totals:
    """Counts of results under one rule set."""

    rule_set: RuleSet | None
    subjects: int = 0
    vetoes: int = 0
    grades: Counter[str] = field(default_factory=Counter)
    not_evaluated: Counter[str] = field(default_factory=Counter)

    def add(self, frame: pl.DataFrame) -> None:
        """Count results; a reason is counted without its detail."""
        self.subjects += frame.height
        self.vetoes += int(frame["veto"].sum())
        self.grades.update(dict(frame["grade"].drop_nulls().value_counts().iter_rows()))
        reasons = frame["not_evaluated"].drop_nulls().str.split(":").list.first()
        self.not_evaluated.update(dict(reasons.value_counts().iter_rows()))

    @property
    def by_grade(self) -> dict[str, int]:
        """Counts per grade, zeros included, for tables with at least one subject."""
        tables = self.rule_set.tables.values() if self.rule_set else ()
        scales = [[band.grade for band in table.bands] for table in tables]
        met = [scale for scale in scales if any(self.grades[grade] for grade in scale)]
        return {grade: self.grades[grade] for scale in met for grade in scale}


def results(rule_set: RuleSet | None, population: Population, as_of: date) -> pl.DataFrame:
    """Return the results of a slice; without a rule set nobody is evaluated."""
    if rule_set is not None:
        return rescore(population, rule_set, as_of).frame
    nothing = {name: pl.lit(None, type_) for name, type_ in RESULT.items() if name != "id"}
    reason = pl.lit(NotEvaluated.NO_RULE_SET.value)
    frame = population.subjects.select("id", **nothing)
    return frame.with_columns(veto=pl.lit(value=False), not_evaluated=reason)


async def flips_of(
    batches: AsyncIterator[RuledSlice], pair: tuple[RuleSet, RuleSet], as_of: date
) -> AsyncIterator[tuple[Flips, list[dict[str, Any]]]]:
    """Yield the flips between an old and a new rule set, and the unreadable lines, by slice."""
    async for _, one in batches:
        yield flips(*pair, one.population, as_of), one.errors


def scored_by(
    database: Database, rulebook: Rulebook, old: RuleSet, day: date
) -> AsyncIterator[RuledSlice]:
    """Return the subjects of the store that a text scores on a day; all of them if it scores none.

    They are those whose grades another text in its place may flip.
    """
    names = rulebook.bound_names
    bound = frozenset(n for n in names if rulebook.in_force(n, day).version == old.version)
    return from_store(database, rulebook, day, rule_set=old, bound=bound or None)


def proof_of(
    flipped: Flips, old: RuleSet, new: RuleSet, day: date, by: str, now: datetime
) -> dict[str, Any]:
    """Return what is stored of a comparison over the store; an activation needs a fresh one."""
    return {
        "old_hash": old.version,
        "new_hash": new.version,
        "as_of": day,
        "population": flipped.subjects,
        "flips": flipped.frame.height,
        "totals": {str(way): count for way, count in flipped.by_direction.items()},
        "made_by": by,
        "made_at": now,
    }
