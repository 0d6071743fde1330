"""rescore and rules diff over a file, as a user runs them."""

from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app

RULES = Path(__file__).parents[3] / "scoring" / "rule_sets" / "nm-2023-draft.yaml"
DAY = ("--as-of", "2026-10-31")


def subject(id_: str, *items: str, **values: Any) -> dict[str, Any]:
    facts = [
        {"id": f"f{n}", "item": item, "decided_on": "2026-03-01"} for n, item in enumerate(items, 1)
    ]
    return {"id": id_, "kind": "enterprise", "facts": facts} | values


POPULATION = (
    subject("c1"),
    subject("c2", "E01", "E31"),
    subject("c3", "E37"),
    subject("c4", criminal_suspect=True),
    subject("c5", "E99"),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "all.ndjson"
    path.write_bytes(b"\n".join(map(orjson.dumps, POPULATION)))
    return path


@pytest.fixture
def dearer(tmp_path: Path) -> Path:
    """The draft with 6 points for E01."""
    path = tmp_path / "new.yaml"
    text = RULES.read_text(encoding="utf-8")
    assert 'points: "-0.5"' in text
    path.write_text(text.replace('points: "-0.5"', 'points: "-6"', 1), encoding="utf-8")
    return path


def ran(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def objects(result: Result) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in result.stdout.splitlines()]


def test_rescore_counts_grades_and_reasons(file: Path) -> None:
    result = ran("rescore", file, "--rule-set", "nm-2023-draft", *DAY, "--format", "json")

    [totals] = objects(result)
    assert result.exit_code == 0
    assert totals["rule_set"]["name"] == "nm-2023-draft"
    assert totals["as_of"] == "2026-10-31"
    assert totals["grades"] | {"未评为失信": 0} == {"A": 2, "B": 0, "C": 0, "D": 1, "未评为失信": 0}
    assert (totals["subjects"], totals["vetoes"]) == (5, 1)
    assert totals["not_evaluated"] == {"criminal_suspect": 1, "unknown_item": 1}


@pytest.mark.parametrize("day", [-(10**6), 2**31 - 1])
def test_rescore_names_the_rows_that_cannot_be_read(tmp_path: Path, day: int) -> None:
    shape = {"id": pl.String, "item": pl.String, "decided_on": pl.Int32}
    facts = pl.Series([[{"id": "f1", "item": "E01", "decided_on": day}]], dtype=_list(shape))
    columns = {"id": ["c1"], "kind": ["enterprise"], "facts": facts}
    dated = _list(shape | {"decided_on": pl.Date})
    pl.DataFrame(columns).cast({"facts": dated}).write_parquet(tmp_path / "odd.parquet")

    result = ran("rescore", tmp_path / "odd.parquet", "--rule-set", "nm-2023-draft", *DAY)

    assert result.exit_code == 2
    assert "第 1–1 行读不出来" in result.stderr


def test_a_zero_with_a_huge_exponent_is_zero(tmp_path: Path) -> None:
    penalty = {"types": ["罚款"], "fine_wan": "0e999999999"}
    fact = {"id": "f1", "penalty": penalty, "decided_on": "2026-03-01"}
    path = tmp_path / "zero.ndjson"
    path.write_bytes(orjson.dumps({"id": "c1", "kind": "enterprise", "facts": [fact]}))

    result = ran("rescore", path, "--rule-set", "nm-2023-draft", *DAY, "--format", "json")

    assert result.exit_code == 0, result.output
    assert objects(result)[0]["subjects"] == 1


def _list(fields: dict[str, Any]) -> pl.List:
    return pl.List(pl.Struct(fields))


def test_rescore_prints_the_totals_in_chinese(file: Path) -> None:
    result = ran("rescore", file, "--rule-set", "nm-2023-draft", *DAY)

    assert "（试算），评价日期 2026-10-31：5 个对象" in result.stdout
    assert "不评价（涉嫌犯罪）1" in result.stdout
    assert "不评价（评价办法里没有该评价项）1" in result.stdout


def test_rescore_writes_every_result(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"

    ran("rescore", file, "--rule-set", "nm-2023-draft", *DAY, "--out", out)

    rows = pl.read_parquet(out).select("id", "score", "grade", "not_evaluated", "rule_set").rows()
    assert rows[1] == ("c2", "98.5", "A", None, "nm-2023-draft")
    assert rows[4] == ("c5", None, None, "unknown_item:E99", "nm-2023-draft")


def test_an_unreadable_line_is_reported_and_the_others_are_counted(file: Path) -> None:
    file.write_bytes(b"{\n" + file.read_bytes())

    result = ran("rescore", file, "--rule-set", "nm-2023-draft", *DAY, "--format", "json")

    error, totals = objects(result)
    assert result.exit_code == 1
    assert error["line"] == 1
    assert totals["subjects"] == 5


def test_rescore_of_an_empty_file_says_that_there_is_no_subject(file: Path) -> None:
    file.write_bytes(b"")

    result = ran("rescore", file, "--rule-set", "nm-2023-draft")

    assert (result.exit_code, result.stdout) == (0, "没有可以重算的对象\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rule-set", "nm-2023-draft"], "二者取一"),
        (["FILE", "--store", "--rule-set", "nm-2023-draft"], "二者取一"),
        (["FILE"], "--rule-set"),
        (["FILE", "--rule-set", "no-such"], "没有评价办法 no-such"),
        (["-", "--rule-set", "nm-2023-draft"], "不读标准输入"),
        (["BAD", "--rule-set", "nm-2023-draft"], "Parquet"),
    ],
)
def test_wrong_arguments_are_refused_with_the_reason(
    file: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"x")
    named = {"FILE": str(file), "BAD": str(bad)}

    result = ran("rescore", *(named.get(one, one) for one in arguments))

    assert result.exit_code == 2
    assert words in result.stderr


