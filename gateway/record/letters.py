"""What a letter 信用修复决定书 must meet to end the publicity of a decision (pure).

`bearing` is the one rule. A letter that comes, one that states a milder severity than the decision
has, and letters that stand while their decision is corrected are all judged by it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum, auto
from typing import Any, NamedTuple

from gateway.titles import SEVERITIES
from schemas.fines import names_fine
from schemas.known import DecisionKey, Letter
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
_ORDER = list(Severity)


class Bearing(Enum):
    """How a letter bears on a decision: from `MILDER` on it ends the publicity when it comes."""

    BEFORE = auto()  #: it is dated before the decision
    UNCLASSED = auto()  #: neither it nor the decision says which class it is: a fine has no amount
    EARLY = auto()  #: the least publicity of the class was not over on its day
    MILDER = auto()  #: it states a milder class than the decision has, as its authority may
    UNSURE = auto()  #: it states a class, and the decision may be of a graver one
    COVERS = auto()  #: it ends the publicity also of a decision that was milder when it came


class Judged(NamedTuple):
    """A letter, judged by a decision; no publicity is known without a regime or a penalty."""

    bearing: Bearing
    by_letter: Publicity | None  #: by the class that the letter states, if it states one
    by_rules: Publicity | None  #: by the class that the decision has by the rules


def bearing(
    day: date,
    stated: str | None,
    fact: Mapping[str, Any] | None,
    regimes: Sequence[PublicityPolicy],
) -> Judged:
    """Judge a letter of a day, which may state a severity, by the fact of a decision."""
    by_rules = _publicity(fact, regimes)
    severity = None if stated is None else _SEVERITIES[stated]
    by_letter = by_rules if severity is None else _publicity(fact, regimes, severity)
    found = Judged(Bearing.COVERS, by_letter, by_rules)
    decided = decided_on(fact)
    if decided is not None and day < decided:
        return found._replace(bearing=Bearing.BEFORE)
    if by_letter is None or by_rules is None:
        return found
    unsure = _may_be_graver(fact, by_rules) and severity is not Severity.SERIOUS
    if severity is None and unsure:
        return found._replace(bearing=Bearing.UNCLASSED)
    if by_letter.at_least_until is not None and day < by_letter.at_least_until:
        return found._replace(bearing=Bearing.EARLY)
    if severity is not None and _ORDER.index(severity) < _ORDER.index(by_rules.severity):
        return found._replace(bearing=Bearing.MILDER)
    return found._replace(bearing=Bearing.UNSURE) if unsure else found


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


class Letters:
    """The letters that stand, as the items of a batch so far leave them."""

    def __init__(
        self,
        known: Mapping[DecisionKey, Sequence[Letter]],
        regimes: Sequence[PublicityPolicy],
    ) -> None:
        self._standing = {key: {one.decision_id: one for one in of} for key, of in known.items()}
        self._about = {one.decision_id: key for key, of in known.items() for one in of}
        self._regimes = regimes

    def add(self, key: DecisionKey, letter: Letter) -> None:
        """Note a letter about a decision."""
        self._standing.setdefault(key, {})[letter.decision_id] = letter
        self._about[letter.decision_id] = key

    def withdraw(self, decision_id: int) -> DecisionKey | None:
        """Take a letter away; return the decision that it was about, if it stood."""
        key = self._about.pop(decision_id, None)
        if key is not None:
            del self._standing[key][decision_id]
        return key

    def ends(
        self,
        key: DecisionKey,
        before: Mapping[str, Any] | None,
        now: Mapping[str, Any] | None,
    ) -> tuple[bool, Problem | None]:
        """Return whether a letter still ends the publicity of a decision as it is `now`, and if
        letters stand of which none does, what the latest of them lacks.

        A letter does if it covers the decision, or if the decision asks for no longer publicity
        than when the letter came; `before` stands for that where an earlier release took it.
        """
        problem = None
        letters = self._standing.get(key, {})
        for _, letter in sorted(letters.items()):
            judged = bearing(letter.day, letter.severity, now, self._regimes)
            problem = longer_publicity(letter.found or before, now, self._regimes)
            if judged.bearing is Bearing.COVERS or problem is None:
                return True, None
        return False, problem


def decided_on(fact: Mapping[str, Any] | None) -> date | None:
    """Return the day of the decision of a fact, which may be a text."""
    day = None if fact is None else fact["decided_on"]
    return date.fromisoformat(day) if isinstance(day, str) else day


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
    day = decided_on(fact)
    if penalty is None or day is None:
        return None
    fine = penalty["fine_wan"]
    decision = Penalised(
        decided_on=day,
        penalties=tuple(penalty["types"]),
        fine_wan=None if fine is None else Decimal(fine),
        severity=severity,
    )
    return publicity(regimes, decision)
