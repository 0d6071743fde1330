"""The base class of all message models, and types that they share."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from schemas.identifiers import masked

__all__ = ["SHANGHAI", "AwareDatetime", "NonBlank", "Schema", "TheirText", "TheirTime", "Wanyuan"]

#: China has had one zone and no summer time since 1991; every legal day ends at this midnight.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


_MILLIONTH = Decimal("0.000001")


def plain_number(value: Decimal) -> Decimal:
    """Return an equal number that is written plainly: 0 for -0 and 0E+9, 200 for 2E+2.

    It has six decimals at most; the caller knows that the others are zeros.
    """
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and not -6 <= exponent <= 0:
        value = value.quantize(Decimal(1) if exponent > 0 else _MILLIONTH)
    return value or abs(value)


#: An amount in 万元 (ten thousand yuan), exact to 0.01 yuan: Decimal(18,6) in the data standard.
Wanyuan = Annotated[
    Decimal, Field(max_digits=18, decimal_places=6, ge=0), AfterValidator(plain_number)
]


#: A text that is not empty, without blanks around it.
NonBlank = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


#: What a database cannot store: U+0000, and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: Characters kept of one text that somebody else wrote.
LONGEST_TEXT = 2_000


def storable(text: str) -> str:
    """Return a text of somebody else masked, cut, and without what cannot be stored."""
    return _UNSTORABLE.sub("\ufffd", masked(text)[:LONGEST_TEXT])


#: A text of a destination, for people: it may quote an identity number back to us.
TheirText = Annotated[str, AfterValidator(storable)]


#: What a time of somebody else may be: it must stay a time in every zone and in every database.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _bounded(at: datetime) -> datetime:
    return min(max(at, _EARLIEST), _LATEST)


#: A time of a destination; one that cannot be, such as 0001-01-01, becomes the nearest bound.
TheirTime = Annotated[AwareDatetime, AfterValidator(_bounded)]


class Schema(BaseModel):
    """A frozen model that refuses unknown fields; fields are read by name or by wire column."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @classmethod
    def trusted(cls, values: Mapping[str, Any]) -> Self:
        """Make the model of values, by field name, that a reader of ours has validated.

        The result equals `model_validate(values)` and takes a fifth of its time, and a fifteenth of
        the time of `model_construct`, which reads every alias again.
        """
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", {**_defaults(cls), **values})
        object.__setattr__(made, "__pydantic_fields_set__", set(values))
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made


@cache
def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    return {name: field.get_default() for name, field in model.model_fields.items()}


def start_of(day: date) -> datetime:
    """Return the begin of a day in China."""
    return datetime.combine(day, time.min, SHANGHAI)


def end_of(day: date) -> datetime:
    """Return the exclusive end of a day in China."""
    return start_of(day + timedelta(days=1))


def last_moment(due: datetime) -> datetime:
    """Return the last second before an exclusive due time, in China."""
    return (due - timedelta(seconds=1)).astimezone(SHANGHAI)


def today(now: datetime) -> date:
    """Return the date in China at this time."""
    return now.astimezone(SHANGHAI).date()
