"""An act by a filter: a task in batches that changes what still fits, can stop and go on."""

import asyncio
from datetime import timedelta

import pytest

from connectors.memory import Step
from gateway.deliver.bulk import BulkAct, OtherCount, start, step, turn
from gateway.deliver.manual import change_all
from gateway.schedule.held import release_held
from gateway.store.deliver import bulk_tasks
from gateway.store.deliver.bulk_tasks import BulkState, BulkTask
from gateway.store.deliver.by_hand import Order
from gateway.store.deliver.worklist import Wanted
from schemas.delivery import DeliveryState
from tests.conftest import PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

S = DeliveryState
READY = Wanted(state=S.READY)


async def states(world: World) -> list[str]:
    return list(await world.column("select state from delivery order by id"))


async def ready(make_world: MakeWorld, count: int) -> World:
    """Return a world with so many ready deliveries."""
    world = await make_world(destinations=[PLATFORM], scoring={})
    await world.take(*(penalty(n, n) for n in range(1, count + 1)))
    return world


async def park(world: World, count: int) -> int:
    args = world.database, BulkAct.PARK, READY, count, "等上级答复", "我", world.clock()
    return await start(*args)


async def stepped(world: World, task: int) -> BulkTask:
    found = await step(world.database, task, world.clock(), 2)
    assert found is not None
    return found


async def test_a_task_is_done_batch_by_batch_and_told_in_the_audit(make_world: MakeWorld) -> None:
    world = await ready(make_world, 3)
    task = await park(world, 3)

    first = await stepped(world, task)
    between = await states(world)
    second = await stepped(world, task)
    again = await stepped(world, task)

    assert (first.state, first.done, first.total) == (BulkState.RUNNING, 2, 3)
    assert between == ["parked", "parked", "ready"]
    assert (second.state, second.changed, second.failed) == (BulkState.DONE, 3, [])
    assert again == second
    events = await world.events()
    assert events.count("bulk_started") == 1
    assert events.count("delivery_parked") == 3


async def test_another_count_than_expected_changes_nothing(make_world: MakeWorld) -> None:
    world = await ready(make_world, 3)

    with pytest.raises(OtherCount) as raised:
        await park(world, 2)

    assert raised.value.count == 3
    assert await states(world) == ["ready"] * 3
    assert await world.column("select count(*) from bulk_task") == [0]


async def test_a_paused_task_goes_on_where_it_stood_and_a_cancelled_one_never(
    make_world: MakeWorld,
) -> None:
    world = await ready(make_world, 5)
    task = await park(world, 5)
    database, now = world.database, world.clock()
    await stepped(world, task)

    paused = await turn(database, task, BulkState.PAUSED, "她", now)
    still = await stepped(world, task)
    on = await turn(database, task, BulkState.RUNNING, "她", now)
    later = await stepped(world, task)
    cancelled = await turn(database, task, BulkState.CANCELLED, "她", now)
    over = await stepped(world, task)
    back = await turn(database, task, BulkState.RUNNING, "她", now)

    assert [paused, on, cancelled, back] == [True, True, True, False]
    assert (still.state, still.done) == (BulkState.PAUSED, 2)
    assert later.done == 4
    assert (over.state, over.done) == (BulkState.CANCELLED, 4)
    assert await states(world) == ["parked"] * 4 + ["ready"]


async def test_two_who_go_on_with_one_task_do_each_batch_once(make_world: MakeWorld) -> None:
    world = await ready(make_world, 8)
    task = await park(world, 8)

    await asyncio.gather(*(stepped(world, task) for _ in range(4)))

    async with world.database.transaction() as connection:
        found = await bulk_tasks.one(connection, task)
    assert found is not None
    assert (found.done, found.changed, found.failed) == (8, 8, [])
    assert (await world.events()).count("delivery_parked") == 8


async def test_what_was_freed_meanwhile_is_not_withdrawn(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM], scoring={})
    tomorrow = (world.clock() + timedelta(days=1)).date().isoformat()
    await world.take(penalty(1, CF_JDRQ=tomorrow), penalty(2, 2, CF_JDRQ=tomorrow))
    chosen = Wanted(state=S.HELD), 2, "待补正的不再报送", "我", world.clock()
    task = await start(world.database, BulkAct.WITHDRAW, *chosen)
    world.clock.step(timedelta(days=1))
    await release_held(world.database, world.gateway.decider, world.clock())

    done = await stepped(world, task)

    assert (done.state, done.changed, len(done.failed)) == (BulkState.DONE, 0, 2)
    assert await states(world) == ["ready", "ready"]


async def test_what_was_parked_meanwhile_is_not_sent_again(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM], scoring={})
    world.connector().play(*[Step.NOT_SENT] * 10)
    await world.take(penalty(1))
    await world.deliverer().drain()
    chosen = Wanted(state=S.DEFERRED), 1, None, "我", world.clock()
    task = await start(world.database, BulkAct.RETRY, *chosen)
    ids = await world.column("select id from delivery")
    parked = Order(S.PARKED, "等上级答复")
    await change_all(world.database, list(ids), parked, "我", world.clock())

    done = await stepped(world, task)

    assert (done.changed, list(done.failed)) == (0, list(ids))
    assert await states(world) == ["parked"]


@pytest.mark.parametrize(
    ("act", "allowed"), [(BulkAct.PARK, 1), (BulkAct.WITHDRAW, 3), (BulkAct.RETRY, 1)]
)
async def test_what_its_state_does_not_allow_is_counted_apart(
    make_world: MakeWorld, act: BulkAct, allowed: int
) -> None:
    world = await make_world(destinations=[PLATFORM], scoring={})
    tomorrow = (world.clock() + timedelta(days=1)).date().isoformat()
    await world.take(penalty(1), penalty(2, 2), penalty(3, 3, CF_JDRQ=tomorrow))
    [first, *_] = await world.column("select id from delivery order by id")
    parked = Order(S.PARKED, "等上级答复")
    await change_all(world.database, [first], parked, "我", world.clock())
    asked = Wanted(destination="platform"), None, "因", "我", world.clock()

    with pytest.raises(OtherCount) as raised:
        await start(world.database, act, *asked)

    assert await states(world) == ["parked", "ready", "held"]
    assert (raised.value.count, raised.value.barred) == (allowed, 3 - allowed)
