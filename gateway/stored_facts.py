"""Facts as stored → facts as the engine takes them (pure).

A body has the fields of the `score` input, apart from the id, which is a column of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from schemas.codes import EventType
from scoring.facts import Fact, Penalty


class _Penalty(msgspec.Struct):
    types: tuple[str, ...]
    fine_wan: str | None = None


class _Body(msgspec.Struct):
    """What JSON is read into: dates, amounts and codes are made on the way, without Python."""

    decided_on: date
    item: str | None = None
    type: EventType | None = None
    penalty: _Penalty | None = None
    rectified_on: date | None = None
    repair_applied_on: date | None = None
    repair_confirmed_on: date | None = None
    warning_until: date | None = None
    principal_points: Decimal | None = None
    document_number: str | None = None
    created_on: date | None = None
    codes: tuple[str, ...] | None = None
    department: str | None = None
    stated_points: Decimal | None = None
    site: str | None = None


_BODIES = msgspec.json.Decoder(list[_Body])


def facts_of(ids: Sequence[int], bodies: bytes) -> list[Fact]:
    """The facts with these ids, whose bodies come as one JSON list in the same order.

    Raises:
        msgspec.ValidationError: a body that this program did not write.
    """
    return [_fact(id_, body) for id_, body in zip(ids, _BODIES.decode(bodies), strict=True)]


def fact_of(id_: int, body: Mapping[str, Any]) -> Fact:
    """One fact from its parsed body; raises as `facts_of` does."""
    return _fact(id_, msgspec.convert(body, _Body))


def _fact(id_: int, body: _Body) -> Fact:
    penalty = body.penalty
    return Fact(
        str(id_),
        body.decided_on,
        body.item,
        body.type,
        None if penalty is None else _penalty(penalty.types, penalty.fine_wan),
        body.rectified_on,
        body.repair_applied_on,
        body.repair_confirmed_on,
        body.warning_until,
        body.principal_points,
        body.document_number,
        body.created_on,
        body.codes or (),
        body.department,
        body.stated_points,
        body.site,
    )


@lru_cache(maxsize=4096)
def _penalty(types: tuple[str, ...], fine: str | None) -> Penalty:
    return Penalty(types, Decimal(fine) if fine else None)
