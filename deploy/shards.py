"""The rule of shards 分片, and the figures of a month over all of them (`SHARDS.md`).

`python deploy/shards.py of SHARDS CODE…` prints the shard of each subject. `python deploy/shards.py
figures FILE.parquet…` adds up what `credit-gateway ledger MONTH --out FILE.parquet` wrote on each.
"""

import sys
import zlib
from collections.abc import Sequence

import polars as pl

from gateway.ledger.figures import Rate
from gateway.ledger.timeliness import Timeliness
from schemas.codes import RecordKind
from schemas.identifiers import fold_once
from schemas.kinds import DOUBLE_PUBLICITY, KINDS

#: Every subject is in one of so many buckets for ever; a shard has a range of them.
BUCKETS = 1024
#: Of the configured kinds each stands alone.
ALL_KINDS = "双公示合计"
#: Of which a ledger line counts the decisions of a destination, kind and clock.
PLACE = ("destination", "kind", "clock")
_TITLES = ("报送平台", "种类", "期限")
_COUNTS = {"in_scope": "应报", "handed_over": "已报", "accepted": "有效入库", "blind": "无回执"}


def shard_of(code: str, shards: int) -> int:
    """Return the shard of a subject, 0 to `shards` - 1; its code may be written in any way.

    The code is the unified social credit code, of a natural person the number of the document, and
    of a branch 分支机构 that of its legal person.
    """
    if not 1 <= shards <= BUCKETS:
        raise ValueError(f"分片数应在 1 与 {BUCKETS} 之间，现为 {shards}")
    bucket = zlib.crc32(fold_once(code).encode()) % BUCKETS
    return bucket * shards // BUCKETS


def figures(files: Sequence[str]) -> pl.DataFrame:
    """Return the counts of a month over the frozen rows of all shards, a row for each `PLACE`.

    Raises:
        SystemExit: a subject has decisions in two of the files.
    """
    rows = pl.concat(
        [pl.read_parquet(file).with_columns(shard=pl.lit(n)) for n, file in enumerate(files)]
    )
    _refuse_shared_subjects(rows)
    each = rows.filter(pl.col("excluded").is_null()).select("kind", "standings")
    each = each.explode("standings").drop_nulls("standings").unnest("standings").explode("clocks")
    each = each.with_columns(
        clock=pl.col("clocks").struct.field("clock"),
        result=pl.col("clocks").struct.field("result"),
    )
    ours = pl.col("kind").is_in(list(DOUBLE_PUBLICITY))
    every = each.filter(ours).with_columns(kind=pl.lit(ALL_KINDS))
    counts = {
        "in_scope": pl.len(),
        "handed_over": pl.col("handed_over_at").count(),
        "accepted": pl.col("accepted_at").count(),
        "blind": pl.col("blind").sum(),
        **{one.value: (pl.col("result") == one.value).sum() for one in Timeliness},
    }
    found = pl.concat([every, each]).group_by(PLACE, maintain_order=True)
    return found.agg(**{name: count.cast(pl.Int64) for name, count in counts.items()})


def _refuse_shared_subjects(rows: pl.DataFrame) -> None:
    known = rows.filter(pl.col("subject_code") != "")
    found = known.group_by("subject_code").agg(pl.col("shard").n_unique())
    shared = found.filter(pl.col("shard") > 1)["subject_code"].sort().to_list()
    if shared:
        told = "、".join(shared[:20])
        raise SystemExit(f"{len(shared)} 个相对人同时在两个分片里，先查分片规则：{told}")


def lines(found: pl.DataFrame) -> list[str]:
    """Return the figures with their rates as CSV, for people; a rate is cut as in the ledger."""
    results = [one.value for one in Timeliness]
    written = [[*_TITLES, *_COUNTS.values(), *results, "上报率", "合规率", "及时率"]]
    for row in found.iter_rows(named=True):
        kind = row["kind"]
        title = KINDS[RecordKind(kind)].title if kind in KINDS else kind
        counts = [str(row[name]) for name in (*_COUNTS, *results)]
        rates = (
            Rate(row["handed_over"], row["in_scope"]),
            Rate(row["accepted"], row["handed_over"]),
            Rate(row[Timeliness.TIMELY.value], row["in_scope"]),
        )
        written.append([row["destination"], title, row["clock"], *counts, *(r.text for r in rates)])
    return [",".join(line) for line in written]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["of", shards, *codes] if codes and all(map(str.strip, codes)):
            if not shards.isdecimal() or not 1 <= int(shards) <= BUCKETS:
                sys.exit(f"分片数应在 1 与 {BUCKETS} 之间，现为 {shards}")
            sys.stdout.writelines(f"{code} {shard_of(code, int(shards))}\n" for code in codes)
        case ["figures", *files] if files:
            try:
                sys.stdout.writelines(f"{line}\n" for line in lines(figures(files)))
            except (OSError, pl.exceptions.PolarsError) as error:
                sys.exit(f"读不出 ledger --out 写的 Parquet 文件：{error}")
        case _:
            sys.exit(__doc__)
