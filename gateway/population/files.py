"""Read populations from NDJSON files of `score` input, or from Parquet files of the same shape.

A Parquet file has one row for each subject: `id`, `kind`, `facts` (a list of structs with the
fields of a fact), and optionally `criminal_suspect`, `sites`, `participants_only` and
`agency_kinds`. Unused fields of a fact may be missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from gateway.population.columns import population_of
from gateway.population.shape import UnusablePopulation, check_shape
from schemas.faults import faults
from scoring.facts import Facts
from scoring.population import Population

#: Damaged pages, dates that are none, numbers beyond every type.
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OverflowError)
#: Subjects in memory at once.
PARQUET_SLICE, NDJSON_SLICE = 250_000, 20_000


@dataclass(frozen=True, slots=True)
class Slice:
    """Some subjects of a population, and the lines that could not be read."""

    population: Population
    errors: list[dict[str, Any]] = field(default_factory=list)


def file_slices(path: Path, as_of: date) -> Iterator[Slice]:
    """Yield the subjects of a file in its order; all are assessed on `as_of`.

    Raises:
        UnusablePopulation: unreadable as Parquet, or a column is missing, unknown or mistyped.
    """
    return _parquet(path) if path.suffix.lower() == ".parquet" else _ndjson(path, as_of)


def _ndjson(path: Path, as_of: date) -> Iterator[Slice]:
    with path.open("rb") as stream:
        lines = ((number, line) for number, line in enumerate(stream, 1) if line.strip())
        while some := list(islice(lines, NDJSON_SLICE)):
            read = [_line(number, line, as_of) for number, line in some]
            yield Slice(
                Population.of(one for one in read if isinstance(one, Facts)),
                [one for one in read if not isinstance(one, Facts)],
            )


def _line(number: int, line: bytes, as_of: date) -> Facts | dict[str, Any]:
    try:
        facts = Facts.model_validate_json(line)
    except ValidationError as error:
        return {"line": number, "error": faults(error)[0]}
    if facts.as_of not in {None, as_of}:
        return {
            "line": number,
            "error": f"as_of: 全部对象按 {as_of} 评价，这一行却写着 {facts.as_of}",
        }
    return facts


def _parquet(path: Path) -> Iterator[Slice]:
    try:
        file = pl.scan_parquet(path)
        schema = file.collect_schema()
        size = file.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnusablePopulation(f"{path} 不能作为 Parquet 文件读取：{error}") from error
    check_shape(schema)
    for start in range(0, size, PARQUET_SLICE):
        try:
            part = file.slice(start, PARQUET_SLICE).collect()
            yield _slice(part, start + 1)
        except _UNREADABLE as error:
            end = min(size, start + PARQUET_SLICE)
            raise UnusablePopulation(
                f"{path} 第 {start + 1}–{end} 行读不出来，先改正：{error}"
            ) from error


def _slice(rows: pl.DataFrame, first_line: int) -> Slice:
    facts = (
        rows.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("subject"), "facts")
        .explode("facts", empty_as_null=False, keep_nulls=False)
        .unnest("facts")
    )
    for name in ("penalty", "received"):
        if isinstance(facts.schema.get(name), pl.Struct):
            facts = facts.unnest(name)
    _check_days(facts)
    return Slice(*population_of(rows.drop("facts"), facts, first_line))


def _check_days(facts: pl.DataFrame) -> None:
    """Raise ValueError for a day that no calendar of Python has; Parquet can hold one."""
    days = facts.select(pl.col(pl.Date))
    for name in days.columns:
        odd = (days[name] < date.min) | (days[name] > date.max)
        if odd.any():
            raise ValueError(f"{name} 有公元1年至9999年以外的日期")
