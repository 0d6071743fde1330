"""One decision that names a legal person and its branches 分支机构 is one at the legal person."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec.structs import replace

from schemas.identifiers import authority_key, document_number_key
from scoring.facts import Fact, Penalty


def once_each(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return the facts, those of one decision about a legal person and its branches as one.

    Points are taken for different conduct (附件1备注: 不同的环境违法违规行为，按次扣分; note r16).
    The one that remains is the legal person's own, else the first, with all that was imposed.
    """
    found = list(facts)
    if all(fact.branch is None for fact in found):
        return tuple(found)
    together: dict[object, list[Fact]] = {}
    for fact in found:
        together.setdefault(_decision(fact), []).append(fact)
    ones = {same[0].id: _one(same) for same in map(_own_first, together.values())}
    return tuple(ones[fact.id] for fact in found if fact.id in ones)


def _decision(fact: Fact) -> object:
    """Return what is equal for facts of one decision: number, authority and day; else its id."""
    number, authority = fact.document_number, fact.department
    if fact.penalty is None or number is None or authority is None:
        return fact.id
    return document_number_key(number), authority_key(authority), fact.decided_on


def _own_first(same: list[Fact]) -> list[Fact]:
    return sorted(same, key=lambda fact: fact.branch is not None)


def _one(same: list[Fact]) -> Fact:
    first = same[0]
    if len(same) == 1:
        return first
    imposed = [fact.penalty for fact in same if fact.penalty is not None]
    types = dict.fromkeys(word for one in imposed for word in one.types)
    fines: list[Decimal] = [one.fine_wan for one in imposed if one.fine_wan is not None]
    return replace(first, penalty=Penalty(tuple(types), max(fines, default=None)))
