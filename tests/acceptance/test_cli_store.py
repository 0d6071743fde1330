"""Commands that work on what the gateway holds, as a user runs them."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from connectors.memory import Step
from connectors.sandbox import PlatformPlace, create_sandbox, serve_sandbox
from gateway.clock import SteppedClock
from gateway.store.engine import Database
from tests.acceptance.command import Command
from tests.conftest import SETTINGS, BuildGateway
from tests.factories import (
    AUTHORITY_CODE,
    IDENTITY,
    REGION,
    credit_code,
    event,
    licence,
    penalty,
    with_check_character,
)
from tests.integration.world import World
from tests.town_rules import NAME as TOWN
from tests.town_rules import write_town_rules

#: Days of a month that is over, whenever this runs.
PAST: dict[str, Any] = {"CF_JDRQ": "2025-06-10", "CF_YXQ": "2026-06-10"}


@pytest.fixture
def command(database: Database, tmp_path: Path) -> Command:
    """The command with the test's database and a configuration file."""
    return commanding(database, tmp_path, SETTINGS)


def commanding(database: Database, folder: Path, settings: dict[str, Any]) -> Command:
    """The command with a database and these settings; the key comes from the environment."""
    key = {"CREDIT_GATEWAY_MASTER_KEY": SETTINGS["master_key"]}
    url = database.engine.url.render_as_string(hide_password=False)
    (folder / "gateway.yaml").write_bytes(orjson.dumps(settings | {"state": str(folder)}))
    return Command(folder, {**key, "CREDIT_GATEWAY_DATABASE_URL": url}, folder / "gateway.yaml")


def write(path: Path, *rows: dict[str, Any]) -> Path:
    """A file of NDJSON."""
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return path


def mend(source: Path, target: Path, header: str, value: str) -> None:
    """What a clerk does: one column filled in, everything else as it was."""
    read = CalamineWorkbook.from_path(str(source))
    with xlsxwriter.Workbook(str(target)) as book:
        for name in read.sheet_names:
            rows = read.get_sheet_by_name(name).to_python()
            column = rows[0].index(header)
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                row[column] = value if number else header
                sheet.write_row(number, 0, row)


def test_a_mended_workbook_lets_a_held_delivery_go(command: Command, tmp_path: Path) -> None:
    rows = [penalty(1, **PAST), penalty(2, CF_CFJGDM="", **PAST)]
    write(tmp_path / "rows.ndjson", *rows)

    first = command.json("ingest", "rows.ndjson", "--out", "mend.xlsx")
    held = command.json("deliveries", "list", "--state", "held")
    mend(
        tmp_path / "mend.xlsx", tmp_path / "mended.xlsx", "处罚机关统一社会信用代码", AUTHORITY_CODE
    )
    second = command.json("ingest", "mended.xlsx")
    again = command.json("ingest", "rows.ndjson")
    ready = command.json("deliveries", "list", "--state", "ready")

    assert [one["verdict"] for one in first.objects] == ["ok", "incomplete"]
    assert [one["document_number"] for one in held.objects] == [rows[1]["CF_WSH"]]
    assert [one["verdict"] for one in second.objects] == ["ok"]
    assert [one["repeat"] for one in again.objects] == [True, True]
    numbers = [one["document_number"] for one in ready.objects]
    assert sorted(numbers) == [row["CF_WSH"] for row in rows]
    assert [each.code for each in (first, held, second, again, ready)] == [1, 0, 0, 1, 0]


def test_what_is_refused_can_be_shown_corrected_and_replayed(
    command: Command, tmp_path: Path
) -> None:
    write(tmp_path / "rows.ndjson", penalty(1, CF_WSH="", **PAST))
    write(tmp_path / "right.json", penalty(1, **PAST))

    ingested = command.json("ingest", "rows.ndjson")
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


