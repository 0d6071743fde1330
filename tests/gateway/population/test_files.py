"""Populations from files: what is read, and the messages for what is refused."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from gateway.population.files import Slice, file_slices
from gateway.population.shape import UnusablePopulation
from schemas.codes import EventType, SubjectKind
from scoring.facts import Fact, Facts, Penalty, Received, RegisterEntry, Site

DAY = date(2026, 10, 31)
PENALTY = {"types": [" 罚款 ", "没收违法所得"], "fine_wan": "12.5"}
WHOLE: list[dict[str, Any]] = [
    {"id": "f1", "item": " E31 ", "decided_on": "2026-03-01", "rectified_on": "2026-05-01"},
    {"id": "f2", "penalty": PENALTY, "decided_on": "2026-04-01", "principal_points": "0.5"},
    {"id": "f3", "type": "enforcement.seizure", "decided_on": "2026-04-02", "codes": ["甲"]},
    {"id": "f4", "received": {"grade": "A", "issued_by": "省厅", "score": "-1.5"},
     "decided_on": "2026-04-03"},
]  # fmt: skip
SITES = [{"permit": "p1", "weight": "0.5"}]
EXPECTED = Facts(
    "c1",
    SubjectKind.ENTERPRISE,
    (
        Fact("f1", date(2026, 3, 1), "E31", rectified_on=date(2026, 5, 1)),
        Fact(
            "f2",
            date(2026, 4, 1),
            penalty=Penalty(("罚款", "没收违法所得"), Decimal("12.5")),
            principal_points=Decimal("0.5"),
        ),
        Fact("f3", date(2026, 4, 2), type=EventType.SEIZURE, codes=("甲",)),
        Fact("f4", date(2026, 4, 3), received=Received("A", "省厅", Decimal("-1.5"))),
    ),
    sites=(Site("p1", Decimal("0.5")),),
)


def subject(*facts: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"id": "c1", "kind": "enterprise", "facts": list(facts)} | values


def parquet(folder: Path, *rows: dict[str, Any], **schema: Any) -> Path:
    path = folder / "all.parquet"
    frame = pl.DataFrame(list(rows), infer_schema_length=None, schema_overrides=schema)
    frame.write_parquet(path)
    return path


def ndjson(folder: Path, *rows: dict[str, Any] | bytes) -> Path:
    path = folder / "all.ndjson"
    lines = (row if isinstance(row, bytes) else orjson.dumps(row) for row in rows)
    path.write_bytes(b"\n".join(lines))
    return path


def whole(path: Path) -> tuple[list[Facts], list[dict[str, Any]]]:
    slices: list[Slice] = list(file_slices(path, DAY))
    given = [facts for one in slices for facts in one.population.each()]
    return given, [error for one in slices for error in one.errors]


@pytest.mark.parametrize("write", [parquet, ndjson])
def test_parquet_and_ndjson_give_the_same_subjects(tmp_path: Path, write: Any) -> None:
    path = write(tmp_path, subject(*WHOLE, sites=SITES), subject(id="c2", criminal_suspect=True))

    given, errors = whole(path)

    assert given == [EXPECTED, Facts("c2", SubjectKind.ENTERPRISE, criminal_suspect=True)]
    assert errors == []


@pytest.mark.parametrize("write", [parquet, ndjson])
def test_the_register_comes_with_the_facts(tmp_path: Path, write: Any) -> None:
    entry = {"kind": "agency", "until": "2026-12-31", "agency_kinds": ["甲"], "weight": "1.5"}
    facts = (
        {"id": "r1", "decided_on": "2026-01-01", "entry": entry},
        {"id": "f1", "item": "A08", "decided_on": "2026-03-01", "self_reported": True},
    )
    path = write(tmp_path, subject(*facts, participants_only=True, agency_kinds=["乙"]))

    [given], errors = whole(path)

    said = RegisterEntry(
        SubjectKind.AGENCY, date(2026, 12, 31), None, ("甲",), weight=Decimal("1.5")
    )
    assert [one.entry for one in given.register] == [said]
    assert [one.self_reported for one in given.facts] == [True]
    assert (given.participants_only, given.agency_kinds) == (True, ("乙",))
    assert errors == []


def test_dates_and_amounts_may_be_typed(tmp_path: Path) -> None:
    fact = {"id": "f1", "item": "A08", "decided_on": date(2026, 3, 1), "principal_points": 3}

    [given], _ = whole(parquet(tmp_path, subject(fact)))

    assert given.facts == (Fact("f1", date(2026, 3, 1), "A08", principal_points=Decimal(3)),)


def fact(**values: Any) -> dict[str, Any]:
    return {"id": "f1", "decided_on": "2026-03-01", "item": "E01"} | values


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "c1", "facts": [fact()]}, "缺少列 kind，应为文字 String"),
        (subject({"id": "f1", "item": "E01"}), "缺少列 facts.decided_on"),
        (subject(fact(), ort="x"), "不认识的列 ort"),
        (subject(fact(fine=3)), "不认识的列 facts.fine"),
        (subject(fact(principal_points=0.5)), "列 facts.principal_points 应为数额 Decimal(18,6)"),
        (subject(fact(penalty={"types": ["罚款"], "fine_wan": 1.5})), "列 facts.penalty.fine_wan"),
        (subject(fact(penalty={"types": "罚款"})), "列 facts.penalty.types 应为文字的列表"),
        (subject(fact(decided_on=20260301)), "列 facts.decided_on 应为日期 Date"),
        (subject(fact(), criminal_suspect="no"), "列 criminal_suspect 应为是否 Boolean"),
        ({"id": "c1", "kind": "enterprise", "facts": "none"}, "列 facts 应为结构的列表"),
        (subject(fact(received={"grade": "A"})), "缺少列 facts.received.issued_by"),
        (subject(fact(), sites=[{"permit": "p"}]), "缺少列 sites.weight"),
    ],
)
def test_wrong_columns_are_refused_by_name_and_type(
    tmp_path: Path, row: dict[str, Any], words: str
) -> None:
    with pytest.raises(UnusablePopulation, match="列") as refused:
        whole(parquet(tmp_path, row))

    assert words in str(refused.value)


def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    path.write_bytes(b"nothing")

    with pytest.raises(UnusablePopulation, match="不能作为 Parquet 文件读取"):
        whole(path)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (subject(fact(), kind="farm"), "kind “farm”不能用"),
        (subject(fact(), id=" "), "id"),
        (subject(fact(id=None)), "facts.id 没有填"),
        (subject(fact(decided_on="2026-02-30")), "facts.decided_on “2026-02-30”不能用"),
        (subject(fact(type="no.such")), "facts.type “no.such”不能用"),
        (subject(fact(principal_points="1.2345678")), "facts.principal_points “1.2345678”不能用"),
        (subject(fact(principal_points="-1")), "facts.principal_points “-1”不能用"),
        (subject(fact(penalty={"types": ["罚款", " "]})), "facts.penalty.types 里有空的"),
        (subject(fact(penalty={"types": None, "fine_wan": "1"})), "facts.penalty.types 没有填"),
        (subject(fact(item=None)), "facts 里有一条没有 item"),
        (subject(fact(received={"grade": "A", "issued_by": None})), "facts.received 要有"),
        (subject(fact(), sites=[{"permit": "p", "weight": "0"}]), "sites 的每个厂址"),
        (subject(fact(), sites=SITES * 2), "sites 里有重复的 permit"),
    ],
)
def test_an_unreadable_subject_is_reported_and_the_others_are_read(
    tmp_path: Path, row: dict[str, Any], words: str
) -> None:
    good = subject(fact(type="enforcement.seizure", penalty=PENALTY, principal_points="1"), id="c2")

    given, [error] = whole(parquet(tmp_path, good, row, good))

    assert [one.id for one in given] == ["c2", "c2"]
    assert error["line"] == 2
    assert words in error["error"]


def test_unreadable_lines_are_reported_and_the_others_are_read(tmp_path: Path) -> None:
    other_day = subject(fact(), as_of="2026-01-01")
    path = ndjson(tmp_path, b"{", subject(fact(), as_of="2026-10-31"), b"", other_day)

    given, errors = whole(path)

    assert [one.id for one in given] == ["c1"]
    assert [error["line"] for error in errors] == [1, 4]
    assert errors[1]["error"].startswith("as_of: 全部对象按 2026-10-31 评价")
