"""A clerk carries files to a platform that has only a web page."""

import json
import stat
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from gateway.config.clock import system_clock
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from tests.acceptance.command import Command, Ran, commanding
from tests.conftest import BANK, PLATFORM, SETTINGS
from tests.connectors.templates import parts
from tests.factories import IDENTITY, penalty, person_penalty

PAGE: dict[str, Any] = {**PLATFORM, "name": "page", "connector": "excel-template", "settings": {}}


@pytest.fixture
def clerk(database: Database, tmp_path: Path) -> Command:
    """The command with a platform that has only a web page."""
    return commanding(database, tmp_path, {**SETTINGS, "destinations": [PAGE, BANK]})


def now() -> str:
    return f"{system_clock().astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def take(clerk: Command, *rows: dict[str, Any]) -> None:
    assert clerk("ingest", "-", given=json.dumps(rows)).code == 0


def make(clerk: Command, *more: object) -> dict[str, Any]:
    [made] = clerk.json("upload", "make", "page", "--by", "李四", *more).objects
    return made


def refused(ran: Ran, code: int, said: str) -> None:
    assert ran.code == code, ran.err
    assert said in ran.err


def test_a_file_is_for_the_clerk_alone_and_stands_on_the_lists(
    clerk: Command, tmp_path: Path
) -> None:
    take(clerk, penalty(1), person_penalty(2))
    out = tmp_path / "page.xlsx"

    made = clerk("upload", "make", "page", "--by", "李四", "--out", out)

    assert made.code == 0, made.err
    assert "2 行写到" in made.out
    assert "1 行有自然人的证件号码，只供上报到平台" in made.out
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    cells = [cell.value for row in openpyxl.load_workbook(out)["行政处罚"].rows for cell in row]
    assert {"样环罚字〔2026〕1号", IDENTITY} <= set(cells)
    [listed] = clerk.json("upload", "list").objects
    assert "在 李四 手里 不到 1 小时，最早期限 2026-10-16" in clerk("upload", "list").out
    number = listed["upload"]["id"]
    assert f"上报了的用 upload done {number} 登记" in clerk("worklist").out
    assert clerk("upload", "make", "page").out == "page 没有待报送的\n"


def test_an_upload_is_entered_with_a_picture_and_the_results_are_read(
    clerk: Command, tmp_path: Path
) -> None:
    take(clerk, penalty(1), person_penalty(2))
    number = make(clerk, "--out", tmp_path / "page.xlsx")["id"]
    picture, results, back = (tmp_path / name for name in ("截图.png", "结果.xlsx", "back.png"))
    picture.write_bytes(b"\x89PNG a picture")
    with xlsxwriter.Workbook(str(results)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["文书号", "审核状态", "失败原因"])
        sheet.write_row(1, 0, ["样环罚字〔2026〕1号", "审核通过", ""])
        sheet.write_row(2, 0, ["样环罚字〔2026〕2号", "审核不通过", "未查询到主体"])

    done = clerk("upload", "done", number, "--by", "李四", "--at", now(), "--attach", picture)
    answers = clerk("upload", "answers", number, results)

    assert "2 条记为已送达无回执" in done.out
    assert answers.out == f"批次 {number}：入库 1 条，退回 1 条\n"
    shown = clerk("upload", "show", number)
    assert "样环罚字〔2026〕2号 被退回（未查询到主体）" in shown.out
    assert IDENTITY not in shown.out
    [about] = clerk.json("upload", "show", number).objects
    first = about["files"][0]["id"]
    assert clerk("upload", "show", number, "--attachment", first, "--out", back).code == 0
    assert back.read_bytes() == picture.read_bytes()
    assert clerk("upload", "list").out == "没有在人手里的批次；已了结的用 --all 列出\n"
    assert "无回执 0，入库 1，退回 1" in clerk("upload", "list", "--all").out


