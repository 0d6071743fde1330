"""Whatever happens to deliveries, in whatever order: what must hold at the end, by the platform.

Each example is a program of acts: records come, calls end in every way, workers die, receipts come,
persons act, the database is restored, time passes. At the end everybody does what is asked of
them, and what the platform has is compared with what came; it is what counts, not what we believe.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConnectorError
from connectors.memory import Step
from gateway.config.clock import SteppedClock
from gateway.deliver import manual
from gateway.deliver.item import item
from gateway.deliver.receipts import receive
from gateway.store.deliver import claims, epoch
from gateway.store.deliver.by_hand import Order
from schemas.codes import Verb
from schemas.delivery import DeliveryState, Item, OutcomeKind
from tests.conftest import PLATFORM, BuildGateway, NewDatabase
from tests.factories import penalty
from tests.integration.world import World
from tests.soak import examples

pytestmark = pytest.mark.integration

NUMBERS = (1, 2)
#: Those of a decision for which a person has to act, and did not.
LEFT = """
    select state from delivery
    where chain_id = (select decision_id from record_version where id = :id)
      and state in ('parked', 'withdrawn', 'rejected')
"""


@dataclass(frozen=True)
class Act:
    """One act of a program: its name, and which of the things that are there it is about."""

    name: str
    number: int = 0
    step: Step = Step.ACCEPT


async def take(world: World, act: Act) -> None:
    number = NUMBERS[act.number % len(NUMBERS)]
    await world.take(penalty(number, number, CF_NR=f"罚款人民币一万元，第{act.number}次"))


async def withdraw(world: World, act: Act) -> None:
    number = NUMBERS[act.number % len(NUMBERS)]
    if await world.value("select count(*) from decision where document_number like :number",
                         number=f"%{number}号"):  # fmt: skip
        await world.take(penalty(number, number, verb="withdraw"))


async def send(world: World, act: Act) -> None:
    world.connector().play(act.step)
    await world.deliverer().drain()


async def die(world: World, act: Act) -> None:
    """A worker claims, calls the platform or not, and is gone; its lease runs out."""
    async with world.database.transaction() as connection:
        claimed = await claims.claim(
            connection,
            "platform",
            limit=2,
            token=str(uuid.uuid4()),
            lease=timedelta(0),
            now=world.clock(),
        )
    if claimed and act.number % 2:
        items = [
            item(one, world.deliverer().destination, world.gateway.installation, world.gateway.keys)
            for one in claimed
        ]
        world.connector().play(act.step)
        with suppress(ConnectorError):
            await world.connector().send(items)


async def verdict(world: World, act: Act) -> None:
    """The platform decides on something that it has, and says so."""
    keys = list(world.connector().stored)
    if keys:
        accepted = act.step is not Step.REJECT
        world.connector().issue_receipt(keys[act.number % len(keys)], accepted=accepted)
    await receive(world.deliverer())


async def person(world: World, act: Act) -> None:
    ids = await world.column("select id from delivery order by id")
    if not ids:
        return
    id_, now = ids[act.number % len(ids)], world.clock()
    if act.step is Step.REJECT:
        await manual.change_all(
            world.database, [id_], Order(DeliveryState.PARKED, "原因"), "张三", now
        )
    else:
        await manual.retry_all(world.database, [id_], "张三", now)


async def restored(world: World, _: Act) -> None:
    """A process finds that the database is older than it was; here it has lost nothing."""
    async with world.database.transaction() as connection:
        await epoch.begin_epoch(connection, world.clock())


async def wait(world: World, act: Act) -> None:
    world.clock.step(timedelta(hours=1 + act.number))
    await world.schedule.tick()


ACTS: Mapping[str, Callable[[World, Act], Awaitable[None]]] = {
    one.__name__: one for one in (take, withdraw, send, die, verdict, person, restored, wait)
}
acts = st.lists(
    st.builds(
        Act,
        name=st.sampled_from(["take", "take", "send", "send", "send", *ACTS]),
        number=st.integers(0, 7),
        step=st.sampled_from(list(Step)),
    ),
    min_size=3,
    max_size=14,
)


@pytest.mark.soak
@examples(25)
@given(program=acts)
async def test_whatever_happens_the_platform_has_each_decision_once_in_order_and_as_it_is(
    new_database: NewDatabase,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    program: list[Act],
) -> None:
    async with new_database() as database:
        built = await build_gateway(database, destinations=[PLATFORM])
        world = World(built, clock)
        for act in program:
            await ACTS[act.name](world, act)
        await settle(world)
        await hold(world, known=all(act.name != "restored" for act in program))


MOVING = """
    select id, state, verb from delivery
    where state in ('ready', 'deferred', 'leased', 'unknown', 'waiting', 'submitted') order by id
"""


async def settle(world: World) -> None:
    """Let everybody do their part, until nothing moves any more."""
    connector = world.connector()
    connector._script.clear()
    for _ in range(12):
        for key, outcome in connector._outcomes.items():
            if outcome.kind is OutcomeKind.SUBMITTED:
                connector.issue_receipt(key, accepted=True)
        await world.pass_time(3)
        if not await world.rows(MOVING):
            return


async def hold(world: World, *, known: bool) -> None:
    """Assert what must hold; `known`: nothing was forgotten of what the platform has."""
    connector = world.connector()
    assert set(connector.effects.values()) <= {1}
    assert "chain_mended" not in await world.events()
    assert await world.rows(MOVING) == []
    for number, verb, version, version_id in await world.rows(
        "select document_number, verb, version, version_id from decision order by id"
    ):
        told = [one for one in connector.stored.values() if one.document_number == number]
        left = await world.column(LEFT, id=version_id)
        _in_order(told, known=known)
        if not left:
            _as_it_is(told, Verb(verb), version)


def _in_order(told: list[Item], *, known: bool) -> None:
    versions = [one.version for one in told if one.verb is not Verb.WITHDRAW]
    assert all(one < other for one, other in pairwise(versions)), versions
    # A platform that has rejected what it took is told it as new once more. One that may have what
    # was forgotten is told a correction.
    if told and known:
        assert told[0].verb is Verb.NEW


def _as_it_is(told: list[Item], verb: Verb, version: int) -> None:
    """What the platform was told last is the last version, or that it is withdrawn."""
    if verb is Verb.WITHDRAW:
        assert not told or told[-1].verb is Verb.WITHDRAW
    else:
        assert told
        assert (told[-1].version, told[-1].verb is Verb.WITHDRAW) == (version, False)
