"""The body of a grade change 等级变动, as it is kept and published (pure)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from schemas.credit import GradeChange
from scoring.consequences.measures import Applied

#: Cause of a grade change that came from outside; our own scoring does not touch such a grade.
RECEIVED = "received"

SCORED = "scored"

#: Cause of a grade change that a new text of the rules brought, not a new fact.
RULE_SET = "rule set"

#: Direction of a grade computed elsewhere that our bands do not rank.
EXTERNAL = "external"

NO_MEASURES: dict[str, Any] = {"measures_begin": [], "measures_end": [], "notices": []}


def named(applied: Applied) -> dict[str, Any]:
    """A measure as a grade change and an explanation name it."""
    measure = applied.measure
    return {
        "policy": applied.policy.name,
        "id": measure.id,
        "title": measure.title,
        "source": applied.source,
        "tell": measure.tell,
        "note": measure.note,
        "verified": measure.verified,
    }


def change_body(
    change: GradeChange,
    *,
    cause: str,
    score: str | None,
    rule_set: Mapping[str, str],
    effective_on: date,
    measures: Mapping[str, Any],
) -> bytes:
    """A grade change as kept: all that `GradeChanged` says besides number and subject."""
    return orjson.dumps(
        {
            "from_grade": change.from_grade,
            "to_grade": change.to_grade,
            "direction": change.direction,
            "cause": cause,
            "reasons": change.reasons,
            "score": score,
            "trial": rule_set["status"] == "draft",
            "rule_set": rule_set,
            "effective_on": effective_on,
            **measures,
        }
    )
