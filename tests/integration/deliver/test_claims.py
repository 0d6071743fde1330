"""Claims and leases: who may send what, and for how long."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.deliver.item import item
from gateway.store.deliver import claims
from schemas.delivery import DeliveryState
from tests.factories import penalty
from tests.integration.deliver.test_deliveries import EXPIRE, _claim, _finish
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_a_claim_reads_few_rows_of_a_large_table(world: World) -> None:
    await world.take(penalty())
    await world.run(
        "insert into delivery (id, item_kind, item_id, destination, subject_id, chain_id, verb, "
        "state, due_at, clock, dues, attempts, created_at) "
        "select nextval('gateway_id'), item_kind, item_id, (array['platform', 'bank'])[n % 2 + 1], "
        "subject_id, "
        "nextval('gateway_id'), verb, state, due_at + n * 7919 % 20000 * interval '1 minute', "
        "clock, dues, n % 3, created_at "
        "from delivery, generate_series(1, 20000) n where destination = 'platform'"
    )
    await world.run("analyze delivery")

    async with world.database.transaction() as connection:
        claimed = await claims.claim(
            connection,
            "platform",
            limit=200,
            token=str(uuid.uuid4()),
            lease=timedelta(minutes=5),
            now=world.clock(),
        )
        read = await connection.scalar(
            text("select idx_tup_fetch from pg_stat_xact_user_tables where relname = 'delivery'")
        )

    assert len(claimed) == 200
    assert read < 1000


async def test_a_claim_takes_the_earliest_due_first(world: World) -> None:
    await world.take(*[penalty(n, n, CF_JDRQ=f"2026-10-{n:02d}") for n in (9, 3, 7)])

    claimed = await _claim(world, limit=2)

    assert [one.document_number for one in claimed] == [
        "样环罚字〔2026〕3号",
        "样环罚字〔2026〕7号",
    ]


async def test_a_claim_commits_the_lease_and_the_open_attempt_together(world: World) -> None:
    await world.take(penalty())

    [claimed] = await _claim(world)

    assert await world.rows("select delivery_id, lease_token::text, finished_at from attempt") == [
        (claimed.id, claimed.lease_token, None)
    ]
    assert await world.states() == ["leased"]


async def test_two_claims_never_take_the_same_delivery(world: World) -> None:
    await world.take(penalty(1), penalty(2))

    first, second = await _claim(world, limit=1), await _claim(world)

    assert {one.id for one in first}.isdisjoint(one.id for one in second)
    assert len(first + second) == 2


async def test_a_finish_makes_the_next_of_its_chain_ready(world: World) -> None:
    await world.take(penalty())
    [claimed] = await _claim(world)
    await world.take(penalty(CF_NR="更正"))
    assert await world.states() == ["leased", "waiting"]

    await _finish(world, claimed, DeliveryState.ACCEPTED)

    assert await world.states() == ["accepted", "ready"]


async def test_the_head_takes_the_earliest_due_time_of_its_chain(world: World) -> None:
    await world.take(penalty())
    [claimed] = await _claim(world)
    await world.take(penalty(CF_JDRQ="2026/10/12", CF_NR="更正"))
    await world.run("update delivery set due_at = due_at + interval '9 days' where state = "
                    "'waiting'")  # fmt: skip
    await world.run(
        "insert into delivery select id + 1000000, item_kind, item_id, destination, subject_id, "
        "chain_id, verb, state, due_at - interval '5 days', clock, calendar, provisional, dues, "
        "attempts, next_at, look_after, lease_token, lease_until, breached_at, submitted_at, "
        "accepted_at, platform_at, reference, reasons, created_at from delivery "
        "where state = 'waiting'"
    )
    earliest = await world.value(
        "select min(due_at) from delivery where state = 'waiting' and destination = 'platform'"
    )

    await _finish(world, claimed, DeliveryState.ACCEPTED)

    assert await world.value("select due_at from delivery where state = 'ready'") == earliest


# ---------------------------------------------------------------- leases


async def test_an_expired_lease_becomes_an_unknown_outcome(world: World) -> None:
    await world.take(penalty())
    [claimed] = await _claim(world)
    await world.run(EXPIRE + " where id = :id", id=claimed.id)

    await world.deliverer()._tidy()

    assert await world.states() == ["unknown"]


async def test_a_running_lease_is_not_touched(world: World) -> None:
    await world.take(penalty())
    await _claim(world)
    world.clock.step(timedelta(days=30))

    await world.turn()

    assert await world.states() == ["leased"]


async def test_an_item_sent_before_a_crash_is_looked_up_and_not_sent_again(world: World) -> None:
    await world.take(penalty())
    [claimed] = await _claim(world)
    await world.connector().send(
        [
            item(
                claimed,
                world.deliverer().destination,
                world.gateway.installation,
                world.gateway.keys,
            )
        ]
    )
    await world.run(EXPIRE + " where id = :id", id=claimed.id)

    await world.turn()

    assert await world.states() == ["accepted"]
    assert list(world.connector().effects.values()) == [1]


async def test_a_look_up_waits_for_the_settle_time_by_the_clock_of_the_database(
    world: World,
) -> None:
    await world.take(penalty())
    [claimed] = await _claim(world)
    await world.run("update delivery set state = 'unknown', next_at = :now, lease_token = null, "
                    "look_after = clock_timestamp() + interval '1 hour'",
                    now=world.clock())  # fmt: skip

    world.clock.step(timedelta(days=30))

    assert await _claim(world, look=True) == []
    await world.run("update delivery set look_after = clock_timestamp()")
    assert [one.id for one in await _claim(world, look=True)] == [claimed.id]


async def test_a_finish_with_a_stale_token_changes_nothing(world: World) -> None:
    await world.take(penalty())
    [stale] = await _claim(world)
    await world.run(EXPIRE + " where id = :id", id=stale.id)
    await world.deliverer()._tidy()
    [fresh] = await _claim(world, look=True)

    ours = await _finish(world, stale, DeliveryState.REJECTED)

    assert ours == set()
    assert await world.states() == ["leased"]
    assert await _finish(world, fresh, DeliveryState.ACCEPTED) == {fresh.id}


async def test_a_second_finish_changes_nothing(world: World) -> None:
    await world.take(penalty())
    [claimed] = await _claim(world)
    await _finish(world, claimed, DeliveryState.ACCEPTED)

    assert await _finish(world, claimed, DeliveryState.REJECTED) == set()
    assert await world.states() == ["accepted"]
