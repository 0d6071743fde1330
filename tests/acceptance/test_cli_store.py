"""Commands on stored data, as a user runs them."""

import asyncio
from datetime import timedelta
from pathlib import Path

import orjson
import xlsxwriter
from python_calamine import CalamineWorkbook

from connectors.memory import Step
from connectors.sandbox import PlatformPlace, create_sandbox, serve_sandbox
from gateway.config.clock import SteppedClock
from gateway.store.base.engine import Database
from schemas.delivery import NOT_CALLED, NOTHING_TO_WITHDRAW, UNUSABLE, OutcomeKind
from tests.acceptance.command import PAST, Command, commanding, told, write
from tests.conftest import BANK, PLATFORM, SETTINGS, BuildGateway
from tests.factories import (
    AUTHORITY_CODE,
    licence,
    penalty,
)
from tests.integration.world import World


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

    assert told.code == 0
    assert "第1行 样环罚字〔2026〕1号 合格；platform 已被新版本取代，此后有新版本" in told.out
    assert "第2行 样环罚字〔2026〕2号 待补正；platform 待补正" in told.out
    assert "拒收，隔离区编号" in told.out
    assert "不予报送（涉密决定）" in told.out
    assert "共 4 条" in told.out
    assert [one["verdict"] for one in objects] == ["ok", "incomplete", "refused", "ok"]
    book = CalamineWorkbook.from_path(str(tmp_path / "fate.xlsx"))
    assert len(book.get_sheet_by_name("来件去向").to_python()) == 5
    assert (nothing.code, "没有收到过来自 file:000" in nothing.err) == (1, True)


def test_the_work_list_is_shown_exported_and_acted_on_by_a_filter(
    command: Command, tmp_path: Path
) -> None:
    rows = [penalty(n, CF_CFJGDM="" if n < 3 else AUTHORITY_CODE, **PAST) for n in (1, 2, 3)]
    command("ingest", write(tmp_path / "rows.ndjson", *rows))

    shown = command("worklist", "--by", "actor", "--out", "work.xlsx")
    listed = command.json("worklist", "--state", "held")
    counted = command("deliveries", "withdraw", "--state", "held", "--reason", "重复录入")
    wrong = command("deliveries", "withdraw", "--state", "held", "--expect", "9", "--reason", "x")
    done = command("deliveries", "withdraw", "--state", "held", "--expect", "2", "--reason", "重复")
    both = command("deliveries", "retry", "1", "--state", "held")
    after = command("worklist")

    assert "经办人员：2 件，其中已超期 2" in shown.out
    assert "处罚机关统一社会信用代码：必填项为空" in shown.out
    book = CalamineWorkbook.from_path(str(tmp_path / "work.xlsx"))
    assert (
        len(book.get_sheet_by_name("工作清单").to_python()) == 5
    )  # the head, three decisions, a grade change
    assert [(one["state"], one["actor"]) for one in listed.objects] == [("held", "经办人员")] * 2
    assert "符合条件的有 2 条，没有改动" in counted.err
    assert "符合条件的有 2 条，不是 9 条，没有改动" in wrong.err
    assert done.out.count("已撤回，不再报送") == 2
    assert "编号和条件只能用一种" in both.err
    assert "无须处理" in after.out
    assert "经办人员" not in after.out
    codes = [each.code for each in (shown, listed, counted, wrong, done, both, after)]
    assert codes == [0, 0, 1, 1, 0, 2, 0]


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


