"""Cases of a rule set 用例: facts and what has to come of them, as data beside the rule set."""

from collections.abc import Iterable, Mapping
from datetime import date

from pydantic import ValidationError

from schemas.codes import SubjectKind
from schemas.credit import Assessment
from scoring.engine import assess
from scoring.errors import RuleSetError
from scoring.explain import explain
from scoring.facts import Fact, Facts
from scoring.intervals import Terms
from scoring.ruleset import RuleSet
from scoring.terms import Table, Text


class Expected(Terms):
    """What is looked at: only the keys that are written.

    Rows are written "fact item points", vetoes "fact item", unmapped words "fact word"; of the
    notes, those written have to be among those relied on.
    """

    score: Text | None = None
    grade: Text | None = None
    veto: bool = False
    deductions: tuple[Text, ...] = ()
    vetoes: tuple[Text, ...] = ()
    unmapped: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    not_evaluated: Text | None = None
    changes_on: date | None = None


class Case(Terms):
    """One case: a subject on a day."""

    name: Text
    kind: SubjectKind
    as_of: date
    criminal_suspect: bool = False
    facts: tuple[Fact, ...] = ()
    expect: Expected


class CaseFile(Terms):
    """All cases of one rule set."""

    rule_set: Text
    cases: tuple[Case, ...]

    @classmethod
    def load(cls, data: Mapping[str, object]) -> "CaseFile":
        """Read parsed cases; raises RuleSetError naming file and case."""
        name = f"cases of {data.get('rule_set')}"
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise RuleSetError("\n".join(explain(name, data, error))) from error


def run_case(rule_set: RuleSet, case: Case) -> list[str]:
    """The mismatches of a case, empty if it holds."""
    facts = Facts(case.name, case.kind, case.facts, None, case.criminal_suspect)
    result = assess(facts, rule_set, case.as_of)
    found, notes = _found(result), frozenset(result.notes)
    problems = []
    for name in sorted(case.expect.model_fields_set):
        expected, got = getattr(case.expect, name), found[name]
        if expected != got and not (name == "notes" and set(case.expect.notes) <= notes):
            problems.append(f"{case.name}: {name}: expected {expected}, got {got}")
    return problems


def uncovered(rule_set: RuleSet, cases: Iterable[Case]) -> list[str]:
    """The items, vetoes and bands that no case expects, as 'table item'."""
    cases = tuple(cases)
    missing = []
    for name, table in rule_set.tables.items():
        of_table = [case.expect for case in cases if case.kind in table.kinds]
        missing += [f"{name} {what}" for what in _uncovered(table, of_table)]
    return missing


def _uncovered(table: Table, expected: list[Expected]) -> list[str]:
    rows = {_item(row) for case in expected for row in case.deductions}
    vetoes = {_item(row) for case in expected for row in case.vetoes}
    grades = {case.grade for case in expected if not case.veto and not case.vetoes}
    missing = [item.id for item in table.items if item.id not in rows]
    for rule in table.vetoes:
        names = (*rule.with_items, *((rule.id,) if rule.stands_alone else ()))
        missing += [f"veto {name}" for name in names if name not in vetoes]
    missing += [f"band {band.grade}" for band in table.bands if band.grade not in grades]
    return missing


def _item(row: str) -> str:
    return row.split(" ")[1]


def _found(result: Assessment) -> dict[str, object]:
    return {
        "score": result.score,
        "grade": result.grade,
        "veto": result.veto,
        "deductions": tuple(f"{row.fact} {row.item} {row.points}" for row in result.deductions),
        "vetoes": tuple(f"{row.fact} {row.item}" for row in result.vetoes),
        "unmapped": tuple(f"{row.fact} {row.type}" for row in result.unmapped),
        "notes": result.notes,
        "not_evaluated": result.not_evaluated,
        "changes_on": result.changes_on,
    }
