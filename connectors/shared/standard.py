"""What the standard says of columns, by their wire codes, over all kinds that are reported."""

from collections.abc import Iterator, Mapping

from schemas.codes import RecordKind
from schemas.columns import Column, ColumnType, columns_of
from schemas.kinds import KINDS
from schemas.messages import GradeChanged

#: Fields with numbers of companies, which look like old identity numbers.
_NUMBERS_OF_COMPANIES = frozenset(
    {"registration_number", "organisation_code", "institution_number", "association_number"}
)


def _all() -> Iterator[Column]:
    for kind in KINDS.in_order:
        yield from columns_of(KINDS[RecordKind(kind)].model)


def titles(kind: str) -> Mapping[str, str]:
    """Return the columns of a kind and their titles; fields of a grade change go by their names."""
    if kind not in KINDS:
        return {name: name for name in GradeChanged.model_fields}
    return {one.wire: one.title for one in columns_of(KINDS[RecordKind(kind)].model)}


@KINDS.cached
def amounts() -> frozenset[str]:
    """Return the columns of amounts, which are in 万元."""
    return frozenset(one.wire for one in _all() if one.type is ColumnType.AMOUNT)


@KINDS.cached
def lists() -> frozenset[str]:
    """Return the columns that hold several codes, with 、 between them."""
    return frozenset(one.wire for one in _all() if one.type is ColumnType.PENALTY_KINDS)


@KINDS.cached
def codes() -> Mapping[str, frozenset[str]]:
    """Return the codes of each column that has a closed list."""
    return {one.wire: one.codes for one in _all() if one.codes}


@KINDS.cached
def identity_numbers() -> frozenset[str]:
    """Return the columns with identity numbers of persons."""
    return frozenset(one.wire for one in _all() if one.type is ColumnType.IDENTITY)


@KINDS.cached
def identifiers() -> frozenset[str]:
    """Return the columns with codes and numbers that say who somebody is."""
    types = {ColumnType.CREDIT_CODE, ColumnType.IDENTITY}
    return frozenset(
        one.wire for one in _all() if one.type in types or one.name in _NUMBERS_OF_COMPANIES
    )
