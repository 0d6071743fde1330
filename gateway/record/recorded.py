"""The result of the record step (pure): new versions, repeats, and the versions to report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from gateway.check.checked import Checked
from gateway.record.content import Content
from schemas.codes import RecordKind, Verb
from schemas.known import DecisionKey, KnownDecision, Subject
from schemas.obligation import ReportedVersion


class NewVersion(NamedTuple):
    """One record version that the batch adds."""

    id: int
    checked: Checked
    key: DecisionKey
    decision: KnownDecision
    version: int
    verb: Verb
    content: Content


@dataclass(slots=True)
class Recorded:
    """The result of the record step; everything in it is already written."""

    subjects: Mapping[str, Subject] = field(default_factory=dict)
    version_of: dict[int, int] = field(default_factory=dict)  #: index in batch → version id
    repeats: set[int] = field(default_factory=set)  #: indexes in batch
    latest: dict[DecisionKey, NewVersion] = field(default_factory=dict)
    #: The versions to report, repairs included, in the order of the batch.
    reported: list[ReportedVersion] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)  #: subjects whose facts changed
    #: By index in the batch: what cannot be recorded as what is known stands.
    refused: dict[int, Checked] = field(default_factory=dict)
    #: By index in the batch: what is recorded with a warning, as what is known stands.
    warned: dict[int, Checked] = field(default_factory=dict)


def reported(version: NewVersion, kind: RecordKind) -> ReportedVersion:
    """Return a version of a reported kind as destinations may hear of it."""
    checked = version.checked
    return ReportedVersion(
        id=version.id,
        decision_id=version.decision.id,
        subject_id=version.key[0],
        subject_code=checked.key.subject if checked.key else "",
        kind=kind,
        verb=version.verb,
        decision_date=day_of(checked),
        record=checked.record,
        problem_fields=_fields(checked) if checked.problems else _NONE,
        excluded=checked.excluded is not None,
        person=checked.person,
    )


_NONE: frozenset[str] = frozenset()


def _fields(checked: Checked) -> frozenset[str]:
    return frozenset(problem.field for problem in checked.problems)


def graded_elsewhere(recorded: Recorded) -> set[int]:
    """Return the subjects of which a received grade came, was corrected or withdrawn."""
    return {key[0] for key in recorded.latest if key[3] == RecordKind.GRADE}


def day_of(checked: Checked) -> date:
    """Return the decision date of a checked record."""
    return day_or_fail(checked.decided_on)


def day_or_fail(day: date | None) -> date:
    """Return the day; raises TypeError for None, which no recorded item has."""
    if day is None:
        raise TypeError(day)
    return day
