"""Plan what a batch adds (pure): versions, repeats, facts, publicity repairs.

`recorder` reads what the store knows, calls `plan`, and writes the plan.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from gateway.check.checked import Checked
from gateway.record.alike import Alike
from gateway.record.content import Content, content
from gateway.record.facts import (
    NewFact,
    ProcessEvent,
    plan_facts,
    process_events,
    without_overtaken,
)
from gateway.record.graded import Graded
from gateway.record.process_told import ProcessesTold
from gateway.record.publicities import NewLetter, Publicities
from gateway.record.recorded import NewVersion, Recorded, reported
from gateway.record.relations import chained, of_a_branch, relation_of
from gateway.record.repairs import AddedVersion, is_withdrawn_again
from gateway.record.unchanged import Hashes, is_healed, is_repeat
from schemas.codes import EventType, RecordKind, Verb
from schemas.kinds import KINDS
from schemas.known import (
    DecisionKey,
    KnownDecision,
    KnownFacts,
    Relation,
    StoredContent,
    Subject,
)
from schemas.participant import Participant
from schemas.problem import Problem
from schemas.verdict import Verdict
from scoring.consequences.publicity import PublicityPolicy

#: Ids that a plan takes for each item at most: a decision, a version, a fact, an added version.
IDS_FOR_EACH = 4


class Known(NamedTuple):
    """What the store knows of the batch, read under the locks of its subjects."""

    subjects: Mapping[str, Subject]
    decisions: Mapping[DecisionKey, KnownDecision]
    facts: KnownFacts
    relations: Mapping[int, Relation] = MappingProxyType({})  #: of branches, by decision id
    #: Decisions that events name under the legal person: the code of the branch that they are of.
    of_branches: Mapping[DecisionKey, str] = MappingProxyType({})
    #: Decisions whose numbers are nearly those of decisions that the batch adds.
    alike: Sequence[DecisionKey] = ()
    #: The subjects of received grades that stand, by number and authority.
    graded: Mapping[tuple[str, int], str] = MappingProxyType({})
    #: What decisions are now, by id, that letters are about which the batch may withdraw.
    contents: Mapping[int, StoredContent] = MappingProxyType({})


class Incoming(NamedTuple):
    """One item of the batch, its decision, and the decision that an event is about."""

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
    added: list[AddedVersion] = field(default_factory=list)  #: by letters and their withdrawals
    letters: list[NewLetter] = field(default_factory=list)
    #: Subjects with new versions of what is, or was, a suspicion of a crime or its end.
    suspicions: set[int] = field(default_factory=set)
    overtaken: set[int] = field(default_factory=set)  #: versions of events that later ones replace


def plan(
    batch: Sequence[Incoming],
    known: Known,
    take_id: Callable[[], int],
    hashes: Hashes,
    regimes: Sequence[PublicityPolicy],
) -> Plan:
    """Plan what a batch adds.

    `take_id` returns rising ids and is called at most `IDS_FOR_EACH` times for each item. `regimes`
    say when the publicity of a decision may end.
    """
    planning = _Planning(known, take_id, hashes, regimes)
    made = planning.run(batch)
    out, decisions = made.recorded, planning.decisions
    made.process_events = process_events(
        (
            out.version_of[item.position],
            item.checked.event,
            item.target,
            out.latest[item.key].decision.id,
        )
        for item in batch
        if item.target is not None and item.position not in out.repeats and _stands(item, out)
    )
    facts = without_overtaken(known.facts, made.overtaken, decisions)
    changes = plan_facts(made.versions, out.latest, made.process_events, decisions, facts)
    made.closed = changes.closed
    made.facts = [NewFact(take_id(), *one) for one in changes.made]
    out.touched |= changes.touched | made.suspicions
    return made


def _stands(item: Incoming, out: Recorded) -> bool:
    """Whether an item is the latest version of what it is, and withdraws nothing."""
    latest = out.latest.get(item.key)
    is_latest = latest is not None and latest.id == out.version_of.get(item.position)
    return is_latest and item.checked.verb is not Verb.WITHDRAW


class _Planning:
    """The versions of a batch, item by item in its order."""

    def __init__(
        self,
        known: Known,
        take_id: Callable[[], int],
        hashes: Hashes,
        regimes: Sequence[PublicityPolicy],
    ) -> None:
        self.made = Plan(Recorded(subjects=known.subjects))
        self.decisions = dict(known.decisions)
        self._relations = dict(known.relations)
        self._told = ProcessesTold(known.facts.dates)
        self._of_branches = known.of_branches
        self._alike = Alike(known.alike)
        self._graded = Graded(known.graded)
        self._take_id = take_id
        self._hashes = hashes
        self._publicities = Publicities(
            known.facts, known.contents, self.decisions, self.made.recorded, take_id, regimes
        )

    def run(self, batch: Sequence[Incoming]) -> Plan:
        """Plan the versions that these items make."""
        for item in batch:
            self._plan(item)
        self.made.added = self._publicities.added
        self.made.letters = list(self._publicities.letters)
        return self.made

    def _plan(self, item: Incoming) -> None:
        """Plan the version of an item, unless it is a repeat or refused, and what follows."""
        out, new = self.made.recorded, content(item.checked)
        decision, hash_ = self.decisions.get(item.key), self._hashes.present(new.hashed)
        healed = decision is not None and is_healed(item.checked, decision)
        if decision is not None and (
            is_withdrawn_again(item.checked, decision)
            or (not healed and is_repeat(decision, hash_, new, self._hashes))
        ):
            out.repeats.add(item.position)
            out.version_of[item.position] = decision.version_id
            return
        problem = self._problem(item, decision)
        if problem is not None:
            out.refused[item.position] = _refused(item.checked, problem)
            return
        early = self._told.early(item.checked, item.key, item.target, self.decisions)
        is_new = decision is None and item.checked.kind in KINDS.reported
        alike = self._alike.told(item.key) if is_new else ()
        ended, graver = self._publicities.ends(item.checked, item.key, decision)
        milder = self._publicities.milder(item.checked, item.target)
        warnings = (*self._of_a_branch(item), *early, *alike, *graver, *milder)
        if warnings:
            before = item.checked.warnings
            out.warned[item.position] = item.checked._replace(warnings=(*before, *warnings))
        version = self._version(item, decision, new, hash_)
        if (entry := item.checked.entry) is not None:
            self._relate(entry, version)
        self._publicities.follow(version, item.target, ended=ended)

    def _version(
        self, item: Incoming, decision: KnownDecision | None, new: Content, hash_: bytes
    ) -> NewVersion:
        out, key, checked = self.made.recorded, item.key, item.checked
        if decision is None:
            decision = self.decisions[key] = KnownDecision(
                self._take_id(), 0, 0, "", b"", is_new=True
            )
        event = checked.event
        if event is not None and decision.version_id:
            self.made.overtaken.add(decision.version_id)
        number, verb = decision.version + 1, _verb(checked, decision)
        version = NewVersion(self._take_id(), checked, key, decision, number, verb, new)
        decision.version, decision.version_id = version.version, version.id
        decision.verb, decision.content_hash = version.verb, hash_
        decision.decision_date, decision.verdict = checked.decided_on, checked.verdict
        decision.excluded = checked.excluded is not None
        former = decision.event_type
        decision.event_type = None if event is None else event.type
        if EventType.CRIMINAL_SUSPICION in (former, decision.event_type):
            self.made.suspicions.add(key[0])
        out.version_of[item.position] = version.id
        out.latest.pop(key, None)
        out.latest[key] = version
        self.made.versions.append(version)
        if checked.kind in KINDS.reported:
            out.reported.append(reported(version, checked.kind))
        return version

    def _problem(self, item: Incoming, known: KnownDecision | None) -> Problem | None:
        """Return why an item cannot be recorded as the decisions stand now."""
        entry = item.checked.entry
        if item.key[3] == RecordKind.GRADE:
            stands = known is not None and known.verb != Verb.WITHDRAW
            return self._graded.refusal(item.key, item.checked, is_known=stands)
        if entry is not None and item.checked.verb is None:
            return self._chained(entry, known)
        return self._publicities.problem(item.checked, known, item.target)

    def _of_a_branch(self, item: Incoming) -> tuple[Problem, ...]:
        """Return that an event names the legal person for a decision of its branch."""
        if item.target is None or item.target in self.decisions:
            return ()
        branch = self._of_branches.get(item.target)
        return () if branch is None else (of_a_branch(branch),)

    def _relate(self, entry: Participant, version: NewVersion) -> None:
        """Remember what the version says of branches, for the items behind it."""
        relation = relation_of(entry)
        if relation is None or version.verb is Verb.WITHDRAW:
            self._relations.pop(version.decision.id, None)
        else:
            self._relations[version.decision.id] = relation

    def _chained(self, entry: Participant, known: KnownDecision | None) -> Problem | None:
        """Return why an entry makes a branch of a branch; a branch is that of a legal person."""
        relation, own = relation_of(entry), None if known is None else known.id
        others = [one for id_, one in self._relations.items() if id_ != own]
        return None if relation is None else chained(relation, others)


def _refused(checked: Checked, problem: Problem) -> Checked:
    return Checked(
        checked.raw,
        Verdict.REFUSED,
        (problem,),
        checked.kind,
        decided_on=checked.decided_on,
        given=checked.given,
    )


def _verb(checked: Checked, decision: KnownDecision) -> Verb:
    if checked.verb is Verb.WITHDRAW:
        return Verb.WITHDRAW
    if decision.version == 0:
        return Verb.NEW
    return Verb.REVIVE if decision.verb == Verb.WITHDRAW else Verb.CORRECT
