"""The same million rows against a million by Polars 对照: keys joined, columns compared as texts.

It reads nothing from a store, normalises nothing and says no cause: a lower bound of what the rows
cost in a library for tables.
"""

import time
from typing import Any

import polars as pl

from tests.benchmarks.data import penalty
from tests.benchmarks.reconcile import DECISIONS, FOREIGN, HIDDEN, WRONG

_COLUMNS = {name: str(value) for name, value in penalty(0).items() if name != "CF_WSH"}


def peer() -> dict[str, Any]:
    """Measure the join and the comparison of two tables in memory; check what they find."""
    ours, shown = _table(), _shown()
    start = time.perf_counter()
    joined = ours.join(shown, on="CF_WSH", how="full", suffix="_shown")
    missing = joined.filter(pl.col("CF_WSH_shown").is_null()).height
    strange = joined.filter(pl.col("CF_WSH").is_null()).height
    both = joined.filter(pl.col("CF_WSH_shown").is_not_null() & pl.col("CF_WSH").is_not_null())
    differs = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_shown") for name in _COLUMNS)
    wrong = both.filter(differs).height
    seconds = time.perf_counter() - start
    if (missing, strange, wrong) != (DECISIONS // HIDDEN, DECISIONS // FOREIGN, DECISIONS // WRONG):
        raise SystemExit(f"{missing} missing, {strange} strange, {wrong} wrong")
    return {"reconcile_polars_s": round(seconds, 1)}


def _table() -> pl.DataFrame:
    numbers = pl.DataFrame({"n": range(1, DECISIONS + 1)})
    named = pl.format("样环罚字〔2026〕{}号", "n").alias("CF_WSH")
    return numbers.select(named, *(pl.lit(value).alias(name) for name, value in _COLUMNS.items()))


def _shown() -> pl.DataFrame:
    numbers = pl.DataFrame({"n": range(1, DECISIONS + DECISIONS // FOREIGN + 1)})
    named = pl.format("样环罚字〔2026〕{}号", "n").alias("CF_WSH")
    rows = numbers.select(
        "n", named, *(pl.lit(value).alias(name) for name, value in _COLUMNS.items())
    )
    fine = pl.when((pl.col("n") % WRONG == 1) & (pl.col("n") <= DECISIONS))
    wrong = fine.then(pl.lit("3.0")).otherwise(pl.col("CF_NR_FK")).alias("CF_NR_FK")
    hidden = (pl.col("n") % HIDDEN == 0) & (pl.col("n") <= DECISIONS)
    return rows.filter(~hidden).with_columns(wrong).drop("n")
