"""The delivery table: its states under any sequence of operations, leases, and the sweeper."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.memory import Step
from gateway.config.clock import SteppedClock
from gateway.deliver.receipts import receive
from gateway.schedule.sweeper import sweep
from gateway.store.deliver import claims, ends
from schemas.delivery import TRANSITIONS, Claimed, DeliveryState, Finish, Item, Outcome
from tests.conftest import PLATFORM, BuildGateway, NewDatabase
from tests.factories import penalty, publicity_repair
from tests.integration.conftest import MakeWorld
from tests.integration.world import World
from tests.soak import examples

pytestmark = pytest.mark.integration

WATCH = (
    "create table moved (old text, new text)",
    """create function note_move() returns trigger language plpgsql as $$ begin
        insert into moved values (old.state, new.state); return null; end $$""",
    """create trigger note_move after update of state on delivery for each row
        when (old.state <> new.state) execute function note_move()""",
)
HEADS = """
    select chain_id, destination from delivery
    where state in ('ready', 'deferred', 'leased', 'unknown')
    group by chain_id, destination having count(*) > 1
"""
EXPIRE = "update delivery set lease_until = clock_timestamp() - interval '1 hour'"

Act = Callable[[World], Awaitable[object]]


def _take(number: int, **changes: object) -> Act:
    return lambda world: world.take(penalty(number, **changes))


def _play(step: Step) -> Act:
    async def act(world: World) -> None:
        world.connector().play(step)

    return act


async def _receipts(world: World, *, accepted: bool) -> None:
    for key in world.connector().stored:
        world.connector().issue_receipt(key, accepted=accepted)
    await receive(world.deliverer())


async def _lose_a_lease(world: World) -> None:
    await _claim(world, limit=1)
    await world.run(EXPIRE + " where state = 'leased'")


async def _give_back(world: World) -> None:
    for claimed in await _claim(world):
        await _finish(world, claimed, DeliveryState.READY)


async def _claim(world: World, *, limit: int = 10, look: bool = False) -> list[Claimed]:
    async with world.database.transaction() as connection:
        return await claims.claim(
            connection,
            "platform",
            limit=limit,
            token=str(uuid.uuid4()),
            lease=timedelta(minutes=5),
            now=world.clock(),
            look=look,
        )


async def _finish(world: World, claimed: Claimed, state: DeliveryState) -> set[int]:
    done = Finish(
        id=claimed.id,
        token=claimed.lease_token,
        subject_id=claimed.subject_id,
        chain_id=claimed.chain_id,
        destination=claimed.destination,
        state=state,
        outcome=state.value,
    )
    async with world.database.transaction() as connection:
        return await ends.finish(connection, [done], world.clock())


ACTS: dict[str, Act] = {
    "first": _take(1),
    "second": _take(2),
    "correct": _take(1, CF_NR="更正"),
    "correct again": _take(1, CF_NR="再更正"),
    "incomplete": _take(1, CF_YXQ=None),
    "withdraw": _take(1, verb="withdraw"),
    "secret": _take(2, state_secret="是"),
    "repair": lambda world: world.take(publicity_repair(1)),
    "not called": _give_back,
    "drain": lambda world: world.deliverer().drain(),
    "drain later": lambda world: world.pass_time(1),
    "a day": lambda world: world.pass_time(24),
    "lease lost": _lose_a_lease,
    "accepted": lambda world: _receipts(world, accepted=True),
    "rejected": lambda world: _receipts(world, accepted=False),
    **{f"script {step}": _play(step) for step in Step if step is not Step.ACCEPT},
}


#: A later version says something else; a repair says nothing of the content.
OVERTAKEN = """
    select l.id from delivery l join record_version v on v.id = l.item_id
    join record_version later on later.decision_id = v.decision_id
        and later.version > v.version and later.verb <> 'repair'
    where l.id = any(cast(:ids as bigint[])) and l.verb not in ('withdraw', 'repair')
      and l.item_kind = 'record_version' and not l.maybe_arrived
"""
#: The ledger counts by the time: what has arrived was handed over.
WITHOUT_A_TIME = """
    select id, state from delivery where submitted_at is null
      and (state in ('submitted', 'accepted', 'accepted_blind') or accepted_at is not null)
"""
#: A repair waits for a report that a person must mend, which nobody does here.
WAITING_IN_VAIN = """
    select id, state from delivery w where state in ('waiting', 'ready', 'deferred')
      and not (verb = 'repair' and exists (select from delivery o where o.chain_id = w.chain_id
          and o.destination = w.destination and o.state in ('held', 'rejected', 'parked')))
"""
#: The last content that was handed over, and the last that there is, of each decision.
LAST_WORDS = """
    select d.verb = 'withdraw' or d.excluded is not null, d.verb = 'repair',
        latest.body ->> 'CF_NR', told.verb, told.body ->> 'CF_NR'
    from decision d
    join lateral (select body from record_version v where v.decision_id = d.id
        and v.verb <> 'repair' order by version desc limit 1) latest on true
    left join lateral (select l.verb, v.body from delivery l
        join record_version v on v.id = l.item_id where l.chain_id = d.id
        and l.destination = 'platform' and l.state in ('submitted', 'accepted')
        order by l.id desc limit 1) told on true
    where d.kind = 'penalty' and not exists (select from delivery l where l.chain_id = d.id
        and l.state in ('held', 'rejected', 'parked', 'unknown', 'leased'))
