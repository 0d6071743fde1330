"""The catalogue of record kinds 信息种类: the only place that defines a kind."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator

from schemas.base import Schema
from schemas.codes import RecordKind, SubjectCategory
from schemas.columns import columns_of
from schemas.event import CreditEvent, ReceivedGrade
from schemas.identifiers import document_number_key, fold_once
from schemas.licence import AdministrativeLicence
from schemas.participant import Participant
from schemas.penalty import AdministrativePenalty

_NUMBER = "document_number"
#: Between the keys of a kind without document numbers.
BETWEEN_KEYS = "␟"
#: Between them where a person reads them.
_SHOWN_BETWEEN = "，"
Cached = TypeVar("Cached", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: its model, and what its fields mean.

    `keys` and `authority` name the fields that, with the subject, make the business key; the first
    key is the document number of a kind that has one. `date` names the day from which a record
    counts. `reported` kinds are owed to platforms and stand in the ledger; the rates of the ledger
    count those of `double_publicity` 双公示. `makes_fact` kinds count for scoring, by
    their function in `gateway.record.content.FACTS`. `prefix` begins the wire columns of a kind
    that has columns of its own. Of a `whole_list` 名单, a file may be the whole list of its time:
    what it does not have is withdrawn. `configured` is its definition in the configuration.
    """

    name: RecordKind
    title: str
    model: type[Schema]
    keys: tuple[str, ...]
    date: str
    authority: str | None
    reported: bool = False
    double_publicity: bool = False
    makes_fact: bool = False
    prefix: str | None = None
    whole_list: bool = False
    configured: Schema | None = None

    @property
    def has_number(self) -> bool:
        """Whether records have a document number 文书号."""
        return self.keys == (_NUMBER,)

    def number_of(self, values: Mapping[str, Any]) -> str:
        """Return the document number in values by field name, or the keys, for people."""
        given = (values.get(name) for name in self.keys)
        return _SHOWN_BETWEEN.join(str(value) for value in given if value is not None)

    def key_of(self, values: Mapping[str, Any]) -> str:
        """Return the document number, or the keys, in values by field name, in one form.

        Of a kind with document numbers it is the normal form of the number. Keys are in one width
        without blanks, with a sign between them that nobody types.
        """
        if self.has_number:
            return document_number_key(str(values.get(_NUMBER) or ""))
        given = (values.get(name) for name in self.keys)
        return BETWEEN_KEYS.join(fold_once(str(one)) for one in given if one is not None)

    @property
    def date_column(self) -> str:
        """The wire column of the date."""
        return self.column(self.date)

    @property
    def authority_column(self) -> str:
        """The wire column of the authority; empty for a kind without one."""
        return self.column(self.authority) if self.authority else ""

    @property
    def number_column(self) -> str:
        """The wire column of the number, or of the first key."""
        return self.column(self.keys[0])

    def column(self, field: str) -> str:
        """Return the wire column of a field."""
        return self.model.model_fields[field].alias or field


#: Results of one function that are cached: some are asked with what people wrote.
_REMEMBERED = 1024
_BUILT_IN = (
    Kind(
        name=RecordKind.PENALTY,
        title="行政处罚",
        model=AdministrativePenalty,
        keys=(_NUMBER,),
        date="decision_date",
        authority="authority",
        reported=True,
        double_publicity=True,
        makes_fact=True,
        prefix="CF_",
    ),
    Kind(
        name=RecordKind.LICENCE,
        title="行政许可",
        model=AdministrativeLicence,
        keys=(_NUMBER,),
        date="decision_date",
        authority="authority",
        reported=True,
        double_publicity=True,
        prefix="XK_",
    ),
    Kind(
        name=RecordKind.EVENT,
        title="环保信用信息",
        model=CreditEvent,
        keys=("id",),
        date="occurred_on",
        authority=None,
        makes_fact=True,
    ),
    Kind(
        name=RecordKind.GRADE,
        title="外部评定等级",
        model=ReceivedGrade,
        keys=("id",),
        date="effective_on",
        authority="issued_by",
    ),
    Kind(
        name=RecordKind.PARTICIPANT,
        title="参评单位",
        model=Participant,
        keys=("id",),
        date="since",
        authority=None,
        makes_fact=True,
    ),
)


class Catalogue(Mapping[RecordKind, Kind]):
    """The kinds of this process by name: those built in, and those that it has adopted."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._built_in = tuple(kinds)
        self._caches: list[Callable[[], None]] = []
        self._set(())

    def __getitem__(self, name: RecordKind) -> Kind:
        """Return the kind of a name."""
        return self._kinds[name]

    def __iter__(self) -> Iterator[RecordKind]:
        """Iterate over the names in the order of the catalogue."""
        return iter(self._kinds)

    def __len__(self) -> int:
        """Return how many kinds there are."""
        return len(self._kinds)

    def adopt(self, kinds: Iterable[Kind]) -> None:
        """Take these kinds beside those built in, in place of those adopted before.

        The configuration says them, so that a process adopts once, before it reads anything else.
        """
        self._set(tuple(kinds))
        for empty in self._caches:
            empty()

    def _set(self, adopted: tuple[Kind, ...]) -> None:
        self._kinds = {kind.name: kind for kind in (*self._built_in, *adopted)}
        RecordKind.known = frozenset(self._kinds)
        #: Kinds that are reported to platforms; the others only change facts and grades.
        self.reported = frozenset(one.name for one in self._kinds.values() if one.reported)
        #: The same in the order of the catalogue, for pages and SQL.
        self.in_order = [name for name in self._kinds if name in self.reported]
        self._prefixes = {kind.prefix: name for name, kind in self._kinds.items() if kind.prefix}

    def cached(self, function: Cached) -> Cached:
        """Cache what a function finds in the catalogue, until it changes."""
        remembered = lru_cache(_REMEMBERED)(function)
        self._caches.append(remembered.cache_clear)
        return remembered  # type: ignore[return-value]  # it is called as the function is

    def of_columns(self, names: Iterable[str]) -> RecordKind | None:
        """Return the kind of the first column with the prefix of a kind, in any case of letters."""
        for name in names:
            if (kind := self._prefixes.get(name[:3].upper())) is not None:
                return kind
        return None


KINDS = Catalogue(_BUILT_IN)
#: The kinds of 双公示, which are built in.
DOUBLE_PUBLICITY = tuple(kind.name for kind in _BUILT_IN if kind.double_publicity)


def as_natural_person(kind: str, columns: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the columns of a sole trader 个体工商户 as those of a natural person 自然人.

    Whatever category was given: the code says that he is one. Kinds without natural persons have no
    category.
    """
    of = KINDS[RecordKind(kind)]
    category = of.column("subject_category") if "subject_category" in of.model.model_fields else ""
    if not columns.get(category):
        return columns
    return {**columns, category: str(SubjectCategory.NATURAL_PERSON)}


def standard_column(name: str) -> str:
    """Return the wire column of a reported kind; raises ValueError if there is none such."""
    known = {column.wire for kind in KINDS.in_order for column in columns_of(KINDS[kind].model)}
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0.8)
        meant = f"是否应为 {near[0]}？" if near else ""
        raise ValueError(f"没有列 {name}；{meant}列的代码见 schemas/generated")
    return name


#: The wire column of a reported kind, as a configuration names it.
StandardColumn = Annotated[str, AfterValidator(standard_column)]


def keys_of(number: str) -> set[str]:
    """Return what a document number, or keys as they are shown, may be kept as."""
    keys = (fold_once(one) for one in number.split(_SHOWN_BETWEEN))
    return {document_number_key(number), fold_once(number), BETWEEN_KEYS.join(keys)}
