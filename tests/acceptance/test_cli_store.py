"""Commands on stored data, as a user runs them."""

from pathlib import Path

import orjson
import xlsxwriter
from python_calamine import CalamineWorkbook

from gateway.config.clock import system_clock
from gateway.store.base.engine import Database
from schemas.base import today
from tests.acceptance.command import PAST, Command, commanding, write
from tests.conftest import PLATFORM, SETTINGS
from tests.factories import (
    AUTHORITY,
    AUTHORITY_CODE,
    penalty,
)


def mend(source: Path, target: Path, header: str, value: str) -> None:
    """Fill in one column of a workbook, as a clerk does; the rest stays."""
    read = CalamineWorkbook.from_path(str(source))
    with xlsxwriter.Workbook(str(target)) as book:
        for name in read.sheet_names:
            rows = read.get_sheet_by_name(name).to_python()
            column = rows[0].index(header)
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                row[column] = value if number else header
                sheet.write_row(number, 0, row)


def test_what_became_of_a_file_is_told_at_any_time(command: Command, tmp_path: Path) -> None:
    rows = [
        penalty(1, **PAST),
        penalty(2, CF_CFJGDM="", **PAST),
        penalty(3, CF_WSH="", **PAST),
        penalty(4, state_secret="是", **PAST),
    ]
    path = write(tmp_path / "rows.ndjson", *rows)
    command("ingest", path)
    command("ingest", write(tmp_path / "more.ndjson", penalty(1, CF_NR="更正", **PAST)))

    told = command("results", path, "--rows", "--out", "fate.xlsx")
    objects = command.json("results", path).objects
    nothing = command("results", "0" * 64)
    mistyped = command("results", "nowhere/x.csv")
    [row, *_] = command("results", path, "--position", "2").out.splitlines()
    beyond = command("results", path, "--position", "9")
    by_hash = command("results", objects[0]["origin"].removeprefix("file:"))
    sources = command("sources", "--day", f"{today(system_clock())}")

    assert told.code == 0
    assert "第1行 样环罚字〔2026〕1号 合格；platform 已被新版本取代，此后有新版本" in told.out
    assert "第2行 样环罚字〔2026〕2号 待补正；platform 待补正" in told.out
    assert "拒收，隔离区编号" in told.out
    assert "不予报送（涉密决定）" in told.out
    assert "共 4 条" in told.out
    assert "rows.ndjson：共 4 条" in by_hash.out
    assert "rows.ndjson（file:" in sources.out
    assert "more.ndjson（file:" in sources.out
    assert [one["verdict"] for one in objects] == ["ok", "incomplete", "refused", "ok"]
    book = CalamineWorkbook.from_path(str(tmp_path / "fate.xlsx"))
    assert len(book.get_sheet_by_name("来件去向").to_python()) == 5
    assert (nothing.code, "没有收到过来自 file:000" in nothing.err) == (1, True)
    assert (mistyped.code, "没有文件 nowhere/x.csv，也没有" in mistyped.err) == (1, True)
    assert row.startswith("第2行 样环罚字〔2026〕2号 待补正")
    assert (beyond.code, "、位置 9 的来件" in beyond.err) == (1, True)


def test_the_work_list_is_shown_exported_and_acted_on_by_a_filter(
    command: Command, tmp_path: Path
) -> None:
    rows = [penalty(n, CF_CFJGDM="" if n < 3 else AUTHORITY_CODE, **PAST) for n in (1, 2, 3)]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))

    shown = command("worklist", "--by", "actor", "--out", "work.xlsx")
    listed = command.json("worklist", "--state", "held")
    counted = command("deliveries", "withdraw", "--state", "held", "--reason", "重复录入")
    wrong = command("deliveries", "withdraw", "--state", "held", "--expect", "9", "--reason", "x")
    done = command(
        *("deliveries", "withdraw", "--state", "held", "--expect", "2", "--batch", "1"),
        *("--reason", "重复"),
    )
    both = command("deliveries", "retry", "1", "--state", "held")
    none = command("deliveries", "withdraw", "--state", "held", "--expect", "2", "--reason", "重复")
    all_ = command("deliveries", "park", "--expect", "2", "--reason", "重复")
    after = command("worklist")

    assert "没有符合条件的报送" in none.err
    assert "先写条件" in all_.err
    assert "经办人员：2 件，其中已超期 2" in shown.out
    assert "处罚机关统一社会信用代码：必填项为空" in shown.out
    book = CalamineWorkbook.from_path(str(tmp_path / "work.xlsx"))
    head, *rows_out = book.get_sheet_by_name("工作清单").to_python()
    assert len(rows_out) == 4  # three decisions, a grade change
    last, left = (rows_out[0][head.index(title)] for title in ("期限", "剩余小时"))
    assert (f"{last:%Y-%m-%d %H:%M:%S}", type(left)) == ("2025-06-17 23:59:59", float)
    assert "期限 2025-06-17 23:59，超期" in shown.out
    assert [(one["state"], one["actor"]) for one in listed.objects] == [("held", "经办人员")] * 2
    assert "符合条件的有 2 条，没有改动" in counted.err
    assert "符合条件的有 2 条，不是 9 条，没有改动" in wrong.err
    assert "撤回，不再报送（state held）已完成 2/2，改了 2 条" in done.out
    assert "编号和条件只能用一种" in both.err
    assert "无须处理" in after.out
    assert "经办人员" not in after.out
    codes = [each.code for each in (shown, listed, counted, wrong, done, both, none, all_, after)]
    assert codes == [0, 0, 1, 1, 0, 2, 1, 2, 0]


