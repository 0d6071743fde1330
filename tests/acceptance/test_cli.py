"""Commands that need no database, as a user runs them."""

import zipfile
from collections import Counter
from importlib.resources import files
from pathlib import Path

import orjson
import pytest
from python_calamine import CalamineWorkbook

from gateway.check.dates import parse_date
from schemas.columns import columns_of
from schemas.penalty import AdministrativePenalty
from tests.acceptance.command import Command, told
from tests.factories import IDENTITY, penalty, person_penalty

SCORED = (
    b'{"id": "c1", "kind": "enterprise", "as_of": "2026-11-01", "criminal_suspect": false, '
    b'"facts": [{"id": "f1", "item": "E31", "decided_on": "2026-03-01"}, {"id": "f2", "penalty": '
    b'{"types": ["\xe7\xbd\x9a\xe6\xac\xbe", "\xe6\xb2\xa1\xe6\x94\xb6\xe8\xbf\x9d\xe6\xb3\x95'
    b'\xe6\x89\x80\xe5\xbe\x97"], "fine_wan": "12.5"}, "decided_on": "2026-04-01", "rectified_on": '
    b'"2026-05-01", "repair_applied_on": "2026-07-20", "repair_confirmed_on": "2026-08-02", '
    b'"warning_until": null}]}'
)
DUES = {
    "2026-02-12": ("2026-02-19", "2026-02-28"),
    "2026-02-13": ("2026-02-20", "2026-03-02"),
    "2026-09-18": ("2026-09-25", "2026-09-29"),
    "2026-09-28": ("2026-10-05", "2026-10-13"),
    "2026-09-30": ("2026-10-07", "2026-10-15"),
    "2026-11-20": ("2026-11-27", "2026-12-01"),
    "2026-12-14": ("2026-12-21", "2026-12-23"),
}
BEYOND = "2026-12-23"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The command in an empty folder, without a configuration."""
    return Command(tmp_path, {})


def sample(name: str) -> str:
    """Return the path of a file of published decisions."""
    return str(files("gateway.demo") / "data" / f"public_{name}.ndjson")


def line(*rows: dict[str, object]) -> bytes:
    """Return the rows as NDJSON."""
    return b"\n".join(orjson.dumps(row) for row in rows)


# ---------------------------------------------------------------- check


def test_check_finds_one_of_the_fifteen_published_decisions_complete(command: Command) -> None:
    ran = [command.file("check", sample(name)) for name in ("penalties", "licences")]

    verdicts = Counter(one["verdict"] for each in ran for one in each.rows)
    assert verdicts == {"refused": 10, "incomplete": 4, "ok": 1}
    assert [each.code for each in ran] == [1, 1]
    for one in (one for each in ran for one in each.rows):
        names = {"place", "line", "kind", "verdict", "excluded", "key", "problems", "warnings"}
        assert set(one) == names
        assert (one["key"] is None) == (one["verdict"] == "refused")
        assert (not one["problems"]) == (one["verdict"] == "ok")
        for problem in one["problems"]:
            assert set(problem) == {"field", "rule", "message", "fix"}


def test_check_of_good_rows_exits_with_0_and_shows_no_identity_number(command: Command) -> None:
    ran = command.file("check", "-", given=line(penalty(), person_penalty(2)))

    assert ran.code == 0, ran.err
    assert [one["line"] for one in ran.rows] == [1, 2]
    assert ran.rows[1]["key"].rpartition("|")[2].startswith("p1-")
    assert IDENTITY not in ran.out


def test_check_reads_a_table_in_gb18030_and_its_own_workbook(command: Command) -> None:
    titles = {column.wire: column.title for column in columns_of(AdministrativePenalty)}
    rows = [penalty(1), penalty(2, CF_WSH="")]
    table = [[titles[name] for name in rows[0]], *(list(row.values()) for row in rows)]
    text = "\n".join(",".join(cells) for cells in table)
    (command.folder / "table.csv").write_bytes(text.encode("gb18030"))

    csv = command.file("check", "table.csv", "--out", "mend.xlsx")
    xlsx = command.file("check", "mend.xlsx")

    assert [one["verdict"] for one in csv.rows] == ["ok", "refused"]
    sheets = CalamineWorkbook.from_path(str(command.folder / "mend.xlsx")).sheet_names
    assert sheets == ["行政处罚"]
    assert [(one["kind"], one["verdict"]) for one in xlsx.rows] == [("penalty", "refused")]
    assert xlsx.rows[0]["problems"] == csv.rows[1]["problems"]
    assert (csv.code, xlsx.code) == (1, 1)


def test_check_writes_the_rows_to_mend_although_the_end_cannot_be_read(command: Command) -> None:
    row = penalty(1, CF_WSH="")
    cut = ",".join(['"never closed', *(["x"] * (len(row) - 1))])
    text = "\n".join([",".join(row), *[",".join(row.values())] * 300, cut])
    (command.folder / "table.csv").write_text(text)

    ran = command("check", "table.csv", "--out", "mend.xlsx")

    assert "有问题的行已写到 mend.xlsx" in ran.out
    assert "引号" in ran.err
    assert len(CalamineWorkbook.from_path(str(command.folder / "mend.xlsx")).sheet_names) == 1


def test_check_says_that_no_row_is_to_mend(command: Command) -> None:
    (command.folder / "rows.ndjson").write_bytes(line(penalty()))

    ran = command("check", "rows.ndjson", "--out", "mend.xlsx")

    assert "没有有问题的行，mend.xlsx 里只有表头" in ran.out
    assert "已写到" not in ran.out
    sheet = CalamineWorkbook.from_path(str(command.folder / "mend.xlsx")).get_sheet_by_index(0)
    assert len(sheet.to_python()) == 1


@pytest.mark.parametrize("name", ["check", "ingest"])
def test_the_file_that_is_read_is_not_written_over(command: Command, name: str) -> None:
    file = command.folder / "rows.ndjson"
    file.write_bytes(line(penalty(1, CF_WSH="")))
    (command.folder / "same.xlsx").symlink_to(file)

    ran = command(name, "rows.ndjson", "--out", "same.xlsx")

    assert ran.code == 2
    assert "会被盖掉" in ran.err
    assert file.read_bytes() == line(penalty(1, CF_WSH=""))


def test_check_prints_the_problems_and_fixes_in_chinese(command: Command) -> None:
    ran = command("check", sample("licences"))

    assert "共 4 条：合格 0，待补正 1，拒收 3" in ran.out.splitlines()
    assert "补填该项" in ran.out


# ---------------------------------------------------------------- score, due, code


def test_score_continues_after_a_bad_line_and_uses_the_day_of_each_line(command: Command) -> None:
    given = b"\n".join([SCORED, b"nonsense", b'{"id": "c2", "kind": "enterprise", "facts": []}'])

    ran = command("score", "-", "--rule-set", "nm-2023-draft", "--as-of", "2026-10-01", given=given)

    scored, bad, clean = ran.objects
    assert ran.code == 1
    assert set(bad) == {"line", "error"}
    assert bad["line"] == 2
    assert (scored["as_of"], clean["as_of"]) == ("2026-11-01", "2026-10-01")
    assert {"id", "rule_set", "score", "grade", "veto", "vetoes", "deductions"} <= set(scored)
    assert {"unmapped", "notes", "not_evaluated", "changes_on"} <= set(scored)
    assert scored["rule_set"].keys() == {"name", "version", "status"}
    assert (scored["score"], scored["grade"], scored["veto"]) == ("99", "A", False)
    [deduction] = scored["deductions"]
    assert deduction.keys() == {"item", "points", "fact", "article", "text", "values"}
    assert (deduction["item"], deduction["points"], deduction["fact"]) == ("E31", "-1", "f1")


@pytest.mark.parametrize(("clock", "column"), [("calendar-7", 0), ("working-7", 1)])
def test_due_gives_the_due_times_of_the_table_and_none_beyond_the_calendar(
    command: Command, clock: str, column: int
) -> None:
    ran = command.json("due", "-", "--clock", clock, given="\n".join([*DUES, BEYOND]))

    *known, beyond = ran.objects
    for one in known:
        day = DUES[one["decision_date"]][column]
        assert (one["clock"], one["due"]) == (clock, f"{day}T23:59:59+08:00")
    if clock == "calendar-7":
        assert (beyond["due"], ran.code) == ("2026-12-30T23:59:59+08:00", 0)
    else:
        assert beyond["due"] is None
        assert parse_date(beyond["not_before"][:10])
        assert ran.code == 3


def test_due_continues_after_an_invalid_date(command: Command) -> None:
    days = ("2026-13-40", "9999-12-31", "2026-02-12")
    ran = command.json("due", *days, "--clock", "calendar-7")

    bad, endless, good = ran.objects
    assert set(bad) == {"line", "error"}
    assert endless["error"] == "“9999-12-31”不是决定日期，写成 2026-10-01"
    assert good["due"] == "2026-02-19T23:59:59+08:00"
    assert ran.code == 1


def test_nothing_to_work_on_is_wrong_use(command: Command) -> None:
    assert told(command("due"), 2, "没有写决定日期；写在命令后面，或用 - 从标准输入读")
    assert told(command("code", "-"), 2, "没有写代码")


def test_code_reports_which_codes_are_valid(command: Command) -> None:
    given = "91350100M000100Y43\n９１３５０１００m000100y43\n91110000600037341O\n00000000000000000X"

    ran = command.json("code", "-", given=given)

    assert [one["valid"] for one in ran.objects] == [True, True, False, False]
    assert [one["normalised"] for one in ran.objects][:2] == ["91350100M000100Y43"] * 2
    assert [one["reason"] is None for one in ran.objects] == [True, True, False, False]
    assert set(ran.objects[0]) == {"input", "normalised", "valid", "reason", "changed"}
    assert ran.objects[1]["changed"] == ["全角改半角", "小写改大写"]
    assert ran.code == 1


# ---------------------------------------------------------------- rules


def test_rule_sets_are_listed_shown_and_tested(command: Command) -> None:
    listed = command.json("rules", "list")
    shown = command.json("rules", "show", "nm-2023-draft")
    tested = command.json("rules", "test")

    assert "nm-2023-draft" in [one["name"] for one in listed.objects]
    assert shown.objects[0]["name"] == "nm-2023-draft"
    assert all(one["cases"] and one["mismatches"] == [] for one in tested.objects)
    kinds = {one["kind"] for one in tested.objects}
    assert kinds == {one["kind"] for one in listed.objects}
    assert kinds == {"rule_set", "measures", "publicity"}
    rule_sets = [one for one in tested.objects if one["kind"] == "rule_set"]
    shares = [share for one in rule_sets for share in one["coverage"].values()]
    assert all(share["covered"] == share["total"] for share in shares)
    assert [listed.code, shown.code, tested.code] == [0, 0, 0]


# ---------------------------------------------------------------- wrong use


def test_a_workbook_of_an_unknown_zip_version_is_told(command: Command) -> None:
    path = command.folder / "version.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")
    packed = bytearray(path.read_bytes())
    packed[packed.index(b"PK\x01\x02") + 6] = 99
    path.write_bytes(packed)

    ran = command("check", path.name)

    assert "工作簿已损坏" in ran.err
    assert "Traceback" not in ran.err


def test_an_argument_that_is_no_text_is_told(command: Command) -> None:
    ran = command("explain", "a\udcff")

    assert (ran.code, ran.err) == (2, "错误：命令行里有不是 UTF-8 编码的字符\n")


def test_a_command_that_fails_leaves_no_empty_output(command: Command) -> None:
    (command.folder / "broken.xlsx").write_bytes(b"no workbook")

    ran = command("check", "broken.xlsx", "--out", "mend.xlsx")

    assert ran.code != 0
    assert not (command.folder / "mend.xlsx").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--config", "unknown-key.yaml", "check", "-"), "destinatoins"),
        (("due", "2026-02-12", "--clock", "nonsense"), "nonsense"),
        (("score", "-", "--rule-set", "nonsense"), "nonsense"),
        (("check", "nowhere.ndjson"), "nowhere.ndjson"),
        (("check", "-", "--out", "nowhere/mend.xlsx"), "nowhere/mend.xlsx"),
        (("up", "--roles", "nonsense"), "nonsense"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_arguments_exit_with_2_and_name_the_fault(
    command: Command, arguments: tuple[str, ...], named: str
) -> None:
    (command.folder / "unknown-key.yaml").write_text("destinatoins: []\n")

    ran = command(*arguments)

    assert ran.code == 2, ran.err
    assert named in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""
