"""The days on which a row of a fact counts, in columns; the same as scoring.engine.repair."""

from collections.abc import Iterable

import polars as pl

from scoring.population.frames import LAST_DAY
from scoring.regulation.table import ActivationDelay


def within_calendar(day: pl.Expr) -> pl.Expr:
    """Return the day, or null if it is after year 9999."""
    return pl.when(day <= LAST_DAY).then(day)


def days_later(day: pl.Expr, days: int) -> pl.Expr:
    """Return the day so many days later; null after year 9999."""
    return within_calendar(day.dt.offset_by(f"{days}d"))


def months_later(day: pl.Expr, months: pl.Expr, known: Iterable[int]) -> pl.Expr:
    """Return the same day so many months later, or that month's last day.

    `known` must contain every value of `months`.
    """
    found = pl.lit(None, pl.Date)
    for number in known:
        later = within_calendar(day.dt.offset_by(f"{number}mo"))
        found = pl.when(months == number).then(later).otherwise(found)
    return found


def start_of(activation: ActivationDelay | None) -> pl.Expr:
    """Return the day on which a fact takes effect, never before its decision."""
    decided = pl.col("decided_on")
    if activation is None:
        return decided
    later = days_later(_counted_from(activation), activation.days)
    return pl.when(later.is_not_null()).then(pl.max_horizontal(later, decided))


def valid_from(activation: ActivationDelay | None) -> pl.Expr:
    """Return the day from which months of validity count."""
    if activation is None or activation.validity_from == "effect":
        return start_of(activation)
    return pl.max_horizontal(_counted_from(activation), "decided_on")


def _counted_from(activation: ActivationDelay) -> pl.Expr:
    decided = pl.col("decided_on")
    created = pl.coalesce("created_on", decided)
    return created if activation.counted_from == "created_on" else decided


def with_spans(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the days `begin` (null: never counts) and `stop` (null: no end) to the rows."""
    free = months_later(pl.col("rectified_on"), pl.col("wait"), _different(rows["wait"]))
    lapsed = months_later(pl.col("valid_from"), pl.col("months"), _different(rows["months"]))
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
    """Return whether a row counts on that day."""
    begun = pl.col("begin").is_not_null() & (pl.col("begin") <= day)
    return begun & (pl.col("stop").is_null() | (day < pl.col("stop")))


def next_change(day: pl.Expr) -> pl.Expr:
    """Return the first later day on which the row starts or stops counting, or null."""
    begin, stop = pl.col("begin"), pl.col("stop")
    counts = begin.is_not_null() & (stop.is_null() | (stop > begin))
    coming = pl.when(begin > day).then(begin).otherwise(pl.when(stop > day).then(stop))
    return pl.when(counts).then(coming)


def _different(numbers: pl.Series) -> list[int]:
    return sorted(numbers.drop_nulls().unique())


def _begin() -> pl.Expr:
    """Return the first counting day: after a warning, or never if rectified during the warning."""
    until = pl.col("warning_until")
    after = days_later(until, 1)
    late = pl.col("rectified_on").is_null() | (pl.col("rectified_on") > until)
    warned = pl.when(late & after.is_not_null()).then(pl.max_horizontal("start", after))
    is_warned = pl.col("warnable") & (until >= pl.col("decided_on")).fill_null(value=False)
    return pl.when(is_warned).then(warned).otherwise("start")


def _repaired() -> pl.Expr:
    """Return the day of a valid confirmation, or null; see scoring.engine.repair.repaired_on."""
    free = pl.when(pl.col("free").is_not_null()).then(pl.max_horizontal("free", "decided_on"))
    applied = pl.col("repair_applied_on")
    confirmed = pl.col("repair_confirmed_on")
    in_order = applied.is_null() | ((free <= applied) & (applied <= confirmed))
    return pl.when(free.is_not_null() & (confirmed >= free) & in_order).then(confirmed)
