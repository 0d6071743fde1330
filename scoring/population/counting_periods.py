"""From when until when a row of a fact counts, as scoring.repair says it, in columns."""

from collections.abc import Iterable

import polars as pl

from scoring.population.frames import LAST_DAY
from scoring.regulation.table import Activation


def within_calendar(day: pl.Expr) -> pl.Expr:
    """The day, or null where it lies beyond the calendar."""
    return pl.when(day <= LAST_DAY).then(day)


def days_later(day: pl.Expr, days: int) -> pl.Expr:
    """The day so many days later; null beyond the calendar."""
    return within_calendar(day.dt.offset_by(f"{days}d"))


def months_later(day: pl.Expr, months: pl.Expr, known: Iterable[int]) -> pl.Expr:
    """The corresponding day months later, or that month's last; `known` are all the months."""
    found = pl.lit(None, pl.Date)
    for number in known:
        later = within_calendar(day.dt.offset_by(f"{number}mo"))
        found = pl.when(months == number).then(later).otherwise(found)
    return found


def start_of(activation: Activation | None) -> pl.Expr:
    """The day on which a fact takes effect, not before its decision."""
    decided = pl.col("decided_on")
    if activation is None:
        return decided
    created = pl.coalesce("created_on", decided)
    counted_from = created if activation.counted_from == "created_on" else decided
    later = days_later(counted_from, activation.days)
    return pl.when(later.is_not_null()).then(pl.max_horizontal(later, decided))


def with_spans(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the days `begin` (null: never) and `stop` (null: without end)."""
    free = months_later(pl.col("rectified_on"), pl.col("wait"), _different(rows["wait"]))
    lapsed = months_later(pl.col("start"), pl.col("months"), _different(rows["months"]))
    year_end = within_calendar(pl.col("decided_on").dt.truncate("1y").dt.offset_by("1y"))
    return (
        rows.with_columns(
            free=pl.when(pl.col("repairable")).then(free),
            lapsed=pl.when(pl.col("year_end")).then(year_end).otherwise(lapsed),
        )
        .with_columns(begin=_begin(), repaired=_repaired())
        .with_columns(stop=pl.min_horizontal("lapsed", "repaired"))
        .drop("free", "lapsed", "repaired")
    )


def covers(day: pl.Expr) -> pl.Expr:
    """Whether a row counts on that day."""
    begun = pl.col("begin").is_not_null() & (pl.col("begin") <= day)
    return begun & (pl.col("stop").is_null() | (day < pl.col("stop")))


def next_change(day: pl.Expr) -> pl.Expr:
    """The first day after this one on which the row starts or ceases to count, or null."""
    begin, stop = pl.col("begin"), pl.col("stop")
    counts = begin.is_not_null() & (stop.is_null() | (stop > begin))
    coming = pl.when(begin > day).then(begin).otherwise(pl.when(stop > day).then(stop))
    return pl.when(counts).then(coming)


def _different(numbers: pl.Series) -> list[int]:
    return sorted(numbers.drop_nulls().unique())


def _begin() -> pl.Expr:
    """A warning suspends up to its last day, and for ever if it was rectified within it."""
    until = pl.col("warning_until")
    after = days_later(until, 1)
    late = pl.col("rectified_on").is_null() | (pl.col("rectified_on") > until)
    warned = pl.when(late & after.is_not_null()).then(pl.max_horizontal("start", after))
    return pl.when(pl.col("warnable") & until.is_not_null()).then(warned).otherwise("start")


def _repaired() -> pl.Expr:
    """The confirmation, where neither it nor the application came before the wait had ended."""
    free, applied = pl.col("free"), pl.col("repair_applied_on")
    confirmed = pl.col("repair_confirmed_on")
    in_order = applied.is_null() | ((free <= applied) & (applied <= confirmed))
    return pl.when(free.is_not_null() & (confirmed >= free) & in_order).then(confirmed)
