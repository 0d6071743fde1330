"""Points that a fact states itself: points of the client, of the decision, of an indicator."""

import polars as pl

from schemas.credit import NotEvaluated
from scoring.engine.prepared import PreparedTable
from scoring.population.frames import LARGEST, ONE, from_micro
from scoring.regulation.terms import Source

_PRINCIPAL, _INDICATOR = Source.PRINCIPAL.value, Source.INDICATOR.value
_HUNDRED = 100 * ONE


def lacking(source: pl.Expr) -> pl.Expr:
    """Return why a fact lacks the points that its row needs, or null."""
    stated = pl.col("stated_points")
    principal = pl.when(pl.col("principal_points").is_null()).then(
        pl.lit(NotEvaluated.MISSING_PRINCIPAL_POINTS.value)
    )
    beyond = pl.when((source == _INDICATOR) & (_micros(stated) > _HUNDRED)).then(
        pl.lit(NotEvaluated.BEYOND_INDICATOR_SCALE.value)
    )
    other = pl.when(stated.is_null()).then(
        pl.lit(NotEvaluated.MISSING_STATED_POINTS.value)
    ).otherwise(beyond)  # fmt: skip
    return pl.when(source == _PRINCIPAL).then(principal).when(source.is_not_null()).then(other)


def is_odd(source: pl.Expr) -> pl.Expr:
    """Return whether the points stated by a fact are too large for columns."""
    large = pl.max_horizontal(
        _micros(pl.col(name)) for name in ("principal_points", "stated_points")
    )
    return source.is_not_null() & (large > LARGEST).fill_null(value=False)


def with_brought(rows: pl.DataFrame, entry: PreparedTable) -> pl.DataFrame:
    """Add the points stated by the facts and the repair wait of these points to the rows.

    `inexact` marks rows whose points are not a whole number of millionths.
    """
    source = pl.col("source")
    brought = pl.when(source == _PRINCIPAL).then(_micros(pl.col("principal_points"))).otherwise(
        _micros(pl.col("stated_points")) - pl.when(source == _INDICATOR).then(_HUNDRED).otherwise(0)
    )  # fmt: skip
    product = pl.when(source.is_not_null()).then(brought * pl.col("factor"))
    rows = rows.with_columns(product=product).with_columns(
        points=pl.when(source.is_not_null()).then(pl.col("product") // ONE).otherwise("points"),
        inexact=(pl.col("product") % ONE != 0).fill_null(value=False),
    )
    waiting = rows.filter(source.is_not_null() & pl.col("repairable"))["points"]
    different = waiting.drop_nulls().unique()
    waits = [entry.waits.wait(from_micro(number))[0] for number in different]
    own = pl.col("points").replace_strict(
        different, pl.Series(waits, dtype=pl.Int32), default=None, return_dtype=pl.Int32
    )
    return rows.with_columns(wait=pl.when(source.is_not_null()).then(own).otherwise("wait")).drop(
        "product"
    )


def _micros(column: pl.Expr) -> pl.Expr:
    return column.to_physical().cast(pl.Int64)
