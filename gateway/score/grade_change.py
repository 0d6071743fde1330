"""The body of a grade change 等级变动, as stored and published (pure)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
from msgspec.structs import asdict

from schemas.credit import GradeChange, PublishedResult
from scoring.consequences.measures import Applied, Standing, StandingChange

#: Cause of a grade change from outside; our own scoring does not change such a grade.
RECEIVED = "received"

SCORED = "scored"

#: Cause of a grade change by a new text of the rule set, without a new fact.
RULE_SET = "rule set"

#: Cause of a change of the published grade or of a list: the live grade stays.
PUBLISHED = "published"
UNCHANGED = "unchanged"

#: Direction of a received grade that our bands do not rank.
EXTERNAL = "external"

NO_MEASURES: dict[str, Any] = {"measures_begin": [], "measures_end": [], "notices": []}


def standing_change(change: GradeChange, published: PublishedResult | None) -> StandingChange:
    """Return what a change of the live grade means for measures; the published grade stays."""
    before, after = standing(change.from_grade, published), standing(change.to_grade, published)
    return StandingChange(before, after, change.direction)


def standing(grade: str | None, published: PublishedResult | None) -> Standing:
    """Return what brings measures: the live grade, and the last published one with its lists."""
    if published is None:
        return Standing(grade)
    return Standing(grade, published.grade, published.listings)


def named(applied: Applied) -> dict[str, Any]:
    """Return a measure as grade changes and explanations show it."""
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


def change_body(  # noqa: PLR0913 - one for each thing that a grade change says
    change: GradeChange,
    *,
    cause: str,
    score: str | None,
    rule_set: Mapping[str, str],
    effective_on: date,
    published: PublishedResult | None,
    measures: Mapping[str, Any],
) -> bytes:
    """Return a grade change as stored: the fields of `GradeChanged` except number and subject.

    What the release before does not know is there only where it says something: its processes
    deliver, too, while both run.
    """
    told = {} if published is None else {"published": asdict(published)}
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
            **told,
            **measures,
        }
    )
