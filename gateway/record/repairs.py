"""Publicity repairs 信用修复、终止公示 (pure): each adds a version to its decision.

The credit side decides them with a letter (信用修复管理办法). The environmental credit repair
环保信用修复, which a rule set knows, is another thing: it changes facts, and nothing here.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.record.recorded import day_or_fail
from gateway.titles import SEVERITIES
from schemas.codes import EventType, RecordKind, Verb
from schemas.event import CreditEvent
from schemas.fines import names_fine
from schemas.known import DecisionKey, KnownDecision
from schemas.obligation import ReportedVersion
from schemas.problem import Problem, Rule
from scoring.consequences.publicity import (
    Penalised,
    Publicity,
    PublicityPolicy,
    Severity,
    publicity,
)

#: The severity that a letter states, as the policies name it.
_SEVERITIES = {word: severity for severity, word in SEVERITIES.items()}


class RepairVersion(NamedTuple):
    """A version with verb `repair` to write; its content is that of version `source`."""

    id: int
    decision_id: int
    version: int
    source: int  #: the version whose content it has


def refusal(
    event: CreditEvent,
    decision: KnownDecision | None,
    fact: Mapping[str, Any] | None,
    regimes: Sequence[PublicityPolicy],
) -> Problem | None:
    """Return why the publicity of a decision cannot end by this event; None if it can.

    `fact` is that of the decision, if it has one. Without a regime or a fact no minimum is known.
    """
    if decision is None:
        return Problem(
            field="decision",
            rule=Rule.STANDING,
            message="没有收到过这个决定，不能终止公示",
            fix="核对决定的文书号、机关和行政相对人；决定报来以后重放，或再报信用修复",
        )
    if decision.verb == Verb.WITHDRAW or decision.excluded:
        why = "已经撤回" if decision.verb == Verb.WITHDRAW else "不予报送"
        return Problem(
            field="decision",
            rule=Rule.STANDING,
            message=f"决定{why}，没有公示可以终止",
            fix="核对决定的文书号；确是这个决定的，不必再报信用修复",
        )
    decided = _decided_on(fact)
    if decided is not None and event.occurred_on < decided:
        return Problem(
            field="occurred_on",
            rule=Rule.ORDER,
            message=f"信用修复决定 {event.occurred_on} 早于处罚决定 {decided}",
            fix="核对两个日期，和所依据的决定",
        )
    found = _publicity(fact, regimes, _SEVERITIES[event.severity] if event.severity else None)
    if event.severity is None and found is not None and _may_be_graver(fact, found):
        return Problem(
            field="occurred_on",
            rule=Rule.STANDING,
            message="决定有罚款而数额不明，不能判断失信程度和最短公示期",
            fix="先补填罚款金额再报信用修复；决定书认定了失信程度的，填 severity",
        )
    if found is None or found.at_least_until is None or event.occurred_on >= found.at_least_until:
        return None
    return _too_early(event, found)


def changed_letter(id_: str) -> Problem:
    """Return why an event that has ended a publicity cannot become another one."""
    return Problem(
        field="id",
        rule=Rule.STANDING,
        message=f"编号 {id_} 的信用修复已经收到并生效，内容不能再改",
        fix="另一份修复决定书用新的编号报；修复报错了对象的，请平台恢复公示，再按原文书号重报决定",
    )


def _decided_on(fact: Mapping[str, Any] | None) -> date | None:
    day = None if fact is None else fact["decided_on"]
    return date.fromisoformat(day) if isinstance(day, str) else day


def longer_publicity(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    regimes: Sequence[PublicityPolicy],
) -> Problem | None:
    """Return that a decision whose publicity a letter has ended must be public for longer now.

    `before` and `after` are its facts. The letter was about the milder one.
    """
    old, new = _publicity(before, regimes), _publicity(after, regimes)
    if old is None or new is None or new.at_least_until is None:
        return None
    if _may_be_graver(after, new) and not _may_be_graver(before, old):
        return Problem(
            field="fine_wan",
            rule=Rule.STANDING,
            message="决定已信用修复、终止公示，更正后有罚款而数额不明，按更正后的决定恢复公示",
            fix="补填罚款金额；原来的修复仍然有效的，用新的编号再报一次信用修复，写明 severity",
        )
    if old.at_least_until is not None and old.at_least_until >= new.at_least_until:
        return None
    return Problem(
        field="fine_wan",
        rule=Rule.STANDING,
        message=(
            f"决定已信用修复、终止公示，更正后按{SEVERITIES[new.severity]}失信最早"
            f" {new.at_least_until} 才可以终止公示（{new.policy.title}，{new.article}），"
            "按更正后的决定恢复公示"
        ),
        fix="核对原来的修复决定书；仍然有效的，用新的编号再报一次信用修复，写明 severity",
    )


def ends_publicity(event: CreditEvent | None) -> bool:
    """Whether an event is the letter of a publicity repair."""
    return event is not None and event.type is EventType.PUBLICITY_REPAIR


def milder_letter(
    event: CreditEvent | None, fact: Mapping[str, Any] | None, regimes: Sequence[PublicityPolicy]
) -> tuple[Problem, ...]:
    """Return that a letter states a milder severity than the decision has, which may be a slip."""
    if event is None or event.severity is None or not ends_publicity(event):
        return ()
    found, order = _publicity(fact, regimes), list(Severity)
    if found is None or order.index(_SEVERITIES[event.severity]) >= order.index(found.severity):
        return ()
    slip = Problem(
        field="severity",
        rule=Rule.STANDING,
        message=f"信用修复按{event.severity}失信，这个决定按规定是{SEVERITIES[found.severity]}失信"
        f"（{found.policy.title}，{found.article}）",
        fix="核对修复决定书认定的失信程度；填错的，请平台恢复公示，再重报决定",
    )
    return (slip,)


def _may_be_graver(fact: Mapping[str, Any] | None, found: Publicity) -> bool:
    """Whether a fine counts whose amount is not known: it may be of any class."""
    penalty = (fact or {}).get("penalty")
    if penalty is None or penalty["fine_wan"] or found.severity is Severity.SERIOUS:
        return False
    return names_fine(tuple(penalty["types"]))


def _publicity(
    fact: Mapping[str, Any] | None,
    regimes: Sequence[PublicityPolicy],
    severity: Severity | None = None,
) -> Publicity | None:
    penalty = (fact or {}).get("penalty")
    if penalty is None or fact is None:
        return None
    day, fine = _decided_on(fact), penalty["fine_wan"]
    if day is None:
        return None
    decision = Penalised(
        decided_on=day,
        penalties=tuple(penalty["types"]),
        fine_wan=None if fine is None else Decimal(fine),
        severity=severity,
    )
    return publicity(regimes, decision)


def _too_early(event: CreditEvent, found: Publicity) -> Problem:
    severity = SEVERITIES[found.severity]
    doubt = "" if found.verified else "；依据未经核实"
    return Problem(
        field="occurred_on",
        rule=Rule.STANDING,
        message=(
            f"按{severity}失信，最早 {found.at_least_until} 可以终止公示，信用修复决定是"
            f" {event.occurred_on} 的（{found.policy.title}，{found.article}{doubt}）"
        ),
        fix="核对日期；决定书另外认定了失信程度的，填 severity（轻微、一般或严重）",
    )


def repair(decision: KnownDecision, id_: int) -> RepairVersion:
    """Return the next version of a decision, which `decision` becomes."""
    source, decision.version_id = decision.version_id, id_
    decision.version, decision.verb = decision.version + 1, Verb.REPAIR
    decision.repaired = True
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
