"""Find the rows that each kind of fact hits, by matching one example with the tariff."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.codes import EventType
from scoring.engine.prepared import PreparedTable
from scoring.engine.prepared_rows import Mark, Row
from scoring.engine.tally import ZERO
from scoring.engine.tariff import Hits
from scoring.facts import Fact, Penalty, Received
from scoring.population.fact_keys import SEPARATOR, dense, keys
from scoring.population.frames import ONE, micro
from scoring.regulation.table import Table
from scoring.regulation.terms import Validity

#: Ranks are 0 for the best grade and rise; these values mean "no veto" and "no promotion".
NO_VETO, NO_LIFT = -1, 127
PER_DECISION = "per_decision"

KINDS = pl.Schema(
    {
        "plain": pl.Boolean(),  #: see Hits.plain
        "points": pl.Int64(),  #: sum of all rows; valid only if the kind is plain
        "rank": pl.Int8(),  #: rank of the worst veto
        "lift": pl.Int8(),  #: rank of the best promotion
        "refusal": pl.String(),  #: the reason text; without the fact id if `about_fact`
        "about_fact": pl.Boolean(),  #: the id of the fact must be appended to `refusal`
        "source": pl.String(),  #: field of the fact that gives the points
        "unmapped": pl.Boolean(),
        "odd": pl.Boolean(),
    }
)
#: A row of the tariff that a kind of fact hits, for decisions between two days. A row whose grade
#: has its own validity becomes two rows.
HITS = pl.Schema(
    {
        "kind": pl.UInt32(),
        "item": pl.String(),
        "points": pl.Int64(),
        "rank": pl.Int8(),
        "lift": pl.Int8(),
        "months": pl.Int32(),  #: months of validity
        "year_end": pl.Boolean(),
        "wait": pl.Int32(),  #: months to wait for a repair, if the points are printed
        "factor": pl.Int64(),  #: multiplies the points stated by the fact, in millionths
        "source": pl.String(),
        "repairable": pl.Boolean(),
        "warnable": pl.Boolean(),
        "bonus": pl.Boolean(),
        "latest": pl.Boolean(),
        "limit": pl.Boolean(),  #: the row is the change that the limit makes to a plain decision
        "decided_from": pl.Date(),
        "decided_before": pl.Date(),
    }
)


_NOTHING = dict.fromkeys(HITS) | {
    "rank": NO_VETO, "lift": NO_LIFT, "year_end": False, "repairable": False, "warnable": False,
    "bonus": False, "latest": False, "limit": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kind number of each fact, the kinds (KINDS), and the rows that they hit (HITS)."""

    of_fact: pl.Series
    kinds: pl.DataFrame
    hits: pl.DataFrame


def kinds_of(facts: pl.DataFrame, entry: PreparedTable, table: Table, odd: frozenset[str]) -> Kinds:
    """Group the facts into kinds and match one fact of each kind with the tariff."""
    key = keys(facts, table)
    kinds: list[tuple[Any, ...]] = []
    hits: list[dict[str, Any]] = []
    columns = ("decided_on", "item", "type", "types", "fine_wan", "codes")
    for number, row in enumerate(facts[key.arg_unique()].select(columns).iter_rows()):
        fact = _example(row)
        found = entry.tariff.match(fact)
        is_odd = _is_odd(fact, found, odd)
        limit = None if is_odd else _limit(found, entry)
        kinds.append((*_sums(found, limit), *_refusal(found), *_signs(found), is_odd))
        if not is_odd:
            hits += [
                {**_NOTHING, "kind": number, **values} for values in _hits(found, entry, limit)
            ]
    return Kinds(
        dense(key),
        pl.DataFrame(kinds, schema=KINDS, orient="row"),
        pl.DataFrame(hits, schema=HITS, orient="row"),
    )


def _example(row: tuple[Any, ...]) -> Fact:
    """Build an example fact; the empty received grade keeps a fact without a type valid."""
    decided_on, item, type_, types, fine, codes = row
    return Fact(
        "",
        decided_on,
        item,
        None if type_ is None else EventType(type_),
        None if types is None else Penalty(tuple(types), fine),
        codes=tuple(codes),
        received=Received("", ""),
    )


