"""The few kinds of facts that a population has, each told apart by what decides its rows."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from math import ceil, floor

import polars as pl

from scoring.dates import add_days
from scoring.population.frames import MICRO
from scoring.regulation.table import Table

#: Stands between the words of a list in a key; a word that holds it is the engine's.
SEPARATOR = "\x1f"
#: A fine has 18 digits at most; so many millionths lie beyond any.
LARGEST_FINE = Decimal(10**18)


def keys(facts: pl.DataFrame, table: Table) -> pl.Series:
    """One number for each kind: item, type, codes, words, the place of the fine and of the day."""
    parts = (
        _numbers(facts["item"]),
        facts["type"].to_physical(),
        *_of_list(facts["types"]),
        *_of_list(facts["codes"]),
        _places(facts["fine_wan"].to_physical().cast(pl.Int64), _amounts(table)),
        _places(facts["decided_on"], _days(table)),
    )
    return combined(parts)


def combined(parts: Sequence[pl.Series], most: int = 2**63) -> pl.Series:
    """Equal rows of several small numbers by equal numbers below `most`."""
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
    """The place of each number among the different ones, in the order in which they come."""
    different = key.gather(key.arg_unique())
    places = pl.int_range(len(different), dtype=pl.UInt32, eager=True)
    return key.replace_strict(different, places, return_dtype=pl.UInt32)


def _highest(numbers: pl.Series) -> int:
    highest = numbers.max()
    return highest if isinstance(highest, int) else 0


def _numbers(texts: pl.Series) -> pl.Series:
    """Equal texts by equal small numbers."""
    return texts.cast(pl.Categorical(pl.Categories.random())).to_physical()


def _of_list(lists: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Equal lists of words by equal pairs of numbers."""
    sizes = lists.list.len()
    if not sizes.max():
        return sizes, pl.zeros(len(sizes), pl.UInt32, eager=True)
    return sizes, _numbers(lists.list.join(SEPARATOR, ignore_nulls=False))


def _places(values: pl.Series, passed: Sequence[pl.Expr]) -> pl.Series:
    """How many of these ends each value of `end` has passed; null where there is none."""
    if not passed:
        return pl.zeros(len(values), pl.UInt32, eager=True)
    total = pl.sum_horizontal(one.cast(pl.UInt32) for one in passed)
    there = pl.when(pl.col("end").is_not_null()).then(total)
    return values.to_frame("end").select(there.alias("place"))["place"]


def _amounts(table: Table) -> list[pl.Expr]:
    """That a fine, in millionths of 万元, has reached an end of an amount, and passed it."""
    amounts = [row.match.amount for row in table.rows if row.match.amount is not None]
    ends = {place[0] for one in amounts for place in (one.lower, one.upper) if place}
    cuts = [min(end.scaleb(MICRO), LARGEST_FINE) for end in ends]
    fine = pl.col("end")
    return [end for cut in cuts for end in (fine >= ceil(cut), fine > floor(cut))]


def _days(table: Table) -> list[pl.Expr]:
    """That a decision lies on or after a day on which what is matched may change."""
    ranges = [row.match.decided for row in table.rows if row.match.decided is not None]
    days: set[date | None] = {one.first for one in ranges}
    days |= {add_days(one.last, 1) for one in ranges if one.last is not None}
    return [pl.col("end") >= day for day in days if day is not None]