def test_a_filter_takes_printed_names_and_refuses_unknown_ones(
    command: Command, tmp_path: Path
) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, CF_CFJGDM="", **PAST)))

    titled = command.json("worklist", "--state", "待补正", "--destination", PLATFORM["title"])
    unknown = [
        command("worklist", "--destination", "nosuch"),
        command("worklist", "--authority", AUTHORITY[:3]),
        command("deliveries", "list", "--destination", "nosuch"),
        command("deliveries", "retry", "--destination", "nosuch"),
    ]

    assert len(titled.objects) == 1
    assert [each.code for each in unknown] == [2] * 4
    assert f"没有报送对象 nosuch；现有：platform（{PLATFORM['title']}）" in unknown[0].err
    assert f"；是否指 {AUTHORITY}" in unknown[1].err


def test_bulk_tasks_are_listed_paused_resumed_and_cancelled(
    command: Command, tmp_path: Path
) -> None:
    rows = [penalty(n, CF_CFJGDM="", **PAST) for n in (1, 2)]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))
    command("deliveries", "withdraw", "--state", "held", "--expect", "2", "--reason", "重复")
    [task] = command.json("tasks", "list").objects
    number = str(task["id"])

    shown = command("tasks", "show", number)
    over = [command("tasks", verb, number) for verb in ("pause", "resume", "cancel")]
    unknown = command("tasks", "show", "1")

    assert (task["act"], task["state"], task["done"]) == ("withdraw", "done", 2)
    assert "原因：重复" in shown.out
    assert [each.code for each in (shown, *over, unknown)] == [0, 1, 0, 1, 1]
    assert "没有编号 1 的批量处理" in unknown.err


def test_a_corrected_workbook_makes_a_held_delivery_ready(command: Command, tmp_path: Path) -> None:
    rows = [penalty(1, **PAST), penalty(2, CF_CFJGDM="", **PAST)]
    write(tmp_path / "rows.ndjson", *rows)

    first = command.file("ingest", "rows.ndjson", "--out", "mend.xlsx")
    held = command.json("deliveries", "list", "--state", "held")
    mend(
        tmp_path / "mend.xlsx", tmp_path / "mended.xlsx", "处罚机关统一社会信用代码", AUTHORITY_CODE
    )
    second = command.file("ingest", "mended.xlsx")
    again = command.file("ingest", "rows.ndjson")
    ready = command.json("deliveries", "list", "--state", "ready")

    assert [one["verdict"] for one in first.rows] == ["ok", "incomplete"]
    assert [one["document_number"] for one in held.objects] == [rows[1]["CF_WSH"]]
    assert [one["verdict"] for one in second.rows] == ["ok"]
    assert [one["repeat"] for one in again.rows] == [True, True]
    numbers = [one["document_number"] for one in ready.objects]
    assert sorted(numbers) == [row["CF_WSH"] for row in rows]
    assert [each.code for each in (first, held, second, again, ready)] == [1, 0, 0, 1, 0]


def test_ingest_says_where_the_rows_to_mend_are(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "rows.ndjson", penalty(1, CF_CFJGDM=""))

    ran = command("ingest", "rows.ndjson", "--out", "mend.xlsx")

    assert ran.out.splitlines()[-1] == "有问题的行已写到 mend.xlsx"
    assert (tmp_path / "mend.xlsx").exists()


def test_ingest_says_that_no_row_is_to_mend(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "rows.ndjson", penalty(1, **PAST))

    ran = command("ingest", "rows.ndjson", "--out", "mend.xlsx")

    assert ran.out.splitlines()[-1] == "没有有问题的行，mend.xlsx 里只有表头"


def test_ingest_writes_no_log_lines(database: Database, tmp_path: Path) -> None:
    nobody_scores = SETTINGS | {"scoring": {"bindings": []}}
    command = commanding(database, tmp_path, nobody_scores)

    ran = command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))

    assert (ran.code, ran.err) == (0, "")


def test_a_refused_item_can_be_shown_corrected_and_replayed(
    command: Command, tmp_path: Path
) -> None:
    write(tmp_path / "rows.ndjson", penalty(1, CF_WSH="", **PAST))
    write(tmp_path / "right.json", penalty(1, **PAST))

    ingested = command.file("ingest", "rows.ndjson")
    [one] = command.json("quarantine", "list").objects
    number = one["id"]
    shown = command.json("quarantine", "show", number, "--bytes")
    as_it_was = command.json("quarantine", "replay", number)
    corrected = command.json("quarantine", "replay", number, "--corrected", "right.json")
    left = command.json("quarantine", "list")
    missing = command("quarantine", "show", number + 1000)

    assert ingested.objects[0]["quarantine_id"] == number
    assert one["problems"][0]["field"] == "CF_WSH"
    assert orjson.loads(shown.objects[0]["bytes"])["CF_WSH"] == ""
    assert (as_it_was.code, as_it_was.objects[0]["verdict"]) == (1, "refused")
    assert (corrected.code, corrected.objects[0]["verdict"]) == (0, "ok")
    assert left.out == ""
    assert (missing.code, str(number + 1000) in missing.err) == (1, True)
