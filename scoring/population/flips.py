"""Find the subjects whose grade differs between two rule sets, and the rows that differ."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import polars as pl

from schemas.codes import SubjectKind
from scoring.population.assess import Rescored
from scoring.population.frames import Population
from scoring.regulation.ruleset import RuleSet


class Flip(StrEnum):
    """The direction in which a grade flips."""

    UP = "up"  #: 升
    DOWN = "down"  #: 降
    FIRST = "first"  #: 首次：原来不评价
    ENDED = "ended"  #: 不再评价
    OTHER = "other"  #: 两个办法的等级不可比


_ROW = pl.Struct({"item": pl.String, "points": pl.String, "fact": pl.String})
#: One row per flipped subject; `gone` are counted rows of the old rule set only, `come` of the new.
FLIPS = pl.Schema(
    {
        "id": pl.String(),
        "from_grade": pl.String(),
        "to_grade": pl.String(),
        "direction": pl.String(),
        "from_score": pl.String(),
        "to_score": pl.String(),
        "from_not_evaluated": pl.String(),
        "to_not_evaluated": pl.String(),
        "gone": pl.List(_ROW),
        "come": pl.List(_ROW),
    }
)


@dataclass(frozen=True, slots=True)
class Flips:
    """The flipped subjects, and the number of all subjects that were compared."""

    frame: pl.DataFrame
    subjects: int

    @property
    def by_direction(self) -> dict[str, int]:
        """The number of flips in each direction, zeros included."""
        counts = dict(self.frame["direction"].value_counts().iter_rows())
        return {flip.value: counts.get(flip.value, 0) for flip in Flip}

    @property
    def by_pair(self) -> list[tuple[str | None, str | None, int]]:
        """The number of flips for each pair of old and new grade."""
        pairs = self.frame.group_by("from_grade", "to_grade").len()
        return pairs.sort("from_grade", "to_grade", nulls_last=True).rows()

    @classmethod
    def together(cls, parts: list["Flips"]) -> "Flips":
        """Join the flips of slices of one population."""
        frames = [FLIPS.to_frame(), *(part.frame for part in parts)]
        return cls(pl.concat(frames), sum(part.subjects for part in parts))


def flips(old: RuleSet, new: RuleSet, population: Population, as_of: date) -> Flips:
    """Return the subjects whose grade differs under the new rule set, in population order."""
    before, after = (Rescored(population, rules, as_of).frame for rules in (old, new))
    rows = before["grade"].ne_missing(after["grade"]).arg_true()
    flipped = population.only(rows)
    frame = pl.DataFrame(
        {
            "id": before["id"].gather(rows),
            "kind": flipped.subjects["kind"].cast(pl.String),
            "from_grade": before["grade"].gather(rows),
            "to_grade": after["grade"].gather(rows),
            "from_score": before["score"].gather(rows),
            "to_score": after["score"].gather(rows),
            "from_not_evaluated": before["not_evaluated"].gather(rows),
            "to_not_evaluated": after["not_evaluated"].gather(rows),
        }
    ).with_row_index("subject")
    ways = _directions(frame, old, new)
    was, is_ = (Rescored(flipped, rules, as_of).rows for rules in (old, new))
    whole = (
        frame.join(ways, on=_TRIPLE, how="left", nulls_equal=True, maintain_order="left")
        .join(_only(was, is_, "gone"), on="subject", how="left", maintain_order="left")
        .join(_only(is_, was, "come"), on="subject", how="left", maintain_order="left")
    )
    empty = pl.lit([], pl.List(_ROW))
    filled = whole.with_columns(pl.col("gone").fill_null(empty), pl.col("come").fill_null(empty))
    return Flips(filled.select(FLIPS.names()), population.size)


_TRIPLE = ["kind", "from_grade", "to_grade"]


def _directions(frame: pl.DataFrame, old: RuleSet, new: RuleSet) -> pl.DataFrame:
    """Return the direction for each subject kind and pair of grades."""
    triples = frame.select(_TRIPLE).unique()
    ways = [
        _direction(SubjectKind(kind), was, is_, (new, old)) for kind, was, is_ in triples.rows()
    ]
    return triples.with_columns(direction=pl.Series(ways, dtype=pl.String))


def _direction(
    kind: SubjectKind, was: str | None, is_: str | None, rule_sets: tuple[RuleSet, RuleSet]
) -> str:
    if was is None or is_ is None:
        return Flip.FIRST.value if was is None else Flip.ENDED.value
    for rule_set in rule_sets:
        table = rule_set.table(kind)
        order = [band.grade for band in table.bands] if table else []
        if was in order and is_ in order:
            return (Flip.UP if order.index(is_) < order.index(was) else Flip.DOWN).value
    return Flip.OTHER.value


def _only(some: pl.DataFrame, others: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows of `some` that `others` lack, as a list per subject.

    Equal rows are counted: three in `some` and one in `others` leave two.
    """
    left, right = (
        rows.with_columns(nth=pl.int_range(pl.len()).over(rows.columns)) for rows in (some, others)
    )
    lacking = left.join(right, on=left.columns, how="anti", nulls_equal=True, maintain_order="left")
    rows = pl.struct("item", "points", "fact").alias(name)
    return lacking.group_by("subject", maintain_order=True).agg(rows)
