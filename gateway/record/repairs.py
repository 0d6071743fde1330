"""Publicity repairs 信用修复、终止公示 (pure): each adds a version to its decision.

The credit side decides them with a letter (信用修复管理办法). The environmental credit repair
环保信用修复, which a rule set knows, is another thing: it changes facts, and nothing here. What a
letter must meet stands in `letters`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.check.checked import Checked
from gateway.record.letters import Bearing, bearing, decided_on
from gateway.record.recorded import NewVersion, day_or_fail, reported
from gateway.titles import SEVERITIES
from schemas.codes import EventType, RecordKind, Verb
from schemas.columns import columns_of
from schemas.event import CreditEvent
from schemas.kinds import KINDS
from schemas.known import DecisionKey, KnownDecision, StoredContent
from schemas.obligation import ReportedVersion
from schemas.problem import Problem, Rule
from scoring.consequences.publicity import Publicity, PublicityPolicy


class AddedVersion(NamedTuple):
    """A version to write with the content of version `source`.

    Its verb is `repair` where a letter ends the publicity, and `correct` where it is over that a
    letter did.
    """

    id: int
    decision_id: int
    version: int
    verb: Verb
    source: int


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
    if decision.is_away:
        why = "已经撤回" if decision.verb == Verb.WITHDRAW else "不予报送"
        return Problem(
            field="decision",
            rule=Rule.STANDING,
            message=f"决定{why}，没有公示可以终止",
            fix="核对决定的文书号；确是这个决定的，不必再报信用修复",
        )
    found, by_letter, _ = bearing(event.occurred_on, event.severity, fact, regimes)
    if found is Bearing.BEFORE:
        return Problem(
            field="occurred_on",
            rule=Rule.ORDER,
            message=f"信用修复决定 {event.occurred_on} 早于处罚决定 {decided_on(fact)}",
            fix="核对两个日期，和所依据的决定",
        )
    if found is Bearing.UNCLASSED:
        return Problem(
            field="occurred_on",
            rule=Rule.STANDING,
            message="决定有罚款而数额不明，不能判断失信程度和最短公示期",
            fix="先补填罚款金额再报信用修复；决定书认定了失信程度的，填 severity",
        )
    return _too_early(event, by_letter) if found is Bearing.EARLY and by_letter else None


def changed_letter(id_: str) -> Problem:
    """Return why an event that has ended a publicity cannot become another one."""
    return Problem(
        field="id",
        rule=Rule.STANDING,
        message=f"编号 {id_} 的信用修复已经收到并生效，内容不能再改",
        fix=(
            "另一份修复决定书用新的编号报；修复报错了的，先撤回这一份：照原样再报一次，另填操作"
            " verb 为 withdraw，公示即恢复；再用新的编号报正确的"
        ),
    )


def unknown_letter(id_: str) -> Problem:
    """Return why a letter that has not ended a publicity cannot be withdrawn."""
    return Problem(
        field="id",
        rule=Rule.STANDING,
        message=f"没有收到过编号 {id_} 的信用修复，不能撤回",
        fix="核对编号和行政相对人，须与原来的信用修复一致；信用修复报来以后重放，或再报撤回",
    )


def ends_publicity(event: CreditEvent | None) -> bool:
    """Whether an event is the letter of a publicity repair."""
    return event is not None and event.type is EventType.PUBLICITY_REPAIR


def is_withdrawn_again(checked: Checked, known: KnownDecision) -> bool:
    """Whether an item withdraws a letter that is withdrawn already, in whatever words."""
    was_letter = known.event_type == EventType.PUBLICITY_REPAIR
    return _withdraws_letter(checked) and was_letter and known.verb == Verb.WITHDRAW


def unfit_for(checked: Checked, known: KnownDecision | None) -> Problem | None:
    """Return why an event of a known id cannot be recorded: a letter is withdrawn, never changed.

    `known` is what stands under that id.
    """
    event = checked.event
    if event is None:
        return None
    was_letter = known is not None and known.event_type == EventType.PUBLICITY_REPAIR
    if _withdraws_letter(checked):
        return None if was_letter else unknown_letter(event.id)
    stands = known is not None and known.verb != Verb.WITHDRAW
    return changed_letter(event.id) if was_letter and stands else None


def _withdraws_letter(checked: Checked) -> bool:
    return ends_publicity(checked.event) and checked.verb is Verb.WITHDRAW


def milder_letter(
    event: CreditEvent, fact: Mapping[str, Any] | None, regimes: Sequence[PublicityPolicy]
) -> tuple[Problem, ...]:
    """Return that a letter states a milder severity than the decision has, which may be a slip."""
    judged = bearing(event.occurred_on, event.severity, fact, regimes)
    found = judged.by_rules
    if judged.bearing is not Bearing.MILDER or found is None:
        return ()
    slip = Problem(
        field="severity",
        rule=Rule.STANDING,
        message=f"信用修复按{event.severity}失信，这个决定按规定是{SEVERITIES[found.severity]}失信"
        f"（{found.policy.title}，{found.article}）",
        fix="核对修复决定书认定的失信程度；填错的，撤回这一份（照原样，另填 verb 为"
        " withdraw），再用新的编号报",
    )
    return (slip,)


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


def added(decision: KnownDecision, id_: int, verb: Verb, source: int) -> AddedVersion:
    """Return the next version of a decision, which `decision` becomes."""
    decision.version, decision.version_id, decision.verb = decision.version + 1, id_, verb
    decision.repaired = verb is Verb.REPAIR
    return AddedVersion(id_, decision.id, decision.version, verb, source)


def reported_repair(
    made: AddedVersion, key: DecisionKey, decision: KnownDecision, about: Checked
) -> ReportedVersion:
    """Return a repair as it is reported to the destinations that have the decision.

    `about` is an item of the same subject.
    """
    return ReportedVersion(
        id=made.id,
        decision_id=made.decision_id,
        subject_id=key[0],
        subject_code=about.key.subject if about.key else "",
        kind=RecordKind(key[3]),
        verb=made.verb,
        decision_date=day_or_fail(decision.decision_date),
        record=None,
        problem_fields=frozenset(),
        excluded=False,
        person=about.person,
    )


def reported_again(
    repaired: ReportedVersion, content: NewVersion | StoredContent
) -> ReportedVersion:
    """Return the version that is public again, with what it has of a content."""
    if isinstance(content, StoredContent):
        columns = content.columns
        if repaired.person:  # the number of a person is stored apart
            own = columns_of(KINDS[repaired.kind].model)
            columns |= {column.wire for column in own if column.name == "identity_number"}
        return repaired._replace(columns=columns, problem_fields=content.problem_fields)
    return reported(content, repaired.kind)._replace(id=repaired.id, verb=repaired.verb)
