"""The columns and types that a population file may have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from scoring.population.frames import AMOUNT, FACTS


class UnusablePopulation(ValueError):
    """The file as a whole cannot be used; the message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A type that a column may have: its name for people, and a test."""

    name: str
    takes: Callable[[pl.DataType], bool]


def _is_amount(type_: pl.DataType) -> bool:
    exact = isinstance(type_, pl.Decimal) and type_.scale <= AMOUNT.scale
    return exact or type_.is_integer() or type_ == pl.String


TEXT = Shape("文字 String", lambda type_: isinstance(type_, pl.String | pl.Enum | pl.Categorical))
FLAG = Shape("是否 Boolean", lambda type_: type_ == pl.Boolean)
DAY = Shape("日期 Date（或文字 YYYY-MM-DD）", lambda type_: type_ in {pl.Date, pl.String})
NUMBER = Shape("数额 Decimal(18,6)（或整数、文字；不能是浮点数）", _is_amount)
WORDS = Shape("文字的列表 List(String)", lambda type_: type_ == pl.List(pl.String))
STRUCT = Shape("结构 Struct", lambda type_: isinstance(type_, pl.Struct))
STRUCTS = Shape("结构的列表 List(Struct)", lambda type_: bool(_fields(type_)))

SUBJECT = {
    "id": TEXT,
    "kind": TEXT,
    "criminal_suspect": FLAG,
    "sites": STRUCTS,
    "participants_only": FLAG,
    "agency_kinds": WORDS,
    "facts": STRUCTS,
}
SITE = {"permit": TEXT, "weight": NUMBER}
PENALTY = {"types": WORDS, "fine_wan": NUMBER}
RECEIVED = {"grade": TEXT, "issued_by": TEXT, "score": NUMBER}


def _shape_of(type_: pl.DataType) -> Shape:
    if isinstance(type_, pl.List):
        return WORDS
    if isinstance(type_, pl.Struct):
        return STRUCT
    return {pl.Date: DAY, AMOUNT: NUMBER, pl.Boolean: FLAG}.get(type_, TEXT)


#: The columns of a fact, and the structs with the others.
FACT = {
    name: _shape_of(type_)
    for name, type_ in FACTS.items()
    if name not in {"subject", *PENALTY, *RECEIVED}
} | {"penalty": STRUCT, "received": STRUCT}


def check_shape(schema: Mapping[str, pl.DataType]) -> None:
    """Check that a population can be read from a schema.

    Raises:
        UnusablePopulation: names the column and its right type.
    """
    _check(schema, SUBJECT, ("id", "kind", "facts"), "")
    fact = _fields(schema["facts"])
    _check(fact, FACT, ("id", "decided_on"), "facts.")
    _check_inside(fact.get("penalty"), PENALTY, ("types",), "facts.penalty.")
    _check_inside(fact.get("received"), RECEIVED, ("grade", "issued_by"), "facts.received.")
    sites = schema.get("sites", pl.Null())
    _check_inside(getattr(sites, "inner", None), SITE, ("permit", "weight"), "sites.")


def _check_inside(
    type_: object, known: Mapping[str, Shape], required: tuple[str, ...], where: str
) -> None:
    if isinstance(type_, pl.Struct):
        _check(pl.Schema(type_), known, required, where)


def _fields(type_: pl.DataType) -> Mapping[str, pl.DataType]:
    """Return the fields of a list of structs; none for another type."""
    inner = type_.inner if isinstance(type_, pl.List) else None
    return pl.Schema(inner) if isinstance(inner, pl.Struct) else {}


def _check(
    given: Mapping[str, pl.DataType],
    known: Mapping[str, Shape],
    required: tuple[str, ...],
    where: str,
) -> None:
    for name in required:
        if name not in given:
            raise UnusablePopulation(f"缺少列 {where}{name}，应为{known[name].name}")
    for name, type_ in given.items():
        if name not in known:
            raise UnusablePopulation(f"不认识的列 {where}{name}；可以有 {'、'.join(known)}")
        if type_ != pl.Null and not known[name].takes(type_):
            raise UnusablePopulation(f"列 {where}{name} 应为{known[name].name}，实为 {type_}")
