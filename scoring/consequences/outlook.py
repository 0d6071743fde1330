"""How an assessment will develop: as time passes, and after a repair of each record."""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date

from msgspec.structs import replace

from schemas.credit import Assessment
from scoring.dates import add_months
from scoring.engine.assess import assess
from scoring.engine.decisions import by_decision
from scoring.engine.graded_since import graded_since
from scoring.engine.prepared import prepare
from scoring.engine.register import place
from scoring.facts import Fact, Facts
from scoring.regulation.ruleset import RuleSet

#: The most assessments that `outlook` returns; later changes are left out.
STEPS = 60


@dataclass(frozen=True, slots=True)
class Ending:
    """A row of the trace, and the first day it no longer counts (None: no end in the outlook)."""

    fact: str
    item: str
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The effect that a confirmed repair 信用修复 of one record would have.

    `rectified_on` is the day of assessment if the record has none (then `assumed` is true).
    `confirmed_on` is the earliest day, not before the day of assessment, on which the confirmation
    is valid. `result` and `without` are the assessments of that day with and without the repair.
    """

    fact: str
    rectified_on: date
    assumed: bool
    confirmed_on: date
    result: Assessment
    without: Assessment


def outlook(facts: Facts, rule_set: RuleSet, as_of: date) -> list[Assessment]:
    """Return the assessment of the day, and that of each later day on which it will change."""
    results = [assess(facts, rule_set, as_of)]
    while (day := results[-1].changes_on) is not None and len(results) < STEPS:
        results.append(assess(facts, rule_set, day))
    return results


def endings(results: list[Assessment]) -> list[Ending]:
    """Return when each row of the first result ends: points, then vetoes, then promotions.

    `results` are those of `outlook`.
    """
    now, *later = results
    return [Ending(fact, item, _end(fact, item, later)) for fact, item in _rows(now)]


def repairs(facts: Facts, rule_set: RuleSet, as_of: date) -> list[WhatIf]:
    """Return the effect of the earliest possible repair of each record that counts."""
    counting = {fact for fact, _ in _rows(assess(facts, rule_set, as_of))}
    known = place(facts, as_of).facts.facts
    parts = {one.id: {part.id for part in of} for of in by_decision(known) for one in of}
    found = (
        _repair(facts, fact, rule_set, as_of, parts[fact.id])
        for fact in facts.facts
        if not counting.isdisjoint(parts.get(fact.id, ()))
    )
    return [one for one in found if one is not None]


def _repair(
    facts: Facts, fact: Fact, rule_set: RuleSet, as_of: date, parts: Set[str]
) -> WhatIf | None:
    """Return the earliest confirmation that ends the most rows of the record, or None.

    `parts` are the ids of the facts of its decision: their rows are those of the decision.
    """
    table = rule_set.table(facts.kind)
    waits = table.repair.waits if table is not None and table.repair is not None else ()
    rectified = fact.rectified_on or as_of
    since = max(rectified, _graded_since(facts, rule_set, as_of).get(fact.id, rectified))
    best: tuple[int, WhatIf] | None = None
    for months in sorted({wait.months for wait in waits}):
        free = add_months(since, months)
        if free is None:
            break
        day = max(free, as_of)
        without = assess(facts, rule_set, day)
        then = assess(_repaired(facts, fact, rectified, day), rule_set, day)
        saved = (_items(without, parts) - _items(then, parts)).total()
        if saved > (best[0] if best else 0):
            assumed = fact.rectified_on is None
            best = (
                saved,
                WhatIf(fact.id, rectified, assumed, day, then, without),
            )
    return best[1] if best else None


def _graded_since(facts: Facts, rule_set: RuleSet, as_of: date) -> Mapping[str, date]:
    entry = prepare(rule_set).entry(facts.kind, facts.agency_kinds)
    return {} if entry is None else graded_since(facts.facts, entry, as_of)


def _repaired(facts: Facts, fact: Fact, rectified: date, day: date) -> Facts:
    repaired = replace(fact, rectified_on=rectified, repair_applied_on=day, repair_confirmed_on=day)
    others = tuple(one for one in facts.facts if one is not fact)
    return replace(facts, facts=(*others, repaired))


def _rows(result: Assessment) -> list[tuple[str, str]]:
    deductions = [(row.fact, row.item) for row in result.deductions]
    return deductions + [(one.fact, one.item) for one in (*result.vetoes, *result.promotions)]


def _items(result: Assessment, facts: Set[str]) -> Counter[str]:
    return Counter(item for of, item in _rows(result) if of in facts)


def _end(fact: str, item: str, later: list[Assessment]) -> date | None:
    return next((one.as_of for one in later if (fact, item) not in _rows(one)), None)