def test_what_a_clerk_may_not_say_is_refused_with_what_to_do(
    clerk: Command, tmp_path: Path
) -> None:
    take(clerk, penalty(1))
    number = make(clerk, "--out", tmp_path / "a.xlsx")["id"]
    at = ("--at", now())

    refused(clerk("upload", "make", "nowhere"), 2, "没有报送对象 nowhere；由人上报的有：page")
    refused(clerk("upload", "make", "bank"), 2, "bank 由程序报送，不用人上报")
    refused(clerk("upload", "list", "nowhere"), 2, "没有报送对象 nowhere")
    refused(clerk("upload", "make", "page", "--out", "x.xls"), 2, "应以 .xlsx 结尾")
    refused(clerk("upload", "done", number, "--at", "昨天"), 2, "不是时间")
    refused(clerk("upload", "done", number, "--at", "2099-01-01 09:00"), 2, "还没到")
    refused(clerk("upload", "done", number, "--at", "2026-10-01 09:00"), 1, "早于下载的时间")
    refused(clerk("upload", "done", number, *at, "--rejected", "2"), 2, "写成 行号=原因")
    refused(clerk("upload", "done", number, *at, "--except", "9"), 1, "没有第 9 行")
    refused(clerk("upload", "done", number, *at, "--attach", "none.png"), 2, "没有文件")
    refused(clerk("upload", "done", 999, *at), 1, "没有批次 999")
    refused(clerk("upload", "undone", number, "--reason", " "), 2, "请写明原因")
    refused(clerk("upload", "show", number, "--attachment", "1"), 2, "取附件要写 --out")

    assert clerk("upload", "undone", number, "--reason", "页面打不开").code == 0
    refused(clerk("upload", "undone", number, "--reason", "再说"), 1, "登记为未上报")
    refused(clerk("upload", "file", number), 1, "登记为未上报")
    events = {one["event"] for one in clerk.json("audit", "list").objects}
    assert {"upload_made", "upload_undone", "delivery_resolved", "action_refused"} <= events


def test_the_screen_says_what_needs_more_than_the_file(clerk: Command, tmp_path: Path) -> None:
    take(clerk, penalty(1), penalty(2, 2))
    first = make(clerk, "--out", tmp_path / "a.xlsx")["id"]
    assert clerk("upload", "done", first, "--at", now()).code == 0
    take(clerk, penalty(1, CF_NR="改"), penalty(2, 2, verb="withdraw"))

    made = clerk("upload", "make", "page", "--out", tmp_path / "b.xlsx").out

    assert "1 条是更正（样环罚字〔2026〕1号）：平台上已有旧的" in made
    assert "样环罚字〔2026〕2号 要在平台页面上办理“撤回”" in made


def test_only_what_the_template_shows_of_a_person_is_warned_of(
    clerk: Command, database: Database, tmp_path: Path
) -> None:
    settings = {"sheets": {"penalty": {"left_out": ["CF_XDR_ZJHM"]}}}
    without = commanding(
        database, tmp_path, {**SETTINGS, "destinations": [{**PAGE, "settings": settings}, BANK]}
    )
    take(without, person_penalty(1))

    made = without("upload", "make", "page", "--out", tmp_path / "a.xlsx")

    assert made.code == 0, made.err
    assert "证件号码" not in made.out
    assert IDENTITY.encode() not in b"".join(parts((tmp_path / "a.xlsx").read_bytes()).values())


def test_the_list_of_connectors_says_who_carries(clerk: Command) -> None:
    listed = clerk("connector", "list").out
    objects = clerk.json("connector", "list").objects

    told = "由人上报（upload make page），每个文件最多 1000 行"
    assert f"报送对象 page（excel-template）：{told}" in listed
    destinations = [one for one in objects if "destination" in one]
    assert [one["by_person"] for one in destinations] == [True, False]


def test_a_lost_file_is_had_again_byte_for_byte(clerk: Command, tmp_path: Path) -> None:
    take(clerk, penalty(1))
    out, anew = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    number = make(clerk, "--out", out)["id"]

    ran = clerk("upload", "file", number, "--by", "王五", "--out", anew)

    assert ran.code == 0, ran.err
    assert anew.read_bytes() == out.read_bytes()
    assert "王五：再次下载" in clerk("upload", "show", number).out


def test_a_template_that_went_away_stops_every_command_with_its_name(
    clerk: Command, database: Database, tmp_path: Path
) -> None:
    settings = {"template": str(tmp_path / "none.xlsx"), "sheets": {"penalty": {}}}
    broken = commanding(
        database, tmp_path, {**SETTINGS, "destinations": [{**PAGE, "settings": settings}, BANK]}
    )
    ran = broken("upload", "make", "page")

    refused(ran, 2, "destinations page excel-template：template：")
    assert "没有这个文件" in ran.err


def test_the_plan_of_a_page_says_that_a_person_carries_files_there(
    clerk: Command, tmp_path: Path
) -> None:
    take(clerk, *(penalty(n, n) for n in range(1, 4)))
    make(clerk, "--most", 1, "--out", tmp_path / "page.xlsx")

    said = clerk("deliveries", "plan", "page")
    [one, other] = clerk.json("deliveries", "plan", "page").objects

    assert "由人上报，没有程序会发；文件用 upload make page 下载" in said.out
    assert "时 报送" not in said.out
    assert "另有 1 条在人手里的文件里" in said.out
    assert one["sent_at"] is other["sent_at"] is None
