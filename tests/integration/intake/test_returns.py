"""The case system is told on a topic what became of each item, without personal data."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from connectors.memory import Step
from gateway.intake.quarantine import replay
from gateway.intake.returns import Returns
from gateway.store.audit import retention
from gateway.store.base.engine import Database
from tests.conftest import PLATFORM
from tests.factories import IDENTITY, penalty, person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.fixture
async def told(kafka_bootstrap: str, topic: str) -> AsyncIterator[Any]:
    """Return what the topic has so far, in its order."""
    consumer: Any = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    seen: list[Any] = []

    async def read(count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(20):
            while len(seen) < count:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    seen.extend(records)
        return [orjson.loads(one.value) for one in seen]

    yield read
    await consumer.stop()


@pytest.fixture
async def world(make_world: MakeWorld, topic: str) -> World:
    return await make_world(destinations=[PLATFORM], scoring={}, kafka={"returns": topic})


@pytest.fixture
async def returns(world: World, kafka_bootstrap: str, topic: str) -> AsyncIterator[Returns]:
    made = Returns(
        world.database, topic, kafka_bootstrap, {}, "me", world.clock, world.gateway.keys
    )
    yield made
    await made.close()


def data(events: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    found = [event["data"] for event in events]
    return sorted((d["reference"], d["state"], d.get("destination")) for d in found)


async def test_an_item_is_told_when_it_is_taken_and_at_each_end_of_its_delivery(
    world: World, returns: Returns, told: Any
) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty(1), penalty(2, CF_CFJGDM=""), penalty(3, CF_WSH=""))
    counts = [await returns.tell()]
    await world.turn()
    counts.append(await returns.tell())
    counts.append(await returns.tell())

    events = await told(4)
    first, second, third = await references(world)

    assert counts == [3, 1, 0]
    assert data(events) == sorted(
        [
            (first, "ok", None),
            (first, "submitted", "platform"),
            (second, "incomplete", None),
            (third, "refused", None),
        ]
    )
    by_state = {event["data"]["state"]: event["data"] for event in events}
    [problem] = by_state["incomplete"]["problems"]
    assert (problem["field"], problem["rule"]) == ("CF_CFJGDM", "required")
    assert problem["message"]
    assert by_state["refused"]["problems"][0]["field"] == "CF_WSH"
    assert len({event["id"] for event in events}) == 4


async def references(world: World) -> list[str]:
    rows = await world.column(
        "select o.name || '#' || i.position from inbox i join origin o on o.id = i.origin_id"
        " order by i.origin_id, i.position"
    )
    return list(rows)


async def test_what_was_mended_in_quarantine_is_told_under_its_first_reference(
    world: World, returns: Returns, told: Any
) -> None:
    await world.take(penalty(1, CF_WSH=""))
    [number] = await world.column("select id from quarantine")
    gateway = world.gateway
    await replay(gateway.pipeline, gateway.keys, gateway.clock, number, orjson.dumps(penalty(1)))
    await returns.tell()

    events = await told(2)

    assert [event["data"]["state"] for event in events] == ["refused", "ok"]
    assert len({event["data"]["reference"] for event in events}) == 1


async def test_no_message_has_what_a_person_is_known_by(
    world: World, returns: Returns, told: Any
) -> None:
    await world.take(
        person_penalty(1, CF_XDR_MC="张三□丰", CF_CFJGDM=""),
        person_penalty(2, CF_JDRQ=f"不是日期{IDENTITY}"),
    )
    await returns.tell()

    events = await told(2)

    words = orjson.dumps(events).decode()
    assert IDENTITY not in words
    assert "张三" not in words
    assert "message" not in words
    assert all(event["data"]["problems"] for event in events)


async def test_no_words_of_a_platform_about_a_person_go_out(
    world: World, returns: Returns, told: Any
) -> None:
    reasons = ("行政相对人张三丰与证件号码不符",)
    connector = world.connector()
    connector._settings = connector._settings.model_copy(update={"reasons": reasons})
    connector.play(Step.REJECT, Step.REJECT)
    await world.take(person_penalty(1, CF_XDR_MC="张三丰"), penalty(2))
    await world.turn()
    await returns.tell()

    events = await told(4)

    rejected = [one["data"] for one in events if one["data"]["state"] == "rejected"]
    assert sorted(one.get("reasons", []) for one in rejected) == [[], list(reasons)]


async def test_two_requests_whose_keys_hide_the_same_have_two_references(
    world: World, returns: Returns, told: Any
) -> None:
    keys = "410105202611270012", "410105202612280012"
    for number, key in enumerate(keys, 1):
        await world.take(penalty(number), origin=f"http:case/{key}")
    await returns.tell()

    events = await told(2)

    references = {event["data"]["reference"] for event in events}
    assert len(references) == 2
    assert not any(key in reference for key in keys for reference in references)


async def test_a_version_that_a_newer_one_replaces_is_told_so(
    world: World, returns: Returns, told: Any
) -> None:
    await world.take(penalty(1))
    await world.take(penalty(1, verb="correct", CF_SY="别的"))
    await world.turn()
    await returns.tell()

    events = await told(4)

    first, second = await references(world)
    states = {(one["data"]["reference"], one["data"]["state"]) for one in events}
    assert states == {
        (first, "ok"),
        (first, "superseded"),
        (second, "ok"),
        (second, "accepted"),
    }


async def test_a_rejection_is_told_though_the_inbox_is_kept_for_a_month_only(
    world: World, returns: Returns, told: Any
) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty(1), origin="http:case/abc")
    await world.turn()
    world.clock.step(timedelta(days=62))
    async with world.database.transaction() as connection:
        before = world.clock() - timedelta(days=31)
        await retention.delete_rows(connection, "inbox", before, 1000)
    [key] = world.connector().stored
    world.connector().issue_receipt(key, accepted=False, reasons=("x",))
    await world.turn()
    await returns.tell()

    events = await told(3)

    assert [one["data"]["state"] for one in events] == ["ok", "submitted", "rejected"]
    assert len({one["data"]["reference"] for one in events}) == 1


OPEN = (
    "select query from pg_stat_activity where state like 'idle in tr%' and pid <> pg_backend_pid()"
)


async def test_nothing_is_held_while_the_brokers_do_not_answer(
    world: World, returns: Returns, told: Any, kafka_bootstrap: str
) -> None:
    reached = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    await world.take(penalty(1))
    returns.bootstrap = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    other = Returns(
        world.database, returns.topic, kafka_bootstrap, {}, "me", world.clock, world.gateway.keys
    )

    waits = asyncio.create_task(returns.tell())
    await reached.wait()
    held, meanwhile = await world.column(OPEN), await other.tell()
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
    await world.run("update lease set until = now()")  # as after some minutes
    later = await other.tell()
    await other.close()
    server.close()

    assert (held, meanwhile, later) == ([], 0, 1)
    assert len(await told(1)) == 1


async def test_who_tells_for_long_keeps_its_turn_and_who_crashed_does_not(
    world: World,
    returns: Returns,
    kafka_bootstrap: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.intake.returns.LEASE", timedelta(seconds=2))
    monkeypatch.setattr("gateway.intake.returns.SIGN", timedelta(seconds=0.1))
    await world.take(penalty(1))
    sending = asyncio.Event()

    async def endless(rows: object) -> bool:
        sending.set()
        await asyncio.sleep(3600)
        return False

    monkeypatch.setattr(returns, "_is_sent", endless)
    other = Returns(
        world.database, returns.topic, kafka_bootstrap, {}, "me", world.clock, world.gateway.keys
    )
    tells = asyncio.create_task(returns.tell())
    await sending.wait()
    first = await world.value("select until from lease")
    async with asyncio.timeout(20):
        while await world.value("select until from lease") <= first:  # noqa: ASYNC110  no event
            await asyncio.sleep(0.05)
    meanwhile = await other.tell()

    tells.cancel()
    await asyncio.gather(tells, return_exceptions=True)
    async with asyncio.timeout(20):
        while not await other.tell():  # noqa: ASYNC110  a lease that ends has no event
            await asyncio.sleep(0.05)
    await other.close()

    assert meanwhile == 0


async def test_what_the_brokers_do_not_confirm_is_told_later(
    world: World, returns: Returns, told: Any, kafka_bootstrap: str
) -> None:
    await world.take(penalty(1))
    returns.bootstrap = "127.0.0.1:1"
    nobody = await returns.tell()
    returns.bootstrap = kafka_bootstrap
    later = await returns.tell()

    assert (nobody, later) == (0, 1)
    assert len(await told(1)) == 1


async def test_two_processes_tell_each_thing_once(
    world: World, returns: Returns, told: Any, kafka_bootstrap: str, topic: str
) -> None:
    other = Returns(
        world.database, topic, kafka_bootstrap, {}, "me", world.clock, world.gateway.keys
    )
    await world.take(*(penalty(n, n) for n in range(1, 30)))

    counts = await asyncio.gather(returns.tell(), other.tell())
    await other.close()

    assert sum(counts) == 29
    assert len(await told(29)) == 29


async def test_nothing_is_noted_where_nobody_wants_it(
    make_world: MakeWorld, database: Database, topic: str
) -> None:
    on = await make_world(destinations=[PLATFORM], scoring={}, kafka={"returns": topic})
    await on.take(penalty(1))
    off = await make_world(destinations=[PLATFORM], scoring={})
    await off.take(penalty(2))

    assert await off.column("select count(*) from intake_return") == [0]
    assert await off.column("select count(*) from pg_trigger where tgname like 'note_%'") == [0]
