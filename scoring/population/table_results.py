"""Compute the results of one table's subjects from their counted facts."""

from functools import cached_property

import polars as pl

from scoring.engine.prepared import PreparedTable
from scoring.facts import plain
from scoring.population.counting import Counting
from scoring.population.fact_kinds import NO_LIFT, NO_VETO, PER_DECISION
from scoring.population.frames import from_micro, micro

#: The order of the trace.
_DEDUCTION, _LIMIT, _VETO, _PROMOTION = range(4)
_ORDER = ["subject", "act", "decided_on", "id", "limit", "item"]
#: Sorts the row of a decision limit after the other rows of the decision.
_IS_LIMIT = pl.col("item") == PER_DECISION


class Part:
    """The subjects of one table that columns can count, and their counting."""

    def __init__(
        self, rows: pl.Series, names: pl.Series, counting: Counting, entry: PreparedTable
    ) -> None:
        """Take the row numbers and ids of the subjects; none of them may be in `counting.odd`."""
        self._rows = rows.alias("subject")
        self._names = names
        self._counting = counting
        self._entry = entry

    def results(self) -> pl.DataFrame:
        """Return score, grade, veto, reason and day of change for each subject's row number."""
        frame = _joined(self._graded(), self._counting.refusals(), "not_evaluated", pl.String())
        frame = _joined(frame, self._counting.changes(), "changes_on", pl.Date())
        evaluated = pl.col("not_evaluated").is_null()
        return frame.select(
            "subject",
            pl.when(evaluated).then("score").alias("score"),
            pl.when(evaluated).then("grade").alias("grade"),
            pl.col("veto") & evaluated,
            "not_evaluated",
            pl.when(evaluated).then("changes_on").alias("changes_on"),
        )

    def counted(self) -> pl.DataFrame:
        """Return the counted rows of the evaluated subjects, in the order of the trace."""
        rows = self._counting.rows().join(self._rows.to_frame(), on="subject", how="semi")
        acts = [
            rows.filter(pl.col("points").is_not_null()).with_columns(act=_DEDUCTION),
            self._limits().with_columns(act=_LIMIT),
            rows.filter(pl.col("rank") > NO_VETO).with_columns(act=_VETO),
            rows.filter(pl.col("lift") < NO_LIFT).with_columns(act=_PROMOTION),
        ]
        names = ["subject", "id", "decided_on", "item", "points", "act"]
        every = pl.concat([one.select(names).cast({"act": pl.Int32}) for one in acts])
        every = every.join(self._counting.refusals(), on="subject", how="anti")
        different = every["points"].drop_nulls().unique()
        texts = pl.Series([plain(from_micro(number)) for number in different], dtype=pl.String)
        text = pl.col("points").replace_strict(
            different, texts, default=None, return_dtype=pl.String
        )
        shown = pl.when(pl.col("act") <= _LIMIT).then(text)
        ordered = every.with_columns(limit=_IS_LIMIT).sort(_ORDER, maintain_order=True)
        return ordered.select("subject", "item", points=shown, fact="id")

    @cached_property
    def _tally(self) -> pl.DataFrame:
        return self._counting.tally()

    @cached_property
    def _total(self) -> pl.Series:
        """The start plus the points, before the table's limits."""
        return self._spread("points", 0) + (micro(self._entry.start) or 0)

    @cached_property
    def _capped(self) -> pl.Series:
        lowest, highest = self._entry.caps.lowest, self._entry.caps.highest
        return self._total.clip(
            None if lowest is None else micro(lowest), None if highest is None else micro(highest)
        )

    def _limits(self) -> pl.DataFrame:
        """Return the changes that the table's limits make, as rows about the subject itself."""
        added = self._capped - self._total
        frame = pl.DataFrame({"subject": self._rows, "points": added, "id": self._names})
        item = pl.when(pl.col("points") > 0).then(pl.lit("lowest")).otherwise(pl.lit("highest"))
        return frame.filter(pl.col("points") != 0).with_columns(
            item=item, decided_on=pl.lit(None, pl.Date)
        )

    def _spread(self, name: str, nothing: int) -> pl.Series:
        """Return a column of the tally for each subject; `nothing` if no fact counts."""
        tally = self._tally
        size = 1 + max(_number(self._rows.max()), _number(tally["subject"].max()))
        whole = pl.repeat(nothing, size, dtype=tally.schema[name], eager=True)
        return whole.scatter(tally["subject"], tally[name]).gather(self._rows)

    def _graded(self) -> pl.DataFrame:
        """Return score and grade; each distinct total is looked up only once."""
        different = self._capped.unique()
        scores = [from_micro(number) for number in different]
        places = pl.int_range(len(different), dtype=pl.UInt32, eager=True)
        place = self._capped.replace_strict(different, places)
        grades = self._entry.grades
        by_score = pl.Series([grades.rank(score) for score in scores], dtype=pl.Int8).gather(place)
        frame = pl.DataFrame(
            {
                "subject": self._rows,
                "score": pl.Series(map(plain, scores), dtype=pl.String).gather(place),
                "by_score": by_score,
                "rank": self._spread("rank", NO_VETO),
                "lift": self._spread("lift", NO_LIFT),
            }
        )
        veto = pl.col("rank") > NO_VETO
        worse = pl.max_horizontal("by_score", "rank")
        better = pl.min_horizontal("by_score", "lift")
        names = pl.lit(pl.Series(grades.names, dtype=pl.String))
        grade = names.gather(pl.when(veto).then(worse).otherwise(better))
        return frame.with_columns(veto=veto, grade=grade)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _joined(
    frame: pl.DataFrame, values: pl.DataFrame, name: str, dtype: pl.DataType
) -> pl.DataFrame:
    """Add the other column of `values` as `name`, joined by subject; null if it has no row."""
    if not values.height:
        return frame.with_columns(pl.lit(None, dtype).alias(name))
    other = values.select("subject", pl.exclude("subject").alias(name))
    return frame.join(other, on="subject", how="left", maintain_order="left")
