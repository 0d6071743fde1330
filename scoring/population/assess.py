"""Assess a whole population in columns, with the same results as scoring.engine.assess.

Subjects that columns cannot count are assessed by the row engine, one by one.
"""

from collections.abc import Iterator
from datetime import date
from functools import cached_property

import polars as pl

from schemas.credit import Assessment, NotEvaluated
from scoring.engine.assess import assess
from scoring.engine.prepared import prepare
from scoring.population.counting import Counting
from scoring.population.fact_kinds import kinds_of
from scoring.population.frames import Population
from scoring.population.supported import odd_rows, table_is_known
from scoring.population.table_results import Part
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Table

#: One row per subject, in the order of the population.
RESULT = pl.Schema(
    {
        "id": pl.String(),
        "score": pl.String(),
        "grade": pl.String(),
        "veto": pl.Boolean(),
        "not_evaluated": pl.String(),
        "changes_on": pl.Date(),
    }
)
#: One row for each deduction, veto and promotion, in the order of the engine's trace: first the
#: deductions of a subject with points, then its vetoes and promotions without points.
COUNTED = pl.Schema(
    {"id": pl.String(), "item": pl.String(), "points": pl.String(), "fact": pl.String()}
)
_OF_RESULT = pl.Schema([("subject", pl.UInt32()), *list(RESULT.items())[1:]])
_OF_COUNTED = pl.Schema([("subject", pl.UInt32()), *list(COUNTED.items())[1:]])
_SPREAD = 0x9E3779B97F4A7C15  #: an odd factor that spreads subject numbers over 64 bits
#: How many subjects the row engine assesses before their results are made into columns.
_SLICE = 10_000


