"""The case system is told on a topic what became of each item, without personal data."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from connectors.memory import Step
from gateway.intake.quarantine import replay
from gateway.intake.returns import Returns
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
    made = Returns(world.database, topic, kafka_bootstrap, {}, "me", world.clock)
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
    other = Returns(world.database, topic, kafka_bootstrap, {}, "me", world.clock)
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