async def test_a_person_resolves_parks_resumes_and_withdraws_deliveries(
    command: Command, database: Database, clock: SteppedClock, build_gateway: BuildGateway
) -> None:
    asked = [{**PLATFORM, "settings": {"on_unknown": "person"}}, BANK]
    world = World(await build_gateway(database, destinations=asked), clock)
    world.connector().play(Step.LOSE_ANSWER, Step.LOSE_ANSWER)
    world.connector()._settings = world.connector()._settings.model_copy(update={"batch_size": 1})
    await world.take(penalty(1))
    await world.turn()
    await world.take(penalty(2))
    await world.turn()
    await world.take(penalty(3))
    assert await world.states() == ["unknown", "unknown", "ready"]
    first, second, third = await world.column("select id from delivery where destination = "
                                              "'platform' order by id")  # fmt: skip

    async def say(*words: object) -> list[dict[str, object]]:
        ran = await asyncio.to_thread(command.json, "deliveries", *words)
        return ran.objects

    def became(id_: int, state: str, **changed: bool) -> list[dict[str, object]]:
        return [{"id": id_, **changed, "state": state}]

    why = ("--reason", "电话核实")
    assert await say("resolve", first, "--arrived", *why) == became(
        first, "accepted_blind", changed=True
    )
    assert await say("resolve", second, "--absent", *why) == became(second, "ready", changed=True)
    assert await say("park", third, *why) == became(third, "parked", changed=True)
    assert await world.states() == ["accepted_blind", "ready", "parked"]
    assert await say("park", first, *why) == became(first, "accepted_blind", changed=False)
    assert await say("retry", third) == became(third, "ready", retried=True)
    assert await say("withdraw", third, *why) == became(third, "withdrawn", changed=True)
    await world.turn()

    assert await world.states() == ["accepted_blind", "accepted", "withdrawn"]
    told = await world.column(
        "select detail ->> 'reason' from audit_event where event like 'delivery_%' order by at"
    )
    assert told == ["电话核实"] * 3 + [None, "电话核实"]


def test_a_blank_reason_is_refused(command: Command) -> None:
    assert told(command("deliveries", "park", "1", "--reason", " "), 2, "请写明原因")


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
    missing = await asyncio.to_thread(command, "deliveries", "retry", number, number + 1000)

    [row] = shown.objects
    assert (row["id"], row["state"], row["reasons"]) == (number, "rejected", ["样例退回"])
    assert [attempt["outcome"] for attempt in row["attempts_made"]] == ["rejected"]
    assert "报送 被退回 样例退回" in told.out
    assert retried.objects == [
        {"id": number, "retried": True, "state": "ready"},
        {"id": number + 1000, "retried": False, "state": None},
    ]
    assert f"{number + 1000} 没有这个编号" in missing.out
    assert f"{number} 状态是“待报送”，不允许" in missing.out
    assert retried.code == 1
    assert await world.states() == ["ready"]
    await world.turn()
    assert await world.states() == ["accepted"]


async def test_every_end_of_an_attempt_and_each_receipt_is_shown(
    command: Command, database: Database, clock: SteppedClock, build_gateway: BuildGateway
) -> None:
    world = World(await build_gateway(database), clock)
    await world.take(penalty(1))
    await world.turn()
    number = await world.value("select id from delivery where destination = 'platform'")
    for outcome in (NOT_CALLED, NOTHING_TO_WITHDRAW, UNUSABLE, *OutcomeKind):
        clock.step(timedelta(seconds=1))
        await world.run(
            "insert into attempt (delivery_id, lease_token, started_at, act, outcome) "
            "values (:number, gen_random_uuid(), :now, 'send', :outcome)",
            number=number,
            now=clock(),
            outcome=outcome,
        )
    clock.step(timedelta(seconds=1))
    await world.run(
        "insert into receipt (delivery_id, accepted, reasons, platform_at, received_at) "
        "values (:number, false, '[\"缺印章\"]', :now, :now)",
        number=number,
        now=clock(),
    )

    shown = await asyncio.to_thread(command, "deliveries", "show", number)
    told = await asyncio.to_thread(command.json, "deliveries", "show", number)

    assert shown.code == 0, shown.err
    assert "报送 没有发出" in shown.out
    assert "未知" not in shown.out
    assert shown.out.splitlines()[-1].endswith("缺印章")
    assert "回执 被退回（平台 " in shown.out
    assert [one["reasons"] for one in told.objects[0]["receipts"]] == [["缺印章"]]


async def test_reconcile_lists_decisions_that_the_platform_does_not_show(
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
