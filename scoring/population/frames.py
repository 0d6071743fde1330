"""A population in columns: one frame of subjects, and one frame of facts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl
from msgspec import convert
from msgspec.structs import asdict

from schemas.codes import EventType, SubjectKind
from scoring.facts import Fact, Facts, Penalty, Received, RegisterEntry, Site

#: 万元, points and weights: Decimal(18,6) of the data standard.
AMOUNT = pl.Decimal(18, 6)

SUBJECTS = pl.Schema(
    {
        "id": pl.String(),
        "kind": pl.Enum([kind.value for kind in SubjectKind]),
        "criminal_suspect": pl.Boolean(),
        "sites": pl.List(pl.Struct({"permit": pl.String(), "weight": AMOUNT})),
        "participants_only": pl.Boolean(),
        "agency_kinds": pl.List(pl.String()),
    }
)
#: An entry of the register of participants.
ENTRY = pl.Struct(
    {
        "kind": pl.String(),
        "until": pl.Date(),
        "batch": pl.String(),
        "agency_kinds": pl.List(pl.String()),
        "permit": pl.String(),
        "weight": AMOUNT,
        "parent": pl.String(),
        "reason": pl.String(),
    }
)
#: Fields of a fact that become columns unchanged.
_AS_THEY_ARE = {
    "id": pl.String(),
    "decided_on": pl.Date(),
    "item": pl.String(),
    "rectified_on": pl.Date(),
    "repair_applied_on": pl.Date(),
    "repair_confirmed_on": pl.Date(),
    "warning_until": pl.Date(),
    "principal_points": AMOUNT,
    "document_number": pl.String(),
    "created_on": pl.Date(),
    "department": pl.String(),
    "stated_points": AMOUNT,
    "site": pl.String(),
    "self_reported": pl.Boolean(),
    "confirmed_on": pl.Date(),
    "branch": pl.String(),
}
#: `subject` is the row number in SUBJECTS. `types` is null if the fact has no penalty; `grade`,
#: `issued_by` and `score` are null if it has no received grade.
FACTS = pl.Schema(
    {
        "subject": pl.UInt32(),
        **_AS_THEY_ARE,
        "type": pl.Enum([type_.value for type_ in EventType]),
        "types": pl.List(pl.String()),
        "fine_wan": AMOUNT,
        "codes": pl.List(pl.String()),
        "grade": pl.String(),
        "issued_by": pl.String(),
        "score": AMOUNT,
        "entry": ENTRY,
    }
)


@dataclass(frozen=True, slots=True)
class Population:
    """Subjects (SUBJECTS) and facts (FACTS); the facts are sorted by `subject`."""

    subjects: pl.DataFrame
    facts: pl.DataFrame

    def __post_init__(self) -> None:
        """Raise ValueError if the facts are not sorted by subject; grouping relies on it."""
        if not self.facts["subject"].is_sorted():
            message = "facts have to stand in the order of their subjects"
            raise ValueError(message)

    @classmethod
    def of(cls, given: Iterable[Facts]) -> "Population":
        """Build a population from the input of the row engine."""
        rows: list[tuple[Any, ...]] = []
        facts: list[tuple[Any, ...]] = []
        for row, one in enumerate(given):
            sites = [{"permit": site.permit, "weight": site.weight} for site in one.sites]
            beside = sites, one.participants_only, list(one.agency_kinds)
            rows.append((one.id, one.kind.value, one.criminal_suspect, *beside))
            facts += [_row(row, fact) for fact in (*one.facts, *one.register)]
        return cls(
            pl.DataFrame(rows, schema=SUBJECTS, orient="row"),
            pl.DataFrame(facts, schema=FACTS, orient="row"),
        )

    @property
    def size(self) -> int:
        """The number of subjects."""
        return self.subjects.height

    def only(self, rows: Sequence[int] | pl.Series) -> "Population":
        """Return these subjects in this order, with their facts."""
        chosen = pl.DataFrame({"subject": pl.Series(rows, dtype=pl.UInt32)})
        number = pl.int_range(pl.len(), dtype=pl.UInt32).alias("new")
        facts = (
            self.facts.join(chosen.with_columns(number), on="subject", maintain_order="left")
            .sort("new", maintain_order=True)
            .select(pl.col("new").alias("subject"), pl.exclude("new", "subject"))
        )
        return Population(self.subjects[chosen["subject"]], facts)

    def each(self) -> Iterator[Facts]:
        """Yield every subject as input of the row engine."""
        by_subject = groupby(self.facts.iter_rows(), itemgetter(0))
        facts = {row: tuple(map(_fact, group)) for row, group in by_subject}
        for row, (id_, kind, suspect, sites, only, kinds) in enumerate(self.subjects.iter_rows()):
            yield Facts(
                id_,
                SubjectKind(kind),
                facts.get(row, ()),
                None,
                suspect,
                tuple(Site(**site) for site in sites),
                participants_only=only,
                agency_kinds=tuple(kinds),
            )


def _row(subject: int, fact: Fact) -> tuple[Any, ...]:
    penalty, came = fact.penalty, fact.received
    return (
        subject,
        *(getattr(fact, name) for name in _AS_THEY_ARE),
        None if fact.type is None else fact.type.value,
        None if penalty is None else list(penalty.types),
        None if penalty is None else penalty.fine_wan,
        list(fact.codes),
        *((None, None, None) if came is None else (came.grade, came.issued_by, came.score)),
        None if fact.entry is None else asdict(fact.entry),
    )


def _fact(row: tuple[Any, ...]) -> Fact:
    values: dict[str, Any] = dict(zip(FACTS, row, strict=True))
    type_, types, grade = values["type"], values["types"], values["grade"]
    entry = values["entry"]
    return Fact(
        **{name: values[name] for name in _AS_THEY_ARE},
        type=None if type_ is None else EventType(type_),
        penalty=None if types is None else Penalty(tuple(types), values["fine_wan"]),
        codes=tuple(values["codes"]),
        received=None if grade is None else Received(grade, values["issued_by"], values["score"]),
        entry=None if entry is None else _entry(entry),
    )


def _entry(given: dict[str, Any]) -> RegisterEntry:
    return convert({n: value for n, value in given.items() if value is not None}, RegisterEntry)


#: The last day of the calendar; later days are treated as never.
LAST_DAY = date.max
MICRO = 6
ONE = 10**MICRO
#: The largest number in millionths that columns count: sums of millions of them, and products
#: with a factor up to 1, fit into 64 bits. Larger numbers go to the row engine.
LARGEST = 10**12


def micro(number: Decimal) -> int | None:
    """Return a number in millionths, or None if that is not whole or larger than LARGEST."""
    scaled = number.scaleb(MICRO)
    whole = int(scaled)
    return whole if whole == scaled and abs(whole) <= LARGEST else None


def from_micro(number: int) -> Decimal:
    """Return the number for an amount in millionths."""
    return Decimal(number).scaleb(-MICRO)
