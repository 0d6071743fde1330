"""The input of scoring: the facts of one subject.

The store builds these values from typed columns without validation; the command
`credit-gateway score` validates its input lines with pydantic.
"""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Self

from msgspec.structs import force_setattr
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
)

from schemas.base import NonBlank, Wanyuan, plain_number
from schemas.codes import EventType, SubjectKind
from schemas.fines import with_fine
from schemas.value import Value

ISO_DAY_LENGTH = 10


def _day(value: object) -> object:
    if isinstance(value, date) or value is None:
        return value
    if isinstance(value, str) and len(value) == ISO_DAY_LENGTH and value[4] == value[7] == "-":
        return value
    message = "日期要写成 2026-01-01"
    raise ValueError(message)


Day = Annotated[date, BeforeValidator(_day)]
Score = Annotated[Decimal, Field(max_digits=18, decimal_places=6), AfterValidator(plain_number)]
Weight = Annotated[Decimal, Field(max_digits=18, decimal_places=6, gt=0)]


class Penalty(Value, frozen=True):
    """The penalties that a decision imposed: words of 处罚类别, and the fine in 万元."""

    types: tuple[NonBlank, ...]
    fine_wan: Wanyuan | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The words, and 罚款 if there is an amount that none of them has."""
        return with_fine(self.types, self.fine_wan)


class Received(Value, frozen=True):
    """A grade that another system computed 外部评定等级."""

    grade: NonBlank
    issued_by: NonBlank
    score: Score | None = None


class Site(Value, frozen=True):
    """One site 厂址 of a legal person, identified by its permit, and its weight in the average."""

    permit: NonBlank
    weight: Weight


class RegisterEntry(Value, frozen=True):
    """One entry of the register of participants 参评单位名录, from the day of its fact on.

    A legal person with several sites has an entry for each permit; a branch 分支机构 names its
    legal person as `parent` (credit code), for which it counts.
    """

    kind: SubjectKind
    until: Day | None = None  #: the last day
    batch: NonBlank | None = None
    agency_kinds: tuple[NonBlank, ...] = ()  #: 机构类型
    permit: NonBlank | None = None
    weight: Weight | None = None
    parent: NonBlank | None = None
    reason: NonBlank | None = None  #: why it leaves


class Fact(Value, frozen=True):
    """One decision or event: item, event type, penalty, codes or received grade; at least one.

    Or an entry of the register, which says how the subject takes part and counts no points.
    """

    id: NonBlank
    decided_on: Day
    item: NonBlank | None = None
    type: EventType | None = None
    penalty: Penalty | None = None
    rectified_on: Day | None = None
    repair_applied_on: Day | None = None
    repair_confirmed_on: Day | None = None
    warning_until: Day | None = None  #: the last day of the warning
    principal_points: Wanyuan | None = None  #: points that the client lost, as a positive number
    document_number: str | None = None
    created_on: Day | None = None  #: day the record was created; None: the decision day
    codes: tuple[NonBlank, ...] = ()  #: such as 违法行为代码
    department: NonBlank | None = None
    stated_points: Wanyuan | None = None  #: points in the decision, or an indicator's score
    site: NonBlank | None = None  #: the permit of the site
    received: Received | None = None
    self_reported: bool = False  #: by the participant itself 参评单位自行上传
    confirmed_on: Day | None = None  #: the day on which the authority confirmed it 审核确认
    entry: RegisterEntry | None = None
    branch: str | None = None  #: of a branch of the subject: which one did it
    parts: tuple[str, ...] = ()  #: the facts that one decision about several subjects counts for

    def __post_init__(self) -> None:
        """Raise ValueError for a fact that says nothing to count: it would silently count as 0."""
        if (
            self.item is None
            and self.type is None
            and self.penalty is None
            and not self.codes
            and self.received is None
            and self.entry is None
        ):
            message = (
                f"信息 {self.id} 没有写 item、type、penalty、codes、received 或 entry；至少写一个"
            )
            raise ValueError(message)


class Facts(Value, frozen=True):
    """The facts of one subject, sorted by decision date and id, each id once.

    Entries of the register that are given among the facts are moved to `register`; those of one
    day stand in the order in which they came, since the latest decides.
    """

    id: NonBlank
    kind: SubjectKind
    facts: tuple[Fact, ...] = ()
    as_of: Day | None = None
    criminal_suspect: bool = False
    sites: tuple[Site, ...] = ()
    register: tuple[Fact, ...] = ()
    participants_only: bool = False  #: whoever has no entry in force is not evaluated
    agency_kinds: tuple[NonBlank, ...] = ()  #: empty: not known, so that every row counts

    def __post_init__(self) -> None:
        """Sort the facts and remove repeated ids; raises ValueError for a repeated permit."""
        if self.sites and len({site.permit for site in self.sites}) < len(self.sites):
            message = f"对象 {self.id} 有两个厂址的 permit 相同；只留一个"
            raise ValueError(message)
        if len(self.facts) > 1:
            force_setattr(self, "facts", _in_order(self.facts))
        entries = [fact for fact in self.facts if fact.entry is not None]
        if entries:
            others = tuple(fact for fact in self.facts if fact.entry is None)
            force_setattr(self, "facts", others)
            register = sorted(_in_order((*self.register, *entries)), key=by_number)
            force_setattr(self, "register", tuple(register))

    @classmethod
    def model_validate(cls, data: object) -> Self:
        """Build facts from parsed JSON; raises pydantic's ValidationError."""
        return _ADAPTER.validate_python(data)  # type: ignore[return-value]

    @classmethod
    def model_validate_json(cls, line: bytes | str) -> Self:
        """Build facts from one line of JSON; raises pydantic's ValidationError."""
        return _ADAPTER.validate_json(line)  # type: ignore[return-value]


def _in_order(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Return each id once, sorted by decision date and id."""
    if len({fact.id for fact in facts}) < len(facts):
        facts = _once(facts)
    return tuple(sorted(facts, key=_BY_DATE))


def _once(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Keep one fact per id; of different contents, keep the same one whatever the input order."""
    by_id: dict[str, Fact] = {}
    for fact in facts:
        known = by_id.setdefault(fact.id, fact)
        if known is not fact and known != fact:
            by_id[fact.id] = max(known, fact, key=repr)
    return tuple(by_id.values())


_BY_DATE = attrgetter("decided_on", "id")


def by_number(fact: Fact) -> tuple[date, int, str]:
    """Return what sorts by date and id, the ids of the store as the numbers that they are."""
    return fact.decided_on, len(fact.id), fact.id


@lru_cache(maxsize=4096)
def plain(number: Decimal) -> str:
    """Return the number as text without trailing zeros and without an exponent."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


_ADAPTER = TypeAdapter(Facts, config=ConfigDict(title="Facts"))
