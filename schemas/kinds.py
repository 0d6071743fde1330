"""The catalogue of record kinds 信息种类: the only place that defines a kind."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator

from schemas.base import Schema
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.event import CreditEvent, ReceivedGrade
from schemas.licence import AdministrativeLicence
from schemas.participant import Participant
from schemas.penalty import AdministrativePenalty


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: its model, and what its fields mean.

    `number` and `authority` name the fields that, with the subject, make the business key;
    `date` names the day from which a record counts. `reported` kinds are 双公示: they are owed to
    platforms and stand in the ledger. `makes_fact` kinds count for scoring, by
    their function in `gateway.record.content.FACTS`. `prefix` begins the wire columns of a kind
    that has columns of its own.
    """

    name: RecordKind
    title: str
    model: type[Schema]
    number: str
    date: str
    authority: str | None
    reported: bool = False
    makes_fact: bool = False
    prefix: str | None = None

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
        """The wire column of the number."""
        return self.column(self.number)

    def column(self, field: str) -> str:
        """Return the wire column of a field."""
        return self.model.model_fields[field].alias or field


KINDS: dict[RecordKind, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name=RecordKind.PENALTY,
            title="行政处罚",
            model=AdministrativePenalty,
            number="document_number",
            date="decision_date",
            authority="authority",
            reported=True,
            makes_fact=True,
            prefix="CF_",
        ),
        Kind(
            name=RecordKind.LICENCE,
            title="行政许可",
            model=AdministrativeLicence,
            number="document_number",
            date="decision_date",
            authority="authority",
            reported=True,
            prefix="XK_",
        ),
        Kind(
            name=RecordKind.EVENT,
            title="环保信用信息",
            model=CreditEvent,
            number="id",
            date="occurred_on",
            authority=None,
            makes_fact=True,
        ),
        Kind(
            name=RecordKind.GRADE,
            title="外部评定等级",
            model=ReceivedGrade,
            number="id",
            date="effective_on",
            authority="issued_by",
        ),
        Kind(
            name=RecordKind.PARTICIPANT,
            title="参评单位",
            model=Participant,
            number="id",
            date="since",
            authority=None,
            makes_fact=True,
        ),
    )
}

#: Kinds that are reported as 双公示; the others only change facts and grades.
REPORTED_KINDS = frozenset(name for name, kind in KINDS.items() if kind.reported)
#: The same in the order of the catalogue, for pages and SQL.
REPORTED_IN_ORDER = [name for name, kind in KINDS.items() if kind.reported]


def kind_of_columns(names: Iterable[str]) -> RecordKind | None:
    """Return the kind of the first column with the prefix of a standard, in any case of letters."""
    for name in names:
        if (kind := _PREFIXES.get(name[:3].upper())) is not None:
            return kind
    return None


_PREFIXES = {kind.prefix: name for name, kind in KINDS.items() if kind.prefix}


def standard_column(name: str) -> str:
    """Return the wire column of a reported kind; raises ValueError if there is none such."""
    known = {column.wire for kind in REPORTED_IN_ORDER for column in columns_of(KINDS[kind].model)}
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0.8)
        meant = f"是否应为 {near[0]}？" if near else ""
        raise ValueError(f"没有列 {name}；{meant}列的代码见 schemas/generated")
    return name


#: The wire column of a reported kind, as a configuration names it.
StandardColumn = Annotated[str, AfterValidator(standard_column)]