async def test_a_rejected_delivery_is_shown_with_its_attempts_and_retried(
    command: Command, database: Database, clock: SteppedClock, build_gateway: BuildGateway
) -> None:
    world = World(await build_gateway(database), clock)
    world.connector().play(Step.REJECT)
    await world.take(penalty(1))
    await world.turn()
    [number] = await world.column("select id from delivery where destination = 'platform'")

    shown = await asyncio.to_thread(command.json, "deliveries", "show", number)
    told = await asyncio.to_thread(command, "deliveries", "show", number)
    retried = await asyncio.to_thread(
        command.json, "deliveries", "retry", "-", given=f"{number}\n{number + 1000}\n"
    )

    [row] = shown.objects
    assert (row["id"], row["state"], row["reasons"]) == (number, "rejected", ["样例退回"])
    assert [attempt["outcome"] for attempt in row["attempts_made"]] == ["rejected"]
    assert "样例退回" in told.out
    assert retried.objects == [
        {"id": number, "retried": True},
        {"id": number + 1000, "retried": False},
    ]
    assert retried.code == 1
    assert await world.states() == ["ready"]
    await world.turn()
    assert await world.states() == ["accepted"]


async def test_reconcile_lists_what_the_platform_does_not_show(
    database: Database, clock: SteppedClock, build_gateway: BuildGateway, tmp_path: Path
) -> None:
    sandbox = create_sandbox(clock, {"platform": PlatformPlace()})
    async with serve_sandbox(sandbox) as url:
        platform = {
            **SETTINGS["destinations"][0],
            "connector": "platform-json",
            "settings": {"url": f"{url}/platform", "allow_private": True},
        }
        settings = {**SETTINGS, "destinations": [platform, SETTINGS["destinations"][1]]}
        world = World(await build_gateway(database, destinations=settings["destinations"]), clock)
        command = commanding(database, tmp_path, settings)
        month = ("--since", "2026-10-01", "--until", "2026-10-31")
        hidden = penalty(1)
        await world.take(hidden, penalty(2), licence(3))
        await world.turn()

        same = await asyncio.to_thread(command.json, "reconcile", "platform", *month)
        sandbox.order("platform", hidden=[hidden["CF_WSH"]])
        other = await asyncio.to_thread(command.json, "reconcile", "platform", *month)
        unknown = await asyncio.to_thread(command, "reconcile", "nonsense")
        await world.deliverer().close()

    assert (same.code, same.objects) == (0, [])
    [difference] = other.objects
    assert other.code == 1
    assert hidden["CF_WSH"] in difference["key"]
    assert {"id", "destination", "kind", "key", "cause"} <= set(difference)
    assert (unknown.code, "nonsense" in unknown.err) == (2, True)


def test_a_month_is_frozen_once_and_printed_as_often_as_asked(
    command: Command, tmp_path: Path
) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST), penalty(2, **PAST)))

    first = command.json("ledger", "2025-06", "--out", "ledger.xlsx")
    again = command("ledger", "2025-06")
    wrong = command("ledger", "2025-13")

    assert [each.code for each in (first, again, wrong)] == [0, 0, 2]
    assert (first.objects[0]["version"], first.objects[0]["made"]) == (1, True)
    assert all("name" in one for one in first.objects)
    assert "第 1 版（与上次相同" in again.out
    assert CalamineWorkbook.from_path(str(tmp_path / "ledger.xlsx")).sheet_names


def test_assessments_are_verified_and_the_database_is_brought_up_to_date(
    command: Command, tmp_path: Path
) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))

    verified = command.json("verify", "--assessments")
    upgraded = command("db", "upgrade")
    unsaid = command("verify")

    assert verified.objects == [{"name": "assessments", "verified": 1, "different": 0}]
    assert [verified.code, upgraded.code, unsaid.code] == [0, 0, 2]


