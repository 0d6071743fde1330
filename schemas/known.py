"""What the store already knows of subjects and decisions, handed to the steps that plan (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.codes import Verb

#: A decision in the store: subject id, number key, authority id, kind.
DecisionKey = tuple[int, str, int, str]


class Authority(NamedTuple):
    """An authority 机关, and the normalised name by which it was known first."""

    id: int
    name: str


class Subject(NamedTuple):
    """A subject 行政相对人 that this transaction holds locked."""

    id: int
    code: str
    criminal_suspect: bool


@dataclass(slots=True)
class KnownDecision:
    """The present state of a decision 决定; the plan of a batch changes it."""

    id: int
    version: int
    version_id: int
    verb: str
    content_hash: bytes
    decision_date: date | None = None
    verdict: str = ""
    excluded: bool = False  #: 不予报送
    #: 终止公示: its publicity ended by a letter, which stands; also while it is withdrawn.
    repaired: bool = False
    event_type: str | None = None  #: of an event
    is_new: bool = False

    @property
    def is_away(self) -> bool:
        """Whether it stands nowhere: withdrawn, or not reported 不予报送."""
        return self.excluded or self.verb == Verb.WITHDRAW


class StoredContent(NamedTuple):
    """The latest content of a decision, as the store has it."""

    version_id: int
    columns: frozenset[str]  #: the wire columns that have a value
    problem_fields: frozenset[str]


class Relation(NamedTuple):
    """Of which legal person a subject is a branch 分支机构, from the first to the last day."""

    branch: str
    parent: str
    since: date
    until: date


#: What process events may set in a fact, by the names of their fields.
PROCESS_DATES = (
    "rectified_on",
    "repair_applied_on",
    "repair_confirmed_on",
    "confirmed_on",
    "warning_until",
)


class ProcessDates(NamedTuple):
    """The dates that the latest version of a process event sets: rectified, repaired, warned.

    Of several events the latest decides, by its own day; of one day the one whose first version
    came last. So neither the order in which they come nor a correction of one moves what counts.
    """

    version_id: int
    dates: dict[str, Any]
    day: date = date.min  #: of the event
    decision_id: int = 0  #: rises with the first versions

    @property
    def order(self) -> tuple[date, int]:
        """What sorts the events of a decision."""
        return self.day, self.decision_id


class Letter(NamedTuple):
    """A letter 信用修复决定书 that ends the publicity of a decision, until it is withdrawn."""

    decision_id: int  #: of the event itself; rises with the first versions
    day: date
    severity: str | None  #: 失信严重程度, where the letter states it
    #: Day and penalty of the decision, as its fact has them, when the letter came; None: the letter
    #: came to an earlier release.
    found: Mapping[str, Any] | None


class KnownFacts(NamedTuple):
    """The present facts 评分事实 of decisions, and the dates that process events set."""

    bodies: dict[int, dict[str, Any]]  #: decision id → the body of its present fact
    dates: dict[DecisionKey, list[ProcessDates]]  #: in any order
    #: The decisions that versions of process events are about, of events that the batch may change.
    targets: Mapping[int, DecisionKey] = MappingProxyType({})
    own: Mapping[int, dict[str, Any]] = MappingProxyType({})  #: dates of these decisions themselves
    authorities: Mapping[str, Authority] = MappingProxyType({})  #: by normalised name, of the batch
    #: The last facts of repaired decisions that are away: withdrawn, or not reported.
    former: Mapping[int, dict[str, Any]] = MappingProxyType({})
    #: The letters that stand, by the decision that they are about, in any order.
    letters: Mapping[DecisionKey, Sequence[Letter]] = MappingProxyType({})
