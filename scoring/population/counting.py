"""Count the subjects of one table in columns, as scoring.engine.count does fact by fact."""

from datetime import date
from functools import cached_property

import polars as pl

from scoring.engine.prepared import PreparedTable
from scoring.population.counting_periods import (
    covers,
    next_change,
    start_of,
    valid_from,
    with_spans,
)
from scoring.population.fact_kinds import NO_LIFT, NO_VETO, PER_DECISION, Kinds
from scoring.population.frames import micro
from scoring.population.stated_points import is_odd, lacking, with_brought

_TOUCHING = ("rectified_on", "warning_until", "repair_confirmed_on", "grade")
_SUMS = ["subject", "points", "rank", "lift"]
_ROWS = ["subject", "id", "decided_on", "item", "points", "rank", "lift"]


class Counting:
    """Counts the facts of one table's subjects on a day.

    Results are invalid for the subjects in `odd`: assess those with the row engine.
    """

    def __init__(
        self, facts: pl.DataFrame, kinds: Kinds, entry: PreparedTable, as_of: date
    ) -> None:
        """Prepare the facts; each method counts only when it is called."""
        self._kinds = kinds
        self._entry = entry
        self._as_of = pl.lit(as_of)
        self._facts = facts.drop("item", "type", "types", "fine_wan", "codes").with_columns(
            kind=kinds.of_fact,
            start=start_of(entry.activation),
            valid_from=valid_from(entry.activation),
        )

    @property
    def odd(self) -> pl.Series:
        """The subjects that columns cannot count, for the row engine."""
        brought = is_odd(self._of_kind("source"))
        come = pl.col("grade").is_not_null()
        odd = self._facts.lazy().filter(self._of_kind("odd") | brought | come | self._is_waiting)
        found = [odd.select("subject").collect()["subject"], self._silent, self._several]
        found.append(self._spans.filter(pl.col("inexact"))["subject"])
        return pl.concat(found).unique()

    def tally(self) -> pl.DataFrame:
        """Return for each subject the sum of points, the worst veto and the best promotion."""
        names = {name: self._of_kind(name) for name in ("points", "rank", "lift")}
        rows = self._facts.lazy().filter(self._plain).select("subject", **names).collect()
        if self._others.height:
            rows = pl.concat([rows, self._others.select(_SUMS)])
        return rows.group_by("subject").agg(
            pl.col("points").sum(), pl.col("rank").max(), pl.col("lift").min()
        )

    def refusals(self) -> pl.DataFrame:
        """Return why subjects cannot be evaluated: the reason from their first refused fact."""
        own = pl.when(self._of_kind("about_fact")).then("id").otherwise(pl.lit(""))
        reason = pl.coalesce(self._of_kind("refusal") + own, self._lacking + ":" + pl.col("id"))
        found = self._facts.lazy().filter(self._effective & self._refused)
        return (
            found.with_columns(reason=reason)
            .sort("subject", "decided_on", "id")
            .group_by("subject", maintain_order=True)
            .agg(pl.col("reason").first())
            .collect()
        )

    def changes(self) -> pl.DataFrame:
        """Return for each subject the first later day on which its result will change."""
        days = pl.concat(
            [
                self._spans.select("subject", day=next_change(self._as_of)),
                self._facts.filter(self._tells).select("subject", day="start"),
            ]
        )
        return days.drop_nulls().group_by("subject").agg(pl.col("day").min())

    def rows(self) -> pl.DataFrame:
        """Return every row that counts, with its subject, fact, points, veto and promotion."""
        plain = self._facts.filter(self._plain).join(self._kinds.hits, on="kind")
        return pl.concat([plain.select(_ROWS), self._others.select(_ROWS)])

    def _of_kind(self, name: str) -> pl.Expr:
        return pl.lit(self._kinds.kinds[name]).gather(pl.col("kind"))

    @property
    def _effective(self) -> pl.Expr:
        return (pl.col("start") <= self._as_of).fill_null(value=False)

    @property
    def _plain(self) -> pl.Expr:
        """Whether a fact is in effect and counts the same on every later day."""
        untouched = pl.all_horizontal(pl.col(_TOUCHING).is_null())
        return self._effective & untouched & self._of_kind("plain")

    @property
    def _lacking(self) -> pl.Expr:
        return lacking(self._of_kind("source"))

    @property
    def _refused(self) -> pl.Expr:
        return self._of_kind("refusal").is_not_null() | self._lacking.is_not_null()

    @property
    def _tells(self) -> pl.Expr:
        """Whether a future fact changes the result when it takes effect, even if no row counts."""
        return (pl.col("start") > self._as_of) & (self._of_kind("unmapped") | self._refused)

    @property
    def _is_waiting(self) -> pl.Expr:
        """Whether a fact is not yet in effect because of the activation delay.

        Its decision day may change the notes, so the row engine must look at it.
        """
        if self._entry.activation is None:
            return pl.lit(value=False)
        return pl.col("start").is_null() | (pl.col("start") > self._as_of)

    @property
    def _silent(self) -> pl.Series:
        """The subjects that have a future fact none of whose rows counts on its first day.

        Such a fact may still change the notes, so the row engine must look at it.
        """
        coming = self._facts.filter((pl.col("start") > self._as_of) & ~self._tells)
        seen = self._spans.filter(covers(pl.col("start")))
        return coming.join(seen, on="fact", how="anti")["subject"]

    @property
    def _several(self) -> pl.Series:
        """The subjects with several facts of a row where only the latest one counts."""
        hits = self._kinds.hits.filter(pl.col("latest")).select("kind", "item").unique()
        found = self._facts.select("subject", "kind").join(hits, on="kind")
        return found.filter(pl.struct("subject", "item").is_duplicated())["subject"]

    @cached_property
    def _spans(self) -> pl.DataFrame:
        """The rows of all facts that are not plain, with the days on which they count."""
        others = self._facts.filter(~self._plain & pl.col("start").is_not_null())
        decided = pl.col("decided_on")
        rows = others.join(self._kinds.hits, on="kind").filter(
            ~pl.col("limit"),
            pl.col("decided_from").is_null() | (pl.col("decided_from") <= decided),
            pl.col("decided_before").is_null() | (decided < pl.col("decided_before")),
        )
        return with_spans(with_brought(rows, self._entry))

    @cached_property
    def _others(self) -> pl.DataFrame:
        """The rows of facts that are not plain and count, and the changes by the decision limit."""
        rows = self._spans.filter(covers(self._as_of))
        range_ = self._entry.caps.per_decision
        if range_ is None:
            return rows.select(_ROWS)
        taken, size = pl.col("taken"), pl.col("taken").abs()
        if range_.at_least is not None:
            size = pl.max_horizontal(size, pl.lit(micro(range_.at_least)))
        if range_.at_most is not None:
            size = pl.min_horizontal(size, pl.lit(micro(range_.at_most)))
        decisions = rows.filter(~pl.col("bonus")).group_by("subject", "fact", "id", "decided_on")
        limits = decisions.agg(taken=pl.col("points").sum()).select(
            "subject", "id", "decided_on", item=pl.lit(PER_DECISION),
            points=size * taken.sign() - taken,
            rank=pl.lit(NO_VETO, pl.Int8), lift=pl.lit(NO_LIFT, pl.Int8),
        )  # fmt: skip
        return pl.concat([rows.select(_ROWS), limits.filter(pl.col("points") != 0)])
