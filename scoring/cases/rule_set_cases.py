"""Cases of a rule set 用例: facts and the expected assessment, in a file beside the rule set."""

from collections.abc import Mapping
from datetime import date

from schemas.codes import SubjectKind
from schemas.credit import Assessment, Veto
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts, Site
from scoring.regulation.intervals import Terms
from scoring.regulation.reading import read
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.terms import Text


class Expected(Terms):
    """The expected result; only the keys that are written are compared.

    Rows are written "fact item points", vetoes and promotions "fact item", unmapped words
    "fact word". The result may have more notes than those written.
    """

    score: Text | None = None
    grade: Text | None = None
    veto: bool = False
    deductions: tuple[Text, ...] = ()
    vetoes: tuple[Text, ...] = ()
    promotions: tuple[Text, ...] = ()
    unmapped: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    received: Text | None = None  #: the id of the fact with the received grade
    not_evaluated: Text | None = None
    changes_on: date | None = None


class Case(Terms):
    """One case: a subject on a day."""

    name: Text
    kind: SubjectKind
    as_of: date
    criminal_suspect: bool = False
    facts: tuple[Fact, ...] = ()
    sites: tuple[Site, ...] = ()
    participants_only: bool = False
    expect: Expected

    @property
    def subject(self) -> Facts:
        """The facts as input of the engine."""
        return Facts(
            self.name,
            self.kind,
            self.facts,
            None,
            self.criminal_suspect,
            self.sites,
            participants_only=self.participants_only,
        )


class Unreachable(Terms):
    """A side of a band edge that no score can reach, written "table edge grade", and why."""

    edge: Text
    reason: Text


class CaseFile(Terms):
    """All cases of one rule set."""

    rule_set: Text
    cases: tuple[Case, ...]
    unreachable: tuple[Unreachable, ...] = ()

    @classmethod
    def load(cls, data: Mapping[str, object]) -> "CaseFile":
        """Read parsed cases; raises RuleSetError naming the file and the case."""
        return read(cls, data, f"{data.get('rule_set')} 的用例")


def run_case(rule_set: RuleSet, case: Case) -> list[str]:
    """Return the mismatches of a case; empty if it passes."""
    result = assess(case.subject, rule_set, case.as_of)
    found, notes = _found(result), frozenset(result.notes)
    problems = []
    for name in sorted(case.expect.model_fields_set):
        expected, got = getattr(case.expect, name), found[name]
        if expected != got and not (name == "notes" and set(case.expect.notes) <= notes):
            problems.append(f"{case.name}：{name} 应为 {expected}，实为 {got}")
    return problems


def _found(result: Assessment) -> dict[str, object]:
    return {
        "score": result.score,
        "grade": result.grade,
        "veto": result.veto,
        "deductions": tuple(f"{row.fact} {row.item} {row.points}" for row in result.deductions),
        "vetoes": _rules(result.vetoes),
        "promotions": _rules(result.promotions),
        "unmapped": tuple(f"{row.fact} {row.type}" for row in result.unmapped),
        "notes": result.notes,
        "received": None if result.received is None else result.received.fact,
        "not_evaluated": result.not_evaluated,
        "changes_on": result.changes_on,
    }


def _rules(rows: tuple[Veto, ...]) -> tuple[str, ...]:
    return tuple(f"{row.fact} {row.item}" for row in rows)
