"""A million companies with three facts each, assessed at once, in their own process."""

import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from gateway.config.settings import ScoringSettings
from gateway.population.files import file_slices
from gateway.rules.rulebook import Rulebook
from scoring.population import Population, rescore
from scoring.population.frames import AMOUNT, FACTS, SUBJECTS

COMPANIES, ROUNDS = 1_000_000, 3
DAY = date(2026, 10, 31)


def million() -> dict[str, Any]:
    """Measure seconds from frames in memory (best of three) and from a Parquet file; memory."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.rescore"], check=True, capture_output=True
    )
    found: dict[str, Any] = orjson.loads(ran.stdout)
    return found


def population(size: int) -> Population:
    """Return companies with a general incident, a fine and a confiscation each."""
    place, third = pl.col("n") // 3, pl.col("n") % 3
    word = pl.when(third == 1).then(pl.lit("罚款")).otherwise(pl.lit("没收违法所得"))
    spoken = {"subject", "id", "decided_on", "item", "types", "fine_wan", "codes"}
    empty = {name: pl.lit(None, FACTS[name]) for name in FACTS if name not in spoken}
    facts = pl.select(n=pl.int_range(3 * size, dtype=pl.UInt32)).select(
        subject=place,
        id=pl.format("f{}", third + 1),
        decided_on=pl.lit(date(2026, 3, 1)) + pl.duration(days=place % 28),
        item=pl.when(third == 0).then(pl.lit("E31")),
        types=pl.when(third > 0).then(pl.concat_list(word)),
        fine_wan=pl.when(third == 1).then((place % 80 + 1).cast(AMOUNT)),
        codes=pl.lit([], FACTS["codes"]),
        **empty,
    )  # fmt: skip
    subjects = pl.select(n=pl.int_range(size)).select(
        id=pl.format("c{}", "n"),
        kind=pl.lit("enterprise", SUBJECTS["kind"]),
        criminal_suspect=pl.lit(value=False),
        sites=pl.lit([], SUBJECTS["sites"]),
        participants_only=pl.lit(value=False),
        agency_kinds=pl.lit([], SUBJECTS["agency_kinds"]),
    )
    return Population(subjects, facts.select(FACTS.names()).cast(FACTS))


def write(given: Population, path: Path) -> None:
    """Write the population to a file, one row per company."""
    penalty = pl.when(pl.col("types").is_not_null()).then(pl.struct("types", "fine_wan"))
    fact = pl.struct("id", "decided_on", "item", "type", penalty=penalty).alias("facts")
    rows = given.facts.group_by("subject", maintain_order=True).agg(fact)
    given.subjects.hstack(rows.select("facts")).write_parquet(path)


def main() -> None:
    """Print the measurements of `million` as JSON."""
    rules = Rulebook(ScoringSettings()).load("nm-2023-draft").rule_set
    given = population(COMPANIES)
    seconds, counted = [], 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        counted = rescore(given, rules, DAY).frame.height
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.parquet"
        write(given, path)
        start = time.perf_counter()
        of_file = sum(
            rescore(one.population, rules, DAY).frame.height for one in file_slices(path, DAY)
        )
        from_file = time.perf_counter() - start
    if {counted, of_file} != {COMPANIES}:
        raise SystemExit(f"{counted} and {of_file} results")
    found = {
        "rescore_million_s": round(min(seconds), 2),
        "rescore_rounds_s": [round(one, 2) for one in seconds],
        "rescore_rss_mb": round(peak),
        "rescore_parquet_million_s": round(from_file, 2),
    }
    print(orjson.dumps(found).decode())


if __name__ == "__main__":
    main()
