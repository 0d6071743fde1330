"""Columns of the 双公示 data standard; each is described once, on its field.

`column()` puts wire column, Chinese name, length and the rule of when it is required on a pydantic
field; `columns_of()` reads them back for check, connectors, workbooks and documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Field


class ColumnType(StrEnum):
    """How the value of a column is read."""

    TEXT = "text"
    DATE = "date"
    AMOUNT = "amount"  #: 万元, up to six decimals
    CREDIT_CODE = "credit_code"  #: 统一社会信用代码
    IDENTITY = "identity"  #: personal data: stored encrypted, not in the body
    PENALTY_KINDS = "penalty_kinds"  #: a list, with any separator
    CODE = "code"  #: one value of a closed list


class Required(StrEnum):
    """When a column must be filled 必填: always, for a category, or for a penalty kind."""

    NO = "no"
    ALWAYS = "always"
    CREDIT_CODE_HOLDER = "法人及非法人组织、个体工商户"
    NATURAL_PERSON = "自然人"
    FINE = "处罚类别含罚款或按日连续处罚"
    CONFISCATION = "处罚类别含没收"
    SUSPENSION = "处罚类别含暂扣或吊销"


@dataclass(frozen=True, slots=True)
class Column:
    """One wire column: code, field name, Chinese name, type, length limit (characters), need."""

    wire: str
    name: str
    title: str
    type: ColumnType
    max_length: int | None
    required: Required
    codes: frozenset[str] | None
    #: A text up to this length needs no check; 0 if every text is checked.
    plain: int


def column(  # noqa: PLR0913  one for each thing that the standard says of a column
    wire: str,
    title: str,
    *,
    type_: ColumnType = ColumnType.TEXT,
    max_length: int | None = None,
    required: Required = Required.NO,
    codes: frozenset[str] | None = None,
    default: Any = None,
) -> Any:
    """Declare a field of the standard; its value is None if it is absent or unreadable."""
    extra: Mapping[str, Any] = {
        "columnType": type_.value,
        "maxLength": max_length,
        "required": required.value,
        "codes": sorted(codes) if codes else None,
    }
    return Field(default=default, alias=wire, title=title, json_schema_extra=dict(extra))


@cache
def columns_of(model: type[BaseModel]) -> tuple[Column, ...]:
    """Return the columns of a record model in the national order."""
    return tuple(
        _column(name, field.alias or name, field.title or name, field.json_schema_extra)
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and "columnType" in field.json_schema_extra
    )


@cache
def fields_with(model: type[BaseModel], type_: type) -> frozenset[str]:
    """Return the names of the fields whose values may be of a type, such as `str`."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if _admits(field.annotation, type_))


def _admits(annotation: Any, type_: type) -> bool:
    if annotation is type_:
        return True
    return get_origin(annotation) is not dict and any(
        _admits(one, type_) for one in get_args(annotation)
    )


def filled(record: BaseModel) -> frozenset[str]:
    """Return the wire columns of a record that have a value."""
    wires = _wires(type(record))
    return frozenset(wires[name] for name in record.model_fields_set)


@cache
def _wires(model: type[BaseModel]) -> dict[str, str]:
    return {name: field.alias or name for name, field in model.model_fields.items()}


def _column(name: str, wire: str, title: str, extra: Any) -> Column:
    return Column(
        wire=wire,
        name=name,
        title=title,
        type=ColumnType(extra["columnType"]),
        max_length=extra["maxLength"],
        required=Required(extra["required"]),
        codes=frozenset(extra["codes"]) if extra["codes"] else None,
        plain=(extra["maxLength"] or 0) if extra["columnType"] == ColumnType.TEXT else 0,
    )