def test_diff_lists_the_differences_and_the_flips(file: Path, dearer: Path) -> None:
    result = ran("rules", "diff", RULES, dearer, "--population", file, *DAY, "--format", "json")

    difference, flip, totals = objects(result)
    assert difference["text"] == "enterprise 评价项 E01 分值：-0.5 → -6"
    assert (flip["id"], flip["from"], flip["to"], flip["direction"]) == ("c2", "A", "B", "down")
    assert flip["come"] == [{"item": "E01", "points": "-6", "fact": "f1"}]
    assert (totals["name"], totals["subjects"], totals["flipped"]) == ("totals", 5, 1)
    assert totals["by_direction"] == {"up": 0, "down": 1, "first": 0, "ended": 0, "other": 0}
    assert totals["by_pair"] == [{"from": "A", "to": "B", "count": 1}]


def test_diff_prints_the_flips_in_chinese(file: Path, dearer: Path) -> None:
    result = ran("rules", "diff", "nm-2023-draft", dearer, "--population", file, *DAY)

    assert result.exit_code == 0
    assert "c2 A → B（降，98.5 → 93 分）" in result.stdout
    assert "    − E01 -0.5，依据 f1" in result.stdout
    assert "5 个对象，等级改变 1 个：升 0，降 1，首次 0，不再评价 0" in result.stdout


def test_diff_without_a_population_compares_the_texts(dearer: Path) -> None:
    result = ran("rules", "diff", "nm-2023-draft", dearer, "--format", "json")

    difference, totals = objects(result)
    assert difference["path"] == ["tables", "enterprise", "items", "E01", "points"]
    assert totals == {"name": "totals", "differences": 1}


def test_a_short_hash_is_refused() -> None:
    result = ran("rules", "diff", "nm-2023-draft", "nm-2023-draft@8d3")

    assert result.exit_code == 2
    assert "至少写 6 位" in result.stderr
