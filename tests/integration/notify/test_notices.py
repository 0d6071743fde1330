"""Notices through a real mail server and a real web hook, from what really needs a person."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from aiosmtpd.controller import Controller

from gateway.config.errors import BadConfiguration
from gateway.service.noticing import build_notifier
from gateway.store.base import leases
from schemas.base import SHANGHAI
from tests.conftest import BANK, PLATFORM
from tests.connectors.raw_server import answer, raw_server, request_of
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.post import Post, free_port
from tests.integration.world import World

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
BOX: dict[str, Any] = {
    "host": "127.0.0.1",
    "security": "none",
    "sender": "gateway@bureau.example",
    "to": "clerk@bureau.example",
}


@pytest.fixture
async def post() -> AsyncIterator[tuple[Post, dict[str, Any]]]:
    post = Post()
    port = free_port()
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    yield post, {**BOX, "port": port}
    controller.stop()


@pytest.fixture
def no_other_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of a test differs from that of the database, and its ledgers are late."""
    monkeypatch.setattr("gateway.service.noticing.stored_parts", lambda _built: {})


def clerk(mail: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {"name": "张三", "roles": ["clerk"], "mail": mail, **given}


async def watched(make_world: MakeWorld, *contacts: dict[str, Any], **more: Any) -> World:
    notify = {"contacts": list(contacts), "morning": None, **more}
    return await make_world(destinations=[PLATFORM, BANK], notify=notify)


@pytest.mark.usefixtures("no_other_part")
async def test_what_is_overdue_is_told_once_and_that_it_is_over_once(
    make_world: MakeWorld, post: tuple[Post, dict[str, Any]]
) -> None:
    server, mail = post
    world = await watched(make_world, clerk(mail))
    notifier = build_notifier(world.gateway)
    await world.take(penalty(CF_NR=""))  # held: a column is missing
    assert await notifier.look() == 0
    world.clock.step(30 * DAY)
    assert await notifier.look() == 1
    assert await notifier.look() == 0
    [told] = server.mails
    text = told.get_content()
    assert server.told() == ["有报送已超期"]
    assert "样环罚字〔2026〕1号" in text
    assert "credit-gateway worklist" in text

    await world.take(penalty())
    await world.turn()
    assert await notifier.look() == 1
    assert await notifier.look() == 0

    assert server.told() == ["已恢复：有报送已超期"]
    assert await world.value("select count(*) from notice") == 0


@pytest.mark.usefixtures("no_other_part")
async def test_a_mail_that_is_refused_is_tried_again_and_the_reason_is_in_the_log(
    make_world: MakeWorld,
    post: tuple[Post, dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, mail = post
    world = await watched(make_world, clerk(mail))
    notifier = build_notifier(world.gateway)
    await world.take(penalty(CF_NR=""))
    world.clock.step(30 * DAY)
    server.refuse = "452 full"
    assert await notifier.look() == 0
    server.refuse = ""
    assert await notifier.look() == 1

    assert server.told() == ["有报送已超期"]
    [logged] = [one for one in caplog.records if one.getMessage() == "notice_not_sent"]
    assert "拒收：452 full" in logged.error  # type: ignore[attr-defined]


@pytest.mark.usefixtures("no_other_part")
async def test_the_list_of_the_morning_comes_once_a_day_and_names_who_must_act(
    make_world: MakeWorld, post: tuple[Post, dict[str, Any]]
) -> None:
    server, mail = post
    world = await watched(make_world, clerk(mail), morning="08:30")
    notifier = build_notifier(world.gateway)
    await world.take(penalty(CF_NR=""))
    await world.turn()
    day = world.clock().astimezone(SHANGHAI).date() + DAY
    for hour in (7, 9, 10, 13):
        world.clock.step(datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)
                         - world.clock())  # fmt: skip
        await notifier.look()

    [told] = server.mails
    assert told["Subject"] == f"{day:%m月%d日}：今天到期 0 件，另待经办人员处理 1 件"
    assert "待经办人员 样环罚字〔2026〕1号" in told.get_content()
    world.clock.step(DAY)
    await notifier.look()
    assert len(server.mails) == 2
    assert await world.value("select count(*) from notice") == 1


@pytest.mark.usefixtures("no_other_part")
async def test_a_web_hook_is_told_too_and_two_processes_tell_it_once(
    make_world: MakeWorld,
) -> None:
    heard: list[dict[str, Any]] = []

    async def hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(orjson.loads((await request_of(reader)).partition(b"\r\n\r\n")[2]))
        writer.write(answer(b"{}"))
        await writer.drain()

    async with raw_server(hook) as url:
        address = url.replace("http://", "json://")
        world = await watched(make_world, {"name": "值班群", "roles": ["clerk"], "urls": [address]})
        await world.take(penalty(CF_NR=""))
        world.clock.step(30 * DAY)
        sent = await asyncio.gather(*(build_notifier(world.gateway).look() for _ in range(3)))

    assert sum(sent) == 1
    assert [one["title"] for one in heard] == ["有报送已超期"]


@pytest.mark.usefixtures("no_other_part")
async def test_the_machine_is_the_operators_matter(
    make_world: MakeWorld, post: tuple[Post, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, mail = post
    monkeypatch.setattr("gateway.service.machine.LEAST_FREE", 1.1)
    world = await watched(make_world, clerk(mail), clerk(mail, name="李四", roles=["operator"]))
    notifier = build_notifier(world.gateway)
    await notifier.look()
    assert server.told() == ["磁盘：需要处理"]
    monkeypatch.setattr("gateway.service.machine.LEAST_FREE", 0)
    await notifier.look()
    assert server.told() == ["已恢复：磁盘：需要处理"]


@pytest.mark.usefixtures("no_other_part")
async def test_a_message_that_takes_longer_than_the_lease_is_told_by_nobody_else(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.notify.notifier.LEASE", timedelta(seconds=1))
    monkeypatch.setattr("gateway.notify.notifier.RENEWED", 0.1)
    sent: list[object] = []
    begun, going = asyncio.Event(), asyncio.Event()

    async def slow(*message: object) -> list[str]:
        sent.append(message)
        begun.set()
        await going.wait()
        return []

    monkeypatch.setattr("gateway.notify.channels.send", slow)
    world = await watched(make_world, clerk({**BOX, "port": free_port()}))
    await world.take(penalty(CF_NR=""))
    world.clock.step(30 * DAY)
    telling = asyncio.create_task(build_notifier(world.gateway).look())
    other = build_notifier(world.gateway)
    async with asyncio.timeout(10):
        await begun.wait()
        for _ in range(12):
            await asyncio.sleep(0.2)
            assert await other.look() == 0

        going.set()
        assert (await telling, await other.look(), len(sent)) == (1, 0, 1)


@pytest.mark.usefixtures("no_other_part")
async def test_what_another_process_has_taken_over_is_not_told_twice(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = {**BOX, "port": free_port()}
    world = await watched(make_world, clerk(mail, roles=["clerk", "operator"]))
    sent: list[object] = []

    async def slow(contact: object, title: str, text: str) -> list[str]:
        sent.append(title)
        async with world.database.transaction() as connection:  # the lease ran out meanwhile
            await leases.release(connection, "notices", notifier._owner)
            await leases.claim(connection, "notices", "another", timedelta(minutes=1))
        return []

    monkeypatch.setattr("gateway.notify.channels.send", slow)
    monkeypatch.setattr("gateway.service.machine.LEAST_FREE", 2)
    await world.take(penalty(CF_NR=""))
    world.clock.step(30 * DAY)
    notifier = build_notifier(world.gateway)

    assert await notifier.look() == 1
    assert len(sent) == 1, sent


@pytest.mark.usefixtures("no_other_part")
async def test_what_a_process_died_of_telling_is_told_by_another_soon(
    make_world: MakeWorld, post: tuple[Post, dict[str, Any]]
) -> None:
    server, mail = post
    world = await watched(make_world, clerk(mail))
    await world.take(penalty(CF_NR=""))
    world.clock.step(30 * DAY)
    async with world.database.transaction() as connection:
        await leases.claim(connection, "notices", "one that died", timedelta(seconds=1))
    notifier = build_notifier(world.gateway)
    assert await notifier.look() == 0

    for _ in range(50):
        if await notifier.look():
            break
        await asyncio.sleep(0.2)

    assert server.told() == ["有报送已超期"]


@pytest.mark.usefixtures("no_other_part")
async def test_contacts_that_cannot_be_reached_keep_nobody_else_waiting(
    make_world: MakeWorld, post: tuple[Post, dict[str, Any]]
) -> None:
    server, mail = post
    dead = {**mail, "port": free_port()}
    people = [clerk(dead, name=f"不通{number}") for number in range(12)]
    world = await watched(make_world, *people, clerk(mail))
    await world.take(penalty(CF_NR=""))
    world.clock.step(30 * DAY)

    assert await build_notifier(world.gateway).look() == 1
    assert server.told() == ["有报送已超期"]


@pytest.mark.usefixtures("no_other_part")
async def test_a_contact_that_is_configured_no_more_keeps_no_notice(
    make_world: MakeWorld, post: tuple[Post, dict[str, Any]]
) -> None:
    server, mail = post
    world = await watched(make_world, clerk(mail))
    await world.take(penalty(CF_NR=""))
    world.clock.step(30 * DAY)
    await build_notifier(world.gateway).look()
    await world.take(penalty())
    await world.turn()
    other = await watched(make_world, clerk(mail, name="李四"))
    await build_notifier(other.gateway).look()

    assert server.told() == ["有报送已超期"]
    assert await world.value("select count(*) from notice") == 0


async def test_no_token_of_an_address_stands_in_the_log(
    make_world: MakeWorld, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for url in ("tgram://SECRETTOKEN/1", "wecombot://SECRET KEY"):
        world = await watched(make_world, {"name": "群", "roles": ["clerk"], "urls": [url]})
        with pytest.raises(BadConfiguration):
            build_notifier(world.gateway)

    assert "SECRET" not in caplog.text + "".join(capfd.readouterr())


async def test_a_ledger_that_is_late_is_the_matter_of_clerks_and_operators(
    make_world: MakeWorld, post: tuple[Post, dict[str, Any]]
) -> None:
    server, mail = post
    world = await watched(make_world, clerk(mail), clerk(mail, name="李四", roles=["operator"]))
    await world.take(penalty())
    await world.deliverer().drain()
    world.clock.step(40 * DAY)
    await build_notifier(world.gateway).look()

    told = [str(mail["Subject"]) for mail in server.mails]
    assert told.count("月度台账：需要处理") == 2
    assert told.count("时钟：需要处理") == 1


async def test_an_address_that_is_none_is_refused_at_the_start(make_world: MakeWorld) -> None:
    world = await watched(make_world, {"name": "张三", "roles": ["clerk"], "urls": ["微信"]})

    with pytest.raises(BadConfiguration, match="notify contacts 张三 urls：第 1 个不是"):
        build_notifier(world.gateway)
