"""The publicity of the decisions of a batch (pure): letters end it, and it comes back.

`plan` asks this for each of its items, in their order.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.check.checked import Checked
from gateway.record.content import fact_body
from gateway.record.letters import Letters
from gateway.record.recorded import NewVersion, Recorded
from gateway.record.repairs import (
    AddedVersion,
    added,
    ends_publicity,
    milder_letter,
    refusal,
    reported_again,
    reported_repair,
    unfit_for,
)
from schemas.codes import Verb
from schemas.known import DecisionKey, KnownDecision, KnownFacts, Letter, StoredContent
from schemas.problem import Problem
from scoring.consequences.publicity import PublicityPolicy

#: What a letter remembers of the fact of its decision.
_REMEMBERED = ("decided_on", "penalty")


class NewLetter(NamedTuple):
    """The version of a letter, and the decision that it is about."""

    version_id: int
    target: DecisionKey
    letter: Letter


class Publicities:
    """The publicity of decisions, as the items of a batch so far leave it."""

    def __init__(
        self,
        facts: KnownFacts,
        contents: Mapping[int, StoredContent],
        decisions: Mapping[DecisionKey, KnownDecision],
        out: Recorded,
        take_id: Callable[[], int],
        regimes: Sequence[PublicityPolicy],
    ) -> None:
        """Take what is known; `decisions` and `out` are those that the plan changes."""
        self._letters = Letters(facts.letters, regimes)
        self._facts = facts
        self._contents = contents
        self._decisions = decisions
        self._out = out
        self._take_id = take_id
        self._regimes = regimes
        self._sources: dict[int, int] = {}  #: of the versions that the batch adds
        self.added: list[AddedVersion] = []
        self._new: dict[int, NewLetter] = {}

    @property
    def letters(self) -> Sequence[NewLetter]:
        """The letters of the batch that stand at its end."""
        return list(self._new.values())

    def problem(
        self, checked: Checked, known: KnownDecision | None, target: DecisionKey | None
    ) -> Problem | None:
        """Return why an event cannot be recorded as letters and decisions stand now."""
        if (unfit := unfit_for(checked, known)) is not None:
            return unfit
        event = checked.event
        if event is None or target is None or not _is_letter(checked):
            return None
        return refusal(event, self._decisions.get(target), self._fact(target), self._regimes)

    def ends(
        self, checked: Checked, key: DecisionKey, decision: KnownDecision | None
    ) -> tuple[bool, tuple[Problem, ...]]:
        """Return whether the publicity of a decision stays ended through an item about it.

        If no letter covers what the item says, a person is told.
        """
        if decision is None or not decision.repaired or checked.verb is Verb.WITHDRAW:
            return False, ()
        if checked.excluded is not None:
            return True, ()
        known = self._facts.bodies.get(decision.id) or self._facts.former.get(decision.id)
        before, now = self._fact(key) or known, fact_body(checked, Verb.CORRECT)
        ends, problem = self._letters.ends(key, before, now)
        return ends, () if problem is None else (problem,)

    def milder(self, checked: Checked, target: DecisionKey | None) -> tuple[Problem, ...]:
        """Return that a letter states a milder severity than its decision has."""
        if checked.event is None or not _is_letter(checked):
            return ()
        return milder_letter(checked.event, self._fact(target), self._regimes)

    def follow(self, version: NewVersion, target: DecisionKey | None, *, ended: bool) -> None:
        """Add what follows from a new version: a repair, or that a decision is public again.

        `ended` is what `ends` said before the version was made.
        """
        checked, decision = version.checked, version.decision
        if decision.repaired and version.verb is not Verb.WITHDRAW:
            decision.repaired = ended
            if ended:  # what is corrected or revived stays repaired
                self._repair(version.key, checked)
        elif _is_letter(checked) and target is not None and checked.event is not None:
            fact = self._fact(target) or {}
            found = {name: fact[name] for name in _REMEMBERED if name in fact}
            event, id_ = checked.event, decision.id
            letter = Letter(id_, event.occurred_on, event.severity, found)
            self._letters.add(target, letter)
            self._new[id_] = NewLetter(version.id, target, letter)
            self._repair(target, checked)
        elif ends_publicity(checked.event):
            self._new.pop(decision.id, None)
            if (about := self._letters.withdraw(decision.id)) is not None:
                self._publish_again(about, checked)

    def _repair(self, key: DecisionKey, about: Checked) -> None:
        """Add a version with verb `repair` to a decision, unless it is its latest one already."""
        decision = self._decisions[key]
        if decision.verb == Verb.REPAIR or decision.excluded:
            return
        source = self._sources.get(decision.version_id, decision.version_id)
        made = self._add(decision, Verb.REPAIR, source)
        self._out.reported.append(reported_repair(made, key, decision, about))

    def _publish_again(self, key: DecisionKey, about: Checked) -> None:
        """Add a version that makes a decision public again, unless another letter stands for it.

        What is away stays so; when it comes back, no letter ends its publicity any more.
        """
        decision = self._decisions[key]
        if not decision.repaired or decision.is_away:
            return
        fact = self._fact(key)
        ends, _ = self._letters.ends(key, fact, fact)
        if ends:
            return
        latest = self._out.latest.get(key)
        content = self._contents[decision.id] if latest is None else latest
        source = content.version_id if isinstance(content, StoredContent) else content.id
        made = self._add(decision, Verb.CORRECT, source)
        told = reported_repair(made, key, decision, about)
        self._out.reported.append(reported_again(told, content))

    def _add(self, decision: KnownDecision, verb: Verb, source: int) -> AddedVersion:
        made = added(decision, self._take_id(), verb, source)
        self._sources[made.id] = source
        self.added.append(made)
        return made

    def _fact(self, key: DecisionKey | None) -> Mapping[str, Any] | None:
        """Return the fact of a decision as the items so far leave it."""
        if key is None:
            return None
        latest, decision = self._out.latest.get(key), self._decisions.get(key)
        if latest is not None:
            return fact_body(latest.checked, latest.verb)
        return None if decision is None else self._facts.bodies.get(decision.id)


def _is_letter(checked: Checked) -> bool:
    """Whether an item is a letter, and not its withdrawal."""
    return ends_publicity(checked.event) and checked.verb is not Verb.WITHDRAW
