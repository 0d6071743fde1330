"""Audit events on a real database: linked after commit, signed daily, exported and checked."""

import asyncio
from datetime import timedelta

import orjson
import pytest

from gateway.audit.export import check, exported
from gateway.audit.record import link_events
from gateway.store.audit import chain, events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Connection
from tests.factories import penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


async def act(world: World, *names: str) -> None:
    async def work(connection: Connection) -> None:
        entries = [AuditEntry(name, {"n": name, "也": [1, 2.5, None]}, "张三") for name in names]
        await events.add(connection, entries, world.clock())

    await world.database.run(work)


async def export(world: World) -> list[bytes]:
    now = world.clock()
    async with world.database.transaction() as connection:
        span = now - 90 * DAY, now + DAY
        keys = world.gateway.keys
        return [orjson.dumps(one) async for one in exported(connection, keys, span, now)]


async def linked(world: World) -> list[str]:
    return await world.column(
        "select e.event from audit_link l join audit_event e on e.id = l.event_id order by l.seq"
    )


async def test_events_are_linked_signed_once_a_day_and_exported(world: World) -> None:
    await act(world, "one", "two")
    await world.turn()
    await act(world, "three")
    await world.turn()
    world.clock.step(DAY)
    await world.turn()

    found = check(await export(world))

    assert (await linked(world))[:3] == ["one", "two", "three"]
    assert found.problems == []
    assert found.signatures == await world.value("select count(*) + 1 from audit_checkpoint") == 3
    assert len(found.keys) == 1


async def test_an_event_of_a_transaction_that_ends_later_is_linked_behind_those_before(
    world: World,
) -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: Connection) -> None:
        await events.add(connection, [AuditEntry("late", {})], world.clock())
        begun.set()
        await goes_on.wait()

    task = asyncio.create_task(world.database.run(slow))
    await begun.wait()
    await act(world, "early")
    assert await link_events(world.database) == 1
    goes_on.set()
    await task
    assert await link_events(world.database) == 1
    assert await link_events(world.database) == 0

    assert await linked(world) == ["early", "late"]
    assert check(await export(world)).problems == []


async def test_two_processes_link_each_event_once(world: World) -> None:
    await act(world, *(f"event-{number}" for number in range(50)))

    counts = await asyncio.gather(*(link_events(world.database) for _ in range(4)))

    assert sum(counts) == 50
    assert await world.column("select seq from audit_link order by 1") == list(range(1, 51))
    async with world.database.transaction() as connection:
        assert await chain.waiting(connection) == (0, None)


@pytest.mark.parametrize(
    "forgery",
    [
        "update audit_event set actor = '李四' where event = 'two'",
        "update audit_event set detail = detail || '{\"n\": 3}' where event = 'two'",
        "delete from audit_link where seq = 2",
        "update audit_link set digest = sha256('x'), hash = sha256('y') where seq = 3",
        "delete from audit_link where seq = 3",
    ],
)
async def test_what_somebody_changes_in_the_database_shows_in_an_export(
    world: World, forgery: str
) -> None:
    """The last link, too, where its head was signed and the log has it."""
    await act(world, "one", "two", "three")
    await world.turn()
    honest = await export(world)
    await world.run(forgery)
    told = await export(world)

    assert check(honest).problems == []
    assert check(told).problems or len(told) < len(honest)


async def test_events_that_are_deleted_by_their_age_leave_their_links(world: World) -> None:
    await act(world, "one", "two")
    await world.turn()
    await world.run("delete from audit_event where event = 'one'")

    found = check(await export(world))

    assert (found.problems, found.deleted) == ([], 1)


async def test_identity_numbers_that_persons_wrote_are_masked(world: World) -> None:
    detail = {"reason": "当事人 110101199003074477 要求", "more": [{"id": "110101199003074477"}]}

    async def work(connection: Connection) -> None:
        await events.add(connection, [AuditEntry("parked", detail, "张三")], world.clock())

    await world.database.run(work)

    assert "199003" not in str(await world.column("select detail::text from audit_event"))


async def test_an_event_that_is_gone_before_it_is_linked_leaves_a_link(world: World) -> None:
    await act(world, "one", "two", "three")
    await world.run("delete from audit_event where event = 'two'")
    assert await link_events(world.database) == 3
    await act(world, "four")
    assert await link_events(world.database) == 1

    found = check(await export(world))
    assert (found.problems, found.links, found.deleted) == ([], 4, 1)


async def test_what_cannot_be_recorded_is_not_sent(world: World) -> None:
    await world.take(penalty())
    await world.run(
        """
        create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'the disk is full'; end $$
        """
    )
    await world.run(
        "create trigger refuse before update on delivery for each row execute function refuse()"
    )

    with pytest.raises(Exception, match="the disk is full"):
        await world.deliverer().drain()

    assert world.sent() == []


async def test_adding_events_costs_one_statement_however_many(world: World) -> None:
    async with world.database.transaction() as connection:
        await events.add(connection, [AuditEntry("x", {})] * 500, world.clock())
        await events.add(connection, [], world.clock())

    assert await world.value("select count(*) from audit_unlinked") == 500