"""


def watch_calls(world: World) -> list[int]:
    """Note the deliveries that are called with although a later version was there."""
    found: list[int] = []
    send = world.connector().send

    async def watched(items: Sequence[Item]) -> list[Outcome]:
        found.extend(await world.column(OVERTAKEN, ids=[item.delivery_id for item in items]))
        return await send(items)

    world.connector().send = watched  # type: ignore[method-assign]
    return found


async def assert_the_destination_has_the_last_word(world: World) -> None:
    for withdrawn, repaired, last, told, content in await world.rows(LAST_WORDS):
        if withdrawn:
            assert told in {None, "withdraw"}
        else:
            assert told is not None, "a duty to report is never cancelled"
            assert (told == "repair") == repaired
            assert told != "withdraw"
            assert content == last


@pytest.mark.soak
@examples(20)
@given(names=st.lists(st.sampled_from(sorted(ACTS)), min_size=4, max_size=14))
@example(names=["correct", "a day", "repair", "rejected", "a day"])
@example(names=["script lose_answer", "first", "drain", "accepted"])
@example(names=["correct again", "a day", "repair", "a day", "rejected", "correct"])
async def test_every_state_change_is_allowed_and_every_chain_has_one_head(
    new_database: NewDatabase,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    names: list[str],
) -> None:
    async with new_database() as database:
        world = World(await build_gateway(database), clock)
        for statement in WATCH:
            await world.run(statement)
        overtaken = watch_calls(world)

        for name in names:
            await ACTS[name](world)
            assert await world.rows(HEADS) == [], name
            assert await world.rows(WITHOUT_A_TIME) == [], name

        world.connector()._script.clear()
        for _ in range(3):
            await world.pass_time(24)
        assert overtaken == []
        assert await world.rows(WAITING_IN_VAIN) == []
        await assert_the_destination_has_the_last_word(world)
        moved = await world.rows("select distinct old, new from moved")
        stuck = await sweep(world.database, clock(), world.gateway.metrics)
        doubled = [key for key, times in world.connector().effects.items() if times > 1]
    illegal = [(a, b) for a, b in moved if DeliveryState(b) not in TRANSITIONS[DeliveryState(a)]]
    assert (illegal, stuck, doubled) == ([], 0, [])


# ---------------------------------------------------------------- overtaken


@pytest.mark.parametrize("ended", [DeliveryState.DEFERRED, DeliveryState.READY])
async def test_what_did_not_leave_is_replaced_by_the_correction_behind_it(
    world: World, ended: DeliveryState
) -> None:
    await world.take(penalty())
    [claimed] = await _claim(world)
    await world.take(penalty(CF_NR="更正"))

    await _finish(world, claimed, ended)

    assert await world.states() == ["superseded", "ready"]


async def test_a_withdrawal_of_what_did_not_leave_is_told_to_nobody(world: World) -> None:
    await world.take(penalty())
    [claimed] = await _claim(world)
    await world.take(penalty(verb="withdraw"))

    await _finish(world, claimed, DeliveryState.DEFERRED)
    await world.pass_time(24)

    assert await world.states() == ["superseded", "superseded"]
    assert world.sent() == []


async def test_a_correction_behind_a_repair_of_what_did_not_leave_goes_out(world: World) -> None:
    await world.take(penalty())
    [claimed] = await _claim(world)
    await ACTS["repair"](world)
    await world.take(penalty(CF_NR="更正"))

    await _finish(world, claimed, DeliveryState.DEFERRED)

    assert await world.states() == ["superseded", "superseded", "ready", "waiting"]


async def test_what_a_look_up_does_not_find_is_replaced_by_the_correction_behind_it(
    world: World,
) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    world.connector().stored.clear()
    world.connector()._outcomes.clear()
    await world.take(penalty(CF_NR="更正"))
    assert await world.states() == ["unknown", "waiting"]

    await world.pass_time(1)

    assert await world.states() == ["superseded", "accepted"]
    assert [verb for verb, _ in world.sent()] == ["new"]


async def test_what_may_have_arrived_is_settled_before_its_correction_goes_out(
    make_world: MakeWorld,
) -> None:
    """The destination cannot be asked: the first is sent again, with the same key."""
    world = await make_world(destinations=[{**PLATFORM, "settings": {"on_unknown": "resend"}}])
    world.connector().play(Step.LOSE_ANSWER, Step.DEFER)
    await world.take(penalty())
    await world.turn()
    world.connector().stored.clear()
    world.connector()._outcomes.clear()
    await world.pass_time(0.1)
    assert await world.states() == ["deferred"]

    await world.take(penalty(CF_NR="更正"))
    assert await world.states() == ["deferred", "waiting"]
    await world.pass_time(24)

    assert await world.states() == ["accepted", "accepted"]
    assert [verb for verb, _ in world.sent()] == ["new", "correct"]
