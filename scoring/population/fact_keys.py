"""Group facts into kinds: facts with equal keys hit the same rows of the tariff."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from math import ceil, floor

import polars as pl

from scoring.dates import add_days
from scoring.population.frames import MICRO
from scoring.regulation.table import Table

#: Separates the words of a list in a key; facts with this character in a word are odd.
SEPARATOR = "\x1f"
#: More millionths than any fine has (a fine has at most 18 digits).
LARGEST_FINE = Decimal(10**18)
#: An amount is a fine, whatever the words name (see schemas.fines).
_IS_FINE = pl.col("end") > 0


def keys(facts: pl.DataFrame, table: Table) -> pl.Series:
    """Return one number per fact; it is equal for facts of one kind.

    A kind has the same item, type, codes and words, and the fine and the decision day lie between
    the same edges of the table.
    """
    parts = (
        _numbers(facts["item"]),
        facts["type"].to_physical(),
        *_of_list(facts["types"]),
        *_of_list(facts["codes"]),
        _places(facts["fine_wan"].to_physical().cast(pl.Int64), [_IS_FINE, *_amounts(table)]),
        _places(facts["decided_on"], _days(table)),
    )
    return combined(parts)


def combined(parts: Sequence[pl.Series], most: int = 2**63) -> pl.Series:
    """Combine several columns of small numbers into one number below `most` per row.

    Equal rows get equal numbers, and different rows get different ones.
    """
    key, size = pl.zeros(len(parts[0]), pl.UInt64, eager=True), 1
    for part in parts:
        numbers = part.cast(pl.UInt64) + 1
        count = 1 + (_highest(numbers) if numbers.null_count() < len(numbers) else 0)
        if size * count > most:
            key = dense(key).cast(pl.UInt64)
            size = _highest(key) + 1
        if count > 1:
            key = key * count + numbers.fill_null(0)
            size *= count
    return key


def dense(key: pl.Series) -> pl.Series:
    """Replace each number by its index among the distinct numbers, in order of appearance."""
    different = key.gather(key.arg_unique())
    places = pl.int_range(len(different), dtype=pl.UInt32, eager=True)
    return key.replace_strict(different, places, return_dtype=pl.UInt32)


def _highest(numbers: pl.Series) -> int:
    highest = numbers.max()
    return highest if isinstance(highest, int) else 0


def _numbers(texts: pl.Series) -> pl.Series:
    """Replace texts by small numbers; equal texts get equal numbers."""
    return texts.cast(pl.Categorical(pl.Categories.random())).to_physical()


def _of_list(lists: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Replace lists of words by pairs of numbers; equal lists get equal pairs."""
    sizes = lists.list.len()
    if not sizes.max():
        return sizes, pl.zeros(len(sizes), pl.UInt32, eager=True)
    return sizes, _numbers(lists.list.join(SEPARATOR, ignore_nulls=False))


def _places(values: pl.Series, passed: Sequence[pl.Expr]) -> pl.Series:
    """Return how many of the conditions `passed` each value meets; null for a null value."""
    if not passed:
        return pl.zeros(len(values), pl.UInt32, eager=True)
    total = pl.sum_horizontal(one.cast(pl.UInt32) for one in passed)
    there = pl.when(pl.col("end").is_not_null()).then(total)
    return values.to_frame("end").select(there.alias("place"))["place"]


def _amounts(table: Table) -> list[pl.Expr]:
    """Return conditions: a fine (millionths of 万元) reaches, or exceeds, an end of an amount."""
    amounts = [row.match.amount for row in table.rows if row.match.amount is not None]
    ends = {place[0] for one in amounts for place in (one.lower, one.upper) if place}
    cuts = [min(end.scaleb(MICRO), LARGEST_FINE) for end in ends]
    fine = pl.col("end")
    return [end for cut in cuts for end in (fine >= ceil(cut), fine > floor(cut))]


def _days(table: Table) -> list[pl.Expr]:
    """Return conditions: a decision is on or after a date edge of the table's matches."""
    ranges = [row.match.decided for row in table.rows if row.match.decided is not None]
    days: set[date | None] = {one.first for one in ranges}
    days |= {add_days(one.last, 1) for one in ranges if one.last is not None}
    return [pl.col("end") >= day for day in days if day is not None]
