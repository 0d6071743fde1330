"""Plan what a batch adds (pure): versions, repeats, facts, repairs.

`recorder` reads what the store knows, calls `plan`, and writes the plan.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.check.checked import Checked
from gateway.record.content import Content, content
from gateway.record.facts import NewFact, ProcessEvent, plan_facts, process_events
from gateway.record.recorded import NewVersion, Recorded, reported
from gateway.record.repairs import RepairVersion, is_repaired, repair, reported_repair
from schemas.codes import EventType, Verb
from schemas.kinds import REPORTED_KINDS
from schemas.known import DecisionKey, KnownDecision, KnownFacts, Subject
from schemas.verdict import Verdict

#: Ids that a plan takes for each item at most: a decision, a version, a fact, a repair version.
IDS_FOR_EACH = 4


class Known(NamedTuple):
    """What the store knows of the batch, read under the locks of its subjects."""

    subjects: Mapping[str, Subject]
    decisions: Mapping[DecisionKey, KnownDecision]
    facts: KnownFacts


class Hashes(NamedTuple):
    """The content hash used now, and the one in databases of older releases."""

    present: Callable[[bytes], bytes]
    former: Callable[[bytes], bytes]


class Incoming(NamedTuple):
    """One item of the batch, its decision, and the target decision of a process event."""

    position: int  #: index in the batch
    checked: Checked
    key: DecisionKey
    target: DecisionKey | None


@dataclass(slots=True)
class Plan:
    """What to write; `recorded` is handed on to the next steps."""

    recorded: Recorded
    versions: list[NewVersion] = field(default_factory=list)
    process_events: list[ProcessEvent] = field(default_factory=list)
    closed: list[tuple[int, int]] = field(default_factory=list)  #: (subject, decision) of facts
    facts: list[NewFact] = field(default_factory=list)
    repairs: list[RepairVersion] = field(default_factory=list)
    suspected: dict[int, bool] = field(default_factory=dict)  #: subject → criminal suspect


def plan(
    batch: Sequence[Incoming], known: Known, take_id: Callable[[], int], hashes: Hashes
) -> Plan:
    """Plan what a batch adds.

    `take_id` returns rising ids and is called at most `IDS_FOR_EACH` times for each item.
    """
    made = Plan(Recorded(subjects=known.subjects))
    decisions = dict(known.decisions)
    for item in batch:
        if _plan_version(made, item, decisions, take_id, hashes):
            _plan_repair(made, item, decisions, take_id)
    new = [item for item in batch if item.position not in made.recorded.repeats]
    made.process_events = process_events(
        (made.recorded.version_of[item.position], item.checked.event, item.target) for item in new
    )
    changes = plan_facts(
        made.versions, made.recorded.latest, made.process_events, decisions, known.facts
    )
    made.closed = changes.closed
    made.facts = [NewFact(take_id(), *one) for one in changes.made]
    made.recorded.touched |= changes.touched
    _plan_suspicions(made)
    return made


def _plan_version(
    made: Plan,
    item: Incoming,
    decisions: dict[DecisionKey, KnownDecision],
    take_id: Callable[[], int],
    hashes: Hashes,
) -> bool:
    """Plan the version that an item makes; return whether it makes one or is a repeat."""
    out, key = made.recorded, item.key
    new = content(item.checked)
    hash_ = hashes.present(new.hashed)
    decision = decisions.get(key)
    healed = decision is not None and _is_healed(item.checked, decision)
    if decision is not None and not healed and _is_repeat(decision, hash_, new, hashes):
        out.repeats.add(item.position)
        out.version_of[item.position] = decision.version_id
        return False
    if decision is None:
        decision = decisions[key] = KnownDecision(take_id(), 0, 0, "", b"", is_new=True)
    number, verb = decision.version + 1, _verb(item.checked, decision)
    version = NewVersion(take_id(), item.checked, key, decision, number, verb, new)
    decision.version, decision.version_id = version.version, version.id
    decision.verb, decision.content_hash = version.verb, hash_
    decision.decision_date, decision.verdict = item.checked.decided_on, item.checked.verdict
    decision.excluded = item.checked.excluded is not None
    out.version_of[item.position] = version.id
    out.latest.pop(key, None)
    out.latest[key] = version
    made.versions.append(version)
    if item.checked.kind in REPORTED_KINDS:
        out.reported.append(reported(version, item.checked.kind))
    return True


def _plan_repair(
    made: Plan,
    item: Incoming,
    decisions: Mapping[DecisionKey, KnownDecision],
    take_id: Callable[[], int],
) -> None:
    """Plan the version that a confirmed repair adds to its decision, in its place in the order."""
    target = item.target
    decision = None if target is None else decisions.get(target)
    if target is None or decision is None:
        return
    if is_repaired(item.checked.event, target, decision) and item.checked.key is not None:
        version = repair(decision, take_id())
        made.repairs.append(version)
        code = item.checked.key.subject
        made.recorded.reported.append(reported_repair(version, target, decision, code))


def _is_repeat(decision: KnownDecision, hash_: bytes, new: Content, hashes: Hashes) -> bool:
    """Whether the content is unchanged; the older hash counts, so that upgrades resend nothing."""
    kept = decision.content_hash
    return kept == hash_ or kept == hashes.former(new.hashed)


def _is_healed(checked: Checked, decision: KnownDecision) -> bool:
    """Whether a content that had problems has none now: its date was in the future then."""
    return decision.verdict == Verdict.INCOMPLETE and checked.verdict is Verdict.OK


def _verb(checked: Checked, decision: KnownDecision) -> Verb:
    if checked.verb is Verb.WITHDRAW:
        return Verb.WITHDRAW
    if decision.version == 0:
        return Verb.NEW
    return Verb.REVIVE if decision.verb == Verb.WITHDRAW else Verb.CORRECT


def _plan_suspicions(made: Plan) -> None:
    for version in made.versions:
        event = version.checked.event
        if event is not None and event.type is EventType.CRIMINAL_SUSPICION:
            made.suspected[version.key[0]] = event.suspected
    out, suspected = made.recorded, made.suspected
    out.touched.update(suspected)
    if suspected:
        out.subjects = {
            code: Subject(s.id, s.code, suspected.get(s.id, s.criminal_suspect))
            for code, s in out.subjects.items()
        }
