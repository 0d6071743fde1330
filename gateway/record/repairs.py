"""Confirmed repairs 修复 (pure): each adds a version to its decision, told to past recipients."""

from collections.abc import Callable, Mapping, Sequence

from gateway.record.facts import ProcessEvent
from gateway.record.recorded import NewVersion, day_or_fail
from schemas.codes import EventType, RecordKind, Verb
from schemas.event import CreditEvent
from schemas.kinds import REPORTED_KINDS
from schemas.known import DecisionKey, KnownDecision, Subject
from schemas.obligation import ReportedVersion


def plan_repairs(
    versions: Sequence[NewVersion],
    processes: Sequence[ProcessEvent],
    decisions: Mapping[DecisionKey, KnownDecision],
    subjects: Mapping[str, Subject],
    take_id: Callable[[], int],
) -> list[ReportedVersion]:
    """Return the versions that confirmed repairs make.

    A repair that came before its decision makes none, in the same batch or an earlier one.
    """
    about = {one.version_id: one for one in processes}
    waiting = {version.key for version in versions if version.decision.is_new}
    repaired: dict[int, DecisionKey] = {}
    for version in versions:
        waiting.discard(version.key)
        process = about.get(version.id)
        if process is None or not _is_confirmed(process.event):
            continue
        if _is_reported(process.target, decisions) and process.target not in waiting:
            repaired[decisions[process.target].id] = process.target
    codes = {subject.id: subject.code for subject in subjects.values()} if repaired else {}
    return [
        ReportedVersion(
            id=take_id(),
            decision_id=decision_id,
            subject_id=key[0],
            subject_code=codes[key[0]],
            kind=RecordKind(key[3]),
            verb=Verb.REPAIR,
            decision_date=day_or_fail(decisions[key].decision_date),
            record=None,
            problem_fields=frozenset(),
            excluded=False,
            person=False,
        )
        for decision_id, key in repaired.items()
    ]


def _is_confirmed(event: CreditEvent) -> bool:
    return event.type is EventType.REPAIR and event.repair_confirmed_on is not None


def _is_reported(key: DecisionKey, decisions: Mapping[DecisionKey, KnownDecision]) -> bool:
    """Whether a repair is reported: the decision exists and is not withdrawn."""
    if key not in decisions or decisions[key].verb == Verb.WITHDRAW:
        return False
    return RecordKind(key[3]) in REPORTED_KINDS