def test_explain_says_why_until_when_and_what_a_repair_would_change(
    database: Database, tmp_path: Path
) -> None:
    bound = {"rule_set": "nm-2023-draft", "regions": [REGION], "measures": ["nm-2023-draft"]}
    command = commanding(database, tmp_path, SETTINGS | {"scoring": {"bindings": [bound]}})
    rows = [
        penalty(1, CF_CFLB="罚款;责令停产停业", CF_NR_FK="12.5", **PAST),
        penalty(2, CF_CFLB="警告", CF_NR_FK=None, **PAST),
    ]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))

    said = command("explain", credit_code(1), "--as-of", "2026-01-10")
    [found] = command.json("explain", credit_code(1), "--as-of", "2026-01-10").objects

    assert said.code == 0
    assert "得分 94，等级 B（环保良好单位）" in said.out
    assert "−5分 E09 停产整治（附件1）" in said.out
    assert "未对应 警告：计0分，请人查看，样环罚字〔2026〕2号" in said.out
    assert "假定 2026-01-10 整改，最早 2026-03-10 确认修复，得分 100，等级 A" in said.out
    assert "开始 双随机抽查比例为原比例的30%" in said.out
    assert (found["assessment"]["score"], found["assessment"]["grade"]) == ("94", "B")
    [repair] = found["repairs"]
    assert (repair["confirmed_on"], repair["grade"], repair["grade_without"]) == (
        "2026-03-10",
        "A",
        "B",
    )
    assert [one["id"] for one in repair["measures_begin"]] == ["inspection-a", "publicity"]
    assert {one["published"] for one in found["publicity"].values()} == {"yes", "no"}


def test_explain_says_that_nothing_was_known_then_or_that_a_code_cannot_be_one(
    command: Command, tmp_path: Path
) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))

    [found] = command.json("explain", f" {credit_code(1).lower()}").objects
    then = command("explain", credit_code(1), "--known-at", "2025-07-01")
    nobody = command("explain", "xyz")

    assert found["id"] == credit_code(1)
    assert (then.code, then.out) == (1, "")
    assert (nobody.code, "18" in nobody.err) == (1, True)


def test_doctor_lists_authorities_whose_names_and_codes_quarrel(
    command: Command, tmp_path: Path
) -> None:
    other = with_check_character(f"11{REGION}000000002")
    rows = [penalty(1, **PAST), penalty(2, CF_CFJGDM=other, **PAST)]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))

    said = command("doctor")

    assert said.code == 1
    assert "1 处名称与代码不一一对应" in said.out
    assert AUTHORITY_CODE in said.out
    assert "评价办法文本" in said.out


def test_a_new_text_is_compared_proposed_approved_and_listed(
    database: Database, tmp_path: Path
) -> None:
    rules = tmp_path / "rules"
    write_town_rules(rules, points=5)
    scoring = {
        "bindings": [{"rule_set": TOWN, "regions": [REGION]}],
        "rule_set_folders": [str(rules)],
        "activation_share": "1",
    }
    command = commanding(database, tmp_path, SETTINGS | {"scoring": scoring})
    rows = [penalty(number, number, **PAST) for number in (1, 2, 3)]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))
    write_town_rules(rules, points=30)

    too_early = command("rules", "activate", TOWN, "--from", "2030-01-01", "--by", "张三")
    compared = command("rules", "diff", TOWN, TOWN, "--store")
    proposed = command("rules", "activate", TOWN, "--from", "2030-01-01", "--by", "张三")
    same = command("rules", "approve", TOWN, "--by", "张三")
    approved = command("rules", "approve", TOWN, "--by", "李四")
    [_, listed] = command.json("rules", "activations").objects

    assert (too_early.code, "没有24小时内的比较" in too_early.err) == (1, True)
    assert f"{credit_code(1)} 好 → 差（降，95 → 70 分）" in compared.out
    assert "3 个对象，等级改变 3 个" in compared.out
    assert "待第二人批准；比较 3 家，3 家等级变动" in proposed.out
    assert (same.code, "须由另一人批准" in same.err) == (1, True)
    assert "已批准，到日启用" in approved.out
    assert (listed["state"], listed["approved_by"], listed["flips"]) == ("approved", "李四", 3)


def test_explain_takes_a_person_by_standard_input_and_shows_a_pseudonym(
    database: Database, tmp_path: Path
) -> None:
    bound = {"rule_set": "nm-2023-draft", "kinds": ["individual"]}
    command = commanding(database, tmp_path, SETTINGS | {"scoring": {"bindings": [bound]}})
    conduct = event(1, subject_code=None, identity_number=IDENTITY, type="individual.bad_service",
                    kind="event", details={"department": "甲局"})  # fmt: skip
    command("ingest", write(tmp_path / "rows.ndjson", conduct))

    said = command("explain", "-", given=IDENTITY)

    assert "从业人员" in said.out
    assert "P04" in said.out
    assert IDENTITY not in said.out
    assert "person:" not in said.out
