"""Confirmed repairs 修复 (pure): each adds a version to its decision, told to past recipients."""

from typing import NamedTuple

from gateway.record.recorded import day_or_fail
from schemas.codes import EventType, RecordKind, Verb
from schemas.event import CreditEvent
from schemas.kinds import REPORTED_KINDS
from schemas.known import DecisionKey, KnownDecision
from schemas.obligation import ReportedVersion

#: After these a confirmed repair changes nothing: nobody shows the decision, or all know of it.
_SETTLED = frozenset({Verb.WITHDRAW, Verb.REPAIR})


class RepairVersion(NamedTuple):
    """A version with verb `repair` to write; its content is that of version `source`."""

    id: int
    decision_id: int
    version: int
    source: int  #: the version whose content it has


def is_repaired(event: CreditEvent | None, target: DecisionKey, decision: KnownDecision) -> bool:
    """Whether an event about a decision makes a repair version of it: a confirmed repair, as news.

    A repair that came before its decision makes none.
    """
    return (
        event is not None
        and event.type is EventType.REPAIR
        and event.repair_confirmed_on is not None
        and RecordKind(target[3]) in REPORTED_KINDS
        and decision.verb not in _SETTLED
        and not decision.excluded
    )


def repair(decision: KnownDecision, id_: int) -> RepairVersion:
    """Return the next version of a decision, which `decision` becomes."""
    source, decision.version_id = decision.version_id, id_
    decision.version, decision.verb = decision.version + 1, Verb.REPAIR
    return RepairVersion(id_, decision.id, decision.version, source)


def reported_repair(
    made: RepairVersion, key: DecisionKey, decision: KnownDecision, subject_code: str
) -> ReportedVersion:
    """Return the repair as it is reported to the destinations that have the decision."""
    return ReportedVersion(
        id=made.id,
        decision_id=made.decision_id,
        subject_id=key[0],
        subject_code=subject_code,
        kind=RecordKind(key[3]),
        verb=Verb.REPAIR,
        decision_date=day_or_fail(decision.decision_date),
        record=None,
        problem_fields=frozenset(),
        excluded=False,
        person=False,
    )
