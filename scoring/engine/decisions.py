"""One decision that names a legal person and its branches 分支机构 is one at the legal person."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from schemas.fines import FINE
from schemas.identifiers import authority_key, document_number_key
from scoring.engine.count import is_known, start_of
from scoring.engine.counted_rows import turning_days
from scoring.engine.prepared import PreparedTable
from scoring.engine.prepared_rows import stop, valid_from
from scoring.engine.repair import Conduct, When, lasting
from scoring.engine.tariff import Hit
from scoring.facts import Fact, Penalty

#: Finds the table by which a fact counts; None: there is none.
TableOf = Callable[[Fact], PreparedTable | None]


def once_each(
    facts: tuple[Fact, ...], table_of: TableOf, when: When
) -> tuple[tuple[Fact, ...], list[date]]:
    """Return the facts, those of one decision about several subjects as one, and days of change.

    Points are taken for different conduct (附件1备注: 不同的环境违法违规行为，按次扣分), so the
    decision counts once, with all that it imposed and the sum of its fines. Each subject's part
    begins and ends by its own days: creation, validity, confirmation, warning and repair, with the
    wait for the points that it would take alone. So a further part never takes points off.
    """
    if all(fact.branch is None for fact in facts):
        return facts, []
    decisions = by_decision(facts)
    several = [parts for parts in decisions if len(parts) > 1]
    ones = {parts[0].id: parts[0] for parts in decisions if len(parts) == 1}
    for parts in several:
        ones |= {one.id: one for one in _joined(parts, table_of(parts[0]), when)}
    turns = (_turns(part, table_of(parts[0])) for parts in several for part in parts)
    days = [day for of_part in turns for day in of_part if day > when.as_of]
    return tuple(ones[fact.id] for fact in facts if fact.id in ones), days


def by_decision(facts: Iterable[Fact]) -> list[list[Fact]]:
    """Return the facts of each decision; what is about the subject itself stands first."""
    facts = tuple(facts)
    if all(fact.branch is None for fact in facts):
        return [[fact] for fact in facts]
    together: dict[object, list[Fact]] = {}
    for fact in facts:
        together.setdefault(_decision(fact), []).append(fact)
    return [sorted(parts, key=lambda fact: fact.branch is not None) for parts in together.values()]


def _decision(fact: Fact) -> object:
    """Return what is equal for facts of one decision: number, authority and day; else its id.

    Of an event, whose number says less, all that counts must be equal.
    """
    number, authority = fact.document_number, fact.department
    if number is None or fact.received is not None:
        return fact.id
    said = document_number_key(number), fact.decided_on, fact.item, fact.type
    if fact.penalty is None:
        points = fact.codes, fact.principal_points, fact.stated_points, fact.self_reported
        return *said, authority_key(authority or ""), points
    return fact.id if authority is None else (*said, authority_key(authority))


def _joined(parts: Sequence[Fact], table: PreparedTable | None, when: When) -> list[Fact]:
    """Return what is left of the parts as one for each site; the first, which is over, if nothing.

    Sites are scored apart (note c09). Where the site of a part that is left is not known, it counts
    at every site, and the whole decision with it (note r26). A part that cannot be counted, such as
    a fine without its amount, is what the subject is not evaluated for.
    """
    left = list(_left(parts, table, when))
    refused = [one for one in left if table is not None and table.match(one).refusal is not None]
    if refused or not left:
        return [(refused or parts)[0]]
    known = [one.site for one in left]
    sites: dict[str | None, list[Fact]]
    sites = {None: left} if None in known else {at: _at(left, at) for at in known}
    ones = [_one(parts[0] if at is None else _at(parts, at)[0], sites[at], at) for at in sites]
    if table is None or table.activation is None:
        return ones
    # All that is left is in effect: the part that was created last says the days of the rows.
    latest = (max(sites[at], key=lambda part: part.created_on or part.decided_on) for at in sites)
    return [replace(one, created_on=of.created_on) for one, of in zip(ones, latest, strict=True)]


def _at(parts: Iterable[Fact], site: str | None) -> list[Fact]:
    return [part for part in parts if part.site == site]


def _one(first: Fact, left: Sequence[Fact], site: str | None) -> Fact:
    """Return these parts as one, whose id stays that of the first, whatever is left."""
    imposed = [part.penalty for part in left if part.penalty is not None]
    types = dict.fromkeys(word for one in imposed for word in one.types)
    fines: list[Decimal] = [one.fine_wan for one in imposed if one.fine_wan is not None]
    fine = sum(fines, start=Decimal(0)) if fines else None
    one = replace(
        left[0],
        id=first.id,
        penalty=Penalty(tuple(types), fine) if imposed else None,
        codes=tuple(dict.fromkeys(code for part in left for code in part.codes)),
        stated_points=max(filter(None, (part.stated_points for part in left)), default=None),
        site=site,
        parts=tuple(part.id for part in left),
    )
    if all(_process(part) == _process(one) for part in left):
        return one
    # What these days ended has been left out, and they must end nothing of the other parts.
    return replace(
        one, rectified_on=None, repair_applied_on=None, repair_confirmed_on=None, warning_until=None
    )


def _process(fact: Fact) -> object:
    return fact.rectified_on, fact.repair_applied_on, fact.repair_confirmed_on, fact.warning_until


def _turns(fact: Fact, table: PreparedTable | None) -> Iterator[date]:
    """Yield the days on which a part may begin or cease to count."""
    start = None if table is None else start_of(fact, table.activation)
    if table is None or start is None:
        return
    days = (*turning_days(fact, table.match(fact).hits, start, table), fact.confirmed_on)
    yield from (day for day in days if day is not None)


def _left(parts: Iterable[Fact], table: PreparedTable | None, when: When) -> Iterator[Fact]:
    """Yield the parts of which something counts on the day, without what does not."""
    if table is None:
        yield from parts
        return
    for part in parts:
        start = start_of(part, table.activation)
        if start is None or start > when.as_of or not is_known(part, table, when):
            continue
        found = table.match(part)
        over = [hit for hit in found.hits if _is_over(part, hit, table, when)]
        counting = [hit for hit in found.hits if hit not in over]
        if not over or found.refusal is not None:
            yield part
        elif counting:
            yield _without(part, over, counting)


def _is_over(fact: Fact, hit: Hit, table: PreparedTable, when: When) -> bool:
    """Whether neither the points nor the grade of a row of a part, which is in effect, count."""
    row, start = hit.row, start_of(fact, table.activation) or date.max
    points, validity = row.terms_for(fact)
    conduct = Conduct(row.warnable, row.repairable, points or Decimal(0))
    since = valid_from(fact, start, table.activation)
    ends = [validity] if row.mark is None else [validity, row.mark.validity or validity]
    spans = (lasting(fact, start, stop(end, fact, since), conduct, row.waits) for end in ends)
    return not any(span.covers(when) for span in spans)


def _without(fact: Fact, over: Sequence[Hit], counting: Sequence[Hit]) -> Fact:
    """Return the part without the words, the codes and the fine of rows that do not count."""
    gone = _named(over) - _named(counting)
    codes = tuple(code for code in fact.codes if code not in gone)
    if fact.penalty is None:
        return replace(fact, codes=codes)
    types = tuple(word for word in fact.penalty.kinds if word not in gone)
    fined = _by_amount(counting) or not (FINE in gone or _by_amount(over))
    penalty = Penalty(types, fact.penalty.fine_wan if fined else None)
    return replace(fact, codes=codes, penalty=penalty)


def _by_amount(hits: Iterable[Hit]) -> bool:
    return any(hit.row.amount is not None for hit in hits)


def _named(hits: Iterable[Hit]) -> set[str]:
    """Return the words and codes that hit rows; the words of one row stand in one value."""
    values = [hit.values.get(name, "") for hit in hits for name in ("penalty", "code")]
    return {word for value in values for word in value.split("、")}
