"""The rows of a ledger as a file for programs: Parquet, JSON, CSV.

A frozen version keeps its rows as Parquet; the other forms are made of that. Each row is a decision
with its amount, its state at each destination, and the result by each clock, as in the sheet 明细.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
import polars as pl

from gateway.ledger.row import DecisionStanding, LedgerRow
from schemas.base import SHANGHAI, last_moment
from schemas.codes import RecordKind
from schemas.kinds import KINDS

_TIME = pl.Datetime("us", "UTC")
_TEXTS = pl.List(pl.String)
_CLOCK = pl.Struct({"clock": pl.String, "due": _TIME, "result": pl.String})
_STANDING = pl.Struct(
    {
        "destination": pl.String,
        "state": pl.String,
        "clocks": pl.List(_CLOCK),
        "handed_over_at": _TIME,
        "accepted_at": _TIME,
        "blind": pl.Boolean,
        "attempts": pl.Int64,
        "reasons": _TEXTS,
        "why": pl.String,
        "cause": pl.String,
        "notes": _TEXTS,
    }
)
_SCHEMA: dict[str, Any] = {
    "decision_id": pl.Int64,
    "kind": pl.String,
    "document_number": pl.String,
    "authority": pl.String,
    "subject_name": pl.String,
    "subject_code": pl.String,
    "decision_date": pl.Date,
    "arrived_at": _TIME,
    "excluded": pl.String,
    "withdrawn": pl.Boolean,
    "standings": pl.List(_STANDING),
    "amount": pl.String,
}
_SLICE = 5000
#: One line for each decision, destination and clock.
_TITLES = (
    "种类",
    "决定文书号",
    "决定机关",
    "相对人名称",
    "相对人代码",
    "决定日期",
    "录入时间",
    "不予报送",
    "决定已撤回",
    "报送平台",
    "状态",
    "期限",
    "期限止于",
    "结果",
    "迟报漏报原因",
    "说明",
    "送达时间",
    "入库时间",
    "次数",
    "平台意见",
    "金额",
)
#: A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def parquet(rows: Iterable[LedgerRow]) -> bytes:
    """Return the rows as Parquet; slices bound the memory that Python needs."""
    each, frames = iter(rows), [pl.DataFrame(schema=_SCHEMA)]
    while some := [_plain(row) for row in islice(each, _SLICE)]:
        frames.append(pl.DataFrame(some, schema=_SCHEMA))
    target = io.BytesIO()
    pl.concat(frames).write_parquet(target, compression="zstd")
    return target.getvalue()


def as_json(frozen_rows: bytes, about: Mapping[str, Any]) -> bytes:
    """Return what a ledger says of a month, and its rows, as one JSON object."""
    return orjson.dumps({**about, "rows": list(frozen(frozen_rows))}, option=orjson.OPT_UTC_Z)


def as_csv(frozen_rows: bytes) -> bytes:
    """Return the rows as CSV in UTF-8 with its mark, which spreadsheets need."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(_TITLES)
    for row in frozen(frozen_rows):
        writer.writerows(_lines(row))
    return target.getvalue().encode("utf-8-sig")


def _plain(row: LedgerRow) -> dict[str, Any]:
    standings = [_plain_standing(one) for one in row.standings.values()]
    return {name: getattr(row, name) for name in _SCHEMA} | {"standings": standings}


def _plain_standing(one: DecisionStanding) -> dict[str, Any]:
    clocks = [
        {"clock": name, "due": due, "result": one.timeliness[name].value}
        for name, due in one.due.items()
    ]
    names = [field.name for field in _STANDING.fields]
    return {name: getattr(one, name, None) for name in names} | {
        "clocks": clocks,
        "reasons": list(one.reasons),
        "notes": list(one.notes),
    }


def frozen(frozen_rows: bytes) -> Iterator[dict[str, Any]]:
    """Yield the rows that a frozen version has kept."""
    for some in pl.read_parquet(frozen_rows).iter_slices(_SLICE):
        yield from some.iter_rows(named=True)


def _lines(row: Mapping[str, Any]) -> Iterator[list[str]]:
    about = [
        KINDS[RecordKind(row["kind"])].title,
        *(_text(row[name]) for name in ("document_number", "authority", "subject_name")),
        _text(row["subject_code"]),
        row["decision_date"].isoformat(),
        _moment(row["arrived_at"]),
        _text(row["excluded"]),
        "是" if row["withdrawn"] else "",
    ]
    amount = row.get("amount") or ""  # earlier releases kept none
    if not row["standings"]:
        yield [*about, *[""] * (len(_TITLES) - len(about) - 1), amount]
    for one in row["standings"]:
        for clock in one["clocks"]:
            yield [
                *about,
                one["destination"],
                one["state"],
                clock["clock"],
                f"{last_moment(clock['due']):%Y-%m-%d}",
                clock["result"],
                _text(one["why"]),
                _text("；".join(one["notes"])),
                _moment(one["handed_over_at"]),
                _moment(one["accepted_at"]),
                str(one["attempts"]),
                _text("；".join(one["reasons"])),
                amount,
            ]


def _text(value: str | None) -> str:
    text = value or ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" if at else ""