def _is_odd(fact: Fact, found: Hits, odd: frozenset[str]) -> bool:
    """Return whether the facts of this kind must go to the row engine."""
    words = (*fact.codes, *(fact.penalty.types if fact.penalty is not None else ()))
    rows = [hit.row for hit in found.hits]
    return (
        any(SEPARATOR in word for word in words)
        or len({row.source for row in rows if row.source is not None}) > 1
        or any(row.item in odd or not _is_exact(row) for row in rows)
    )


def _is_exact(row: Row) -> bool:
    factor = micro(row.factor)
    points = [row.points, *(dated.points for dated in row.dated)]
    exact = all(one is None or micro(one) is not None for one in points)
    if row.source is not None and row.mark is not None and row.mark.validity is not None:
        return False
    return exact and factor is not None and abs(factor) <= ONE


def _sums(found: Hits, limit: int | None) -> tuple[bool, int, int, int]:
    rows = [hit.row for hit in found.hits]
    points = sum(micro(row.points) or 0 for row in rows if row.points is not None)
    marks = [row.mark for row in rows if row.mark is not None]
    rank = max((mark.rank for mark in marks if not mark.promotes), default=NO_VETO)
    lift = min((mark.rank for mark in marks if mark.promotes), default=NO_LIFT)
    return found.plain, points + (limit or 0), rank, lift


def _refusal(found: Hits) -> tuple[str | None, bool]:
    if found.refusal is None:
        return None, False
    reason, about = found.refusal
    return f"{reason.value}:{about or ''}", about is None


def _signs(found: Hits) -> tuple[str | None, bool]:
    sources = [hit.row.source.value for hit in found.hits if hit.row.source is not None]
    return (sources[0] if sources else None), bool(found.unmapped)


def _limit(found: Hits, entry: PreparedTable) -> int | None:
    """Return what the decision limit adds to a plain decision, in millionths, or None."""
    range_ = entry.caps.per_decision
    if range_ is None or not found.plain:
        return None
    rows = [hit.row for hit in found.hits if not hit.row.bonus and hit.row.points is not None]
    taken = sum((row.points or ZERO for row in rows), start=ZERO)
    size = max(abs(taken), range_.at_least or ZERO)
    size = size if range_.at_most is None else min(size, range_.at_most)
    return micro(size.copy_sign(taken) - taken) if taken != ZERO else None


def _hits(found: Hits, entry: PreparedTable, limit: int | None) -> Iterable[dict[str, Any]]:
    for hit in found.hits:
        row, mark = hit.row, hit.row.mark
        apart = mark is not None and mark.validity is not None
        for values in _periods(row, entry):
            yield values | ({} if mark is None or apart else _marked(mark))
            if mark is not None and apart:
                yield values | _marked(mark) | _lasting(mark.validity) | _WITHOUT_POINTS
    if limit:
        yield {"item": PER_DECISION, "points": limit, "limit": True}


def _periods(row: Row, entry: PreparedTable) -> Iterable[dict[str, Any]]:
    """Yield the row once per period of decision days, with its points and validity then."""
    starts = [None, *(dated.decided_from for dated in row.dated)]
    terms = [(row.points, row.validity)]
    for dated in row.dated:
        terms.append((dated.points, dated.validity or terms[-1][1]))
    for begin, end, (points, validity) in zip(starts, [*starts[1:], None], terms, strict=True):
        waits = row.repairable and row.source is None
        yield _lasting(validity) | {
            "item": row.item,
            "points": None if points is None else micro(points),
            "wait": entry.waits.wait(points or ZERO)[0] if waits else None,
            "factor": micro(row.factor),
            "source": None if row.source is None else row.source.value,
            "repairable": row.repairable,
            "warnable": row.warnable,
            "bonus": row.bonus,
            "latest": row.latest,
            "decided_from": begin,
            "decided_before": end,
        }


def _lasting(validity: Validity | None) -> dict[str, Any]:
    months = None if validity is None else validity.months
    return {"months": months, "year_end": validity is not None and months is None}


def _marked(mark: Mark) -> dict[str, Any]:
    return {"lift": mark.rank} if mark.promotes else {"rank": mark.rank}


_WITHOUT_POINTS = {"points": None, "source": None}
