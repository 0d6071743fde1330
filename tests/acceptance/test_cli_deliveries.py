"""A person works on deliveries: shown, retried, parked, withdrawn, reconciled."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from connectors.memory import Step
from connectors.sandbox import PlatformPlace, create_sandbox, serve_sandbox
from gateway.config.clock import SteppedClock
from gateway.deliver.bulk import BulkAct, start
from gateway.store.base.engine import Database
from gateway.store.deliver.worklist import Wanted
from schemas.delivery import NOT_CALLED, NOTHING_TO_WITHDRAW, UNUSABLE, OutcomeKind
from tests.acceptance.command import Command, commanding, told, write
from tests.conftest import BANK, PLATFORM, SETTINGS, BuildGateway
from tests.factories import (
    licence,
    penalty,
)
from tests.integration.world import World


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


async def test_doctor_tells_which_destination_is_given_up_for_now(
    command: Command, database: Database, tmp_path: Path
) -> None:
    rows = write(tmp_path / "rows.ndjson", penalty(1))
    await asyncio.to_thread(command, "ingest", rows)
    async with database.transaction() as connection:
        await connection.execute(
            text("update destination set breaker = 'open' where name = :name"),
            {"name": PLATFORM["name"]},
        )

    said = await asyncio.to_thread(command, "doctor")

    assert f"异常 报送中断：{PLATFORM['title']}：多次报送不成" in said.out
    assert "正常 数据库版本：PostgreSQL 18." in said.out
    assert "正常 密钥：主密钥 " in said.out
    assert "加密密钥第 1 版" in said.out
    assert "正常 通知：0 个联系人；没有经办人员、运维人员、负责人" in said.out


def test_an_act_without_number_or_filter_is_wrong_use(command: Command) -> None:
    for words in (("retry",), ("park", "--reason", "x")):
        assert told(command("deliveries", *words), 2, "没有写报送的编号或条件")


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


@pytest.fixture
async def hidden_one(
    database: Database, clock: SteppedClock, build_gateway: BuildGateway, tmp_path: Path
) -> AsyncIterator[tuple[Command, str]]:
    """A command, and the number of a decision that the platform shows no more."""
    sandbox = create_sandbox(clock, {"platform": PlatformPlace()})
    async with serve_sandbox(sandbox) as url:
        platform = {
            **SETTINGS["destinations"][0],
            "connector": "platform-json",
            "settings": {"url": f"{url}/platform", "allow_private": True},
            "shown_within": "PT0S",
        }
        settings = {**SETTINGS, "destinations": [platform, SETTINGS["destinations"][1]]}
        world = World(await build_gateway(database, destinations=settings["destinations"]), clock)
        hidden = penalty(1)
        await world.take(hidden, penalty(2), licence(3))
        await world.turn()
        command = commanding(database, tmp_path, settings)
        same = await asyncio.to_thread(command.json, "reconcile", "platform", *MONTH)
        assert (same.code, same.objects) == (0, [])
        sandbox.order("platform", hidden=[hidden["CF_WSH"]])
        yield command, hidden["CF_WSH"]
        await world.deliverer().close()


MONTH = ("--since", "2026-10-01", "--until", "2026-10-31")


async def test_reconcile_lists_decisions_that_the_platform_does_not_show(
    hidden_one: tuple[Command, str],
) -> None:
    command, number = hidden_one

    other = await asyncio.to_thread(command.json, "reconcile", "platform", *MONTH)
    unknown = await asyncio.to_thread(command, "reconcile", "nonsense")

    [difference] = other.objects
    assert other.code == 1
    assert number in difference["key"]
    assert difference["side"] == "platform"
    assert [flag["kind"] for flag in difference["flags"]] == ["not_visible"]
    assert (unknown.code, "nonsense" in unknown.err) == (2, True)


async def test_a_difference_is_listed_until_a_person_explains_it(
    hidden_one: tuple[Command, str],
) -> None:
    command, _ = hidden_one
    await asyncio.to_thread(command, "reconcile", "platform", *MONTH)
    listed = await asyncio.to_thread(command.json, "differences", "list")
    work = await asyncio.to_thread(command, "worklist")
    number, why = str(listed.objects[0]["id"]), ("--reason", "平台已受理")

    broken = command.folder / "登记.csv"
    broken.write_text("no register", encoding="utf-8")
    unread = await asyncio.to_thread(command, "reconcile", "--file", broken)
    after = await asyncio.to_thread(command, "worklist")
    explained = await asyncio.to_thread(command, "differences", "explain", number, *why)
    left = await asyncio.to_thread(command.json, "differences", "list")
    every = await asyncio.to_thread(command, "differences", "list", "--all")
    nothing = await asyncio.to_thread(command, "differences", "explain", "1", *why)

    assert "对账差异未了结 1 条（platform 1）" in work.out
    assert (unread.code, "没有做成" in after.out) == (3, False)  # who read it was told
    story = await asyncio.to_thread(command, "trail", hidden_one[1].replace("〔", "("))
    told = ("收到", "记为第 1 版", "应报 platform", "有效入库", "对账有差异")
    assert [word for word in told if word not in story.out] == []
    assert "对账有差异：已报送未见公示：" in story.out
    assert "not_visible" not in story.out
    places = [story.out.index(word) for word in told]
    assert places == sorted(places)
    assert (explained.code, left.objects, nothing.code) == (0, [], 1)
    assert "已说明" in every.out
    assert "平台已受理" in every.out


async def test_a_task_with_which_nobody_goes_on_stands_on_the_work_list(
    command: Command, database: Database, clock: SteppedClock, build_gateway: BuildGateway
) -> None:
    world = World(await build_gateway(database, destinations=[PLATFORM]), clock)
    await world.take(penalty(1), penalty(2, 2))
    chosen = Wanted(destination="platform"), 2, "重复", "样例经办人"
    long_ago = clock() - timedelta(days=1)
    number = await start(database, BulkAct.PARK, *chosen, long_ago)  # and its process was killed

    before = await asyncio.to_thread(command, "worklist")
    resumed = await asyncio.to_thread(command, "tasks", "resume", number)
    after = await asyncio.to_thread(command, "worklist")

    assert (
        f"批量处理 {number} 没有做完（挂起 0/2，样例经办人）：tasks resume {number}" in before.out
    )
    assert resumed.code == 0
    assert "没有做完" not in after.out


async def test_columns_of_a_register_that_are_not_known_are_told(
    command: Command, database: Database, clock: SteppedClock, build_gateway: BuildGateway
) -> None:
    world = World(await build_gateway(database, destinations=[PLATFORM]), clock)
    await world.take(penalty(1))
    register = command.folder / "登记.csv"
    register.write_text(
        "CF_WSH,CF_JDRQ,CF_CFJG,统一社会信用代码,经办人\n"
        f"{penalty(1)['CF_WSH']},2026-10-09,{penalty(1)['CF_CFJG']},91150100MA0N999929,张三\n",
        encoding="utf-8",
    )

    compared = await asyncio.to_thread(command, "reconcile", "--file", register, *MONTH)

    assert "登记中有不认识的列，没有比较：“统一社会信用代码”像是“行政相对人代码_1" in compared.out
    assert "经办人" not in compared.out


async def test_the_plan_says_what_will_be_sent_when_and_what_will_be_late(
    database: Database, tmp_path: Path
) -> None:
    slow = PLATFORM | {
        "settings": {"batch_size": 1},
        "rates": [{"calls": 1, "within": "P1D"}],
        "clocks": ["working-7"],
    }
    limited = commanding(database, tmp_path, SETTINGS | {"destinations": [slow, BANK]})
    rows = write(tmp_path / "rows.ndjson", *(penalty(n, n) for n in range(1, 31)))
    await asyncio.to_thread(limited, "ingest", rows)

    said = await asyncio.to_thread(limited, "deliveries", "plan", PLATFORM["title"], "--limit", 1)
    listed = await asyncio.to_thread(limited.json, "deliveries", "plan", "platform")

    assert said.code == listed.code == 1
    assert "每 86400 秒至多 1 次" in said.out
    assert "时 报送 1 条" in said.out
    assert "…… 会超期的共 " in said.out
    assert len(listed.objects) == 30
    assert sum(one["late"] for one in listed.objects) > 0
    unknown = await asyncio.to_thread(limited, "deliveries", "plan", "nobody")
    assert "没有报送对象“nobody”；现有：platform" in unknown.err