class Rescored:
    """The results of a population under a rule set on a day."""

    def __init__(self, population: Population, rule_set: RuleSet, as_of: date) -> None:
        """Divide the subjects between the column engine and the row engine."""
        self._population = population
        self._rule_set = rule_set
        self._as_of = as_of
        self._by_hand = population.subjects.select(
            (pl.col("sites").list.len() > 0)
            | pl.col("participants_only")
            | (pl.col("agency_kinds").list.len() > 0)
        ).to_series()
        self._by_hand |= _marked(population.size, _repeated(population))
        entries = population.facts.filter(pl.col("entry").is_not_null())
        self._by_hand |= _marked(population.size, entries["subject"].unique())
        self._suspects = population.subjects["criminal_suspect"]
        if rule_set.criminal_suspects is None:
            self._suspects = _marked(population.size, pl.Series(dtype=pl.UInt32))
        self._parts = list(self._divided())

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The result of each subject, with the schema RESULT."""
        pieces = [self._excluded(), *(part.results() for part in self._parts)]
        pieces += [_results(slice_) for slice_ in self._by_engine()]
        found = _in_order(pieces)
        return found.with_columns(id=self._population.subjects["id"]).select(RESULT.names())

    @property
    def counted(self) -> pl.DataFrame:
        """Every deduction, veto and promotion of the evaluated subjects (schema COUNTED)."""
        names = self._population.subjects["id"].gather(self.rows["subject"])
        return self.rows.with_columns(id=names).select(COUNTED.names())

    @cached_property
    def rows(self) -> pl.DataFrame:
        """The same as `counted`, with the row number of the subject instead of its id."""
        pieces = [part.counted() for part in self._parts]
        pieces += [_counted(slice_) for slice_ in self._by_engine()]
        return _in_order([_counted([]), *pieces])

    @property
    def by_engine(self) -> int:
        """How many subjects the row engine assesses."""
        return int(self._by_hand.sum())

    def _divided(self) -> Iterator[Part]:
        """Yield the subjects that can be counted in columns, one part per table."""
        subjects = self._population.subjects
        for table in self._rule_set.tables.values():
            kinds = [kind.value for kind in table.kinds]
            of_table = subjects["kind"].is_in(kinds) & ~self._suspects
            if not table_is_known(table):
                self._by_hand |= of_table
            elif of_table.any():
                yield self._part(table, of_table)

    def _part(self, table: Table, of_table: pl.Series) -> Part:
        entry = prepare(self._rule_set).entries[table.kinds[0]]
        facts = self._population.facts.with_row_index("fact")
        if not of_table.all():
            facts = facts.filter(of_table.gather(facts["subject"]))
        kinds = kinds_of(facts, entry, table, odd_rows(table))
        counting = Counting(facts, kinds, entry, self._as_of)
        self._by_hand = self._by_hand | _marked(len(of_table), counting.odd)
        of_part = of_table & ~self._by_hand
        names = self._population.subjects["id"].filter(of_part)
        return Part(of_part.arg_true(), names, counting, entry)

    def _excluded(self) -> pl.DataFrame:
        """Return the results of criminal suspects and of subject kinds without a table."""
        known = [kind.value for table in self._rule_set.tables.values() for kind in table.kinds]
        suspect, kind = pl.col("suspect"), pl.col("kind").cast(pl.String)
        reason = pl.when(suspect).then(pl.lit(NotEvaluated.CRIMINAL_SUSPECT.value)).otherwise(
            pl.lit(f"{NotEvaluated.WRONG_KIND.value}:") + kind
        )  # fmt: skip
        return (
            self._population.subjects.with_row_index("subject")
            .with_columns(suspect=self._suspects, by_hand=self._by_hand)
            .filter((suspect | ~kind.is_in(known)) & ~pl.col("by_hand"))
            .select(
                "subject", score=None, grade=None, veto=False, not_evaluated=reason, changes_on=None
            )
            .cast(_OF_RESULT)
        )

    def _by_engine(self) -> Iterator[list[tuple[int, Assessment]]]:
        rows = self._by_hand.arg_true()
        for start in range(0, len(rows), _SLICE):
            some = rows.slice(start, _SLICE)
            each = zip(some, self._population.only(some).each(), strict=True)
            yield [(row, assess(facts, self._rule_set, self._as_of)) for row, facts in each]


def rescore(population: Population, rule_set: RuleSet, as_of: date) -> Rescored:
    """Assess every subject of a population; the results equal those of the row engine."""
    return Rescored(population, rule_set, as_of)


def _repeated(population: Population) -> pl.Series:
    """Return the subjects with a repeated fact id; a hash collision may add another subject."""
    subject = population.facts["subject"]
    mixed = population.facts["id"].hash() ^ (subject.cast(pl.UInt64) * _SPREAD)
    if mixed.n_unique() == len(mixed):
        return subject.clear()
    return subject.filter(mixed.is_duplicated()).unique()


def _marked(size: int, rows: pl.Series) -> pl.Series:
    """Return a mask of this size that is true at these rows."""
    return pl.repeat(False, size, eager=True).scatter(rows, True)


def _results(assessments: list[tuple[int, Assessment]]) -> pl.DataFrame:
    rows = [
        (row, one.score, one.grade, one.veto, one.not_evaluated, one.changes_on)
        for row, one in assessments
    ]
    return pl.DataFrame(rows, schema=_OF_RESULT, orient="row")


def _counted(assessments: list[tuple[int, Assessment]]) -> pl.DataFrame:
    rows: list[tuple[int, str, str | None, str]] = []
    for row, one in assessments:
        rows += [(row, each.item, each.points, each.fact) for each in one.deductions]
        marks = (*one.vetoes, *one.promotions)
        rows += [(row, each.item, None, each.fact) for each in marks]
    return pl.DataFrame(rows, schema=_OF_COUNTED, orient="row")


def _in_order(pieces: list[pl.DataFrame]) -> pl.DataFrame:
    """Concatenate the pieces in the order of subjects; each subject is in only one piece."""
    filled = [piece for piece in pieces if piece.height] or pieces[:1]
    whole = pl.concat(filled)
    return whole if whole["subject"].is_sorted() else whole.sort("subject", maintain_order=True)
