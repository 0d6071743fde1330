"""Every statement that writes a state follows the table of transitions."""

import re
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib import import_module
from pkgutil import walk_packages

import pytest
from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

import gateway.store
from gateway.store.base.engine import Connection
from gateway.store.deliver import (
    by_hand,
    chains,
    claims,
    deliveries,
    doubled,
    ends,
    epoch,
    held,
    receipts,
)
from gateway.store.deliver.by_hand import Order
from gateway.store.deliver.receipts import MatchedReceipt
from schemas.delivery import TRANSITIONS, DeliveryState, Finish
from tests.factories import penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration

S = DeliveryState
TOKEN = str(uuid.UUID(int=1))

Ids = dict[DeliveryState, int]
Act = Callable[[Connection, World, Ids], Awaitable[object]]


def statements() -> set[str]:
    """Return the names of all statements of the store that write the state of a delivery."""
    found: list[str] = []
    for module in walk_packages(gateway.store.__path__, "gateway.store."):
        if ".migrations" in module.name:
            continue
        for name, value in vars(import_module(module.name)).items():
            if isinstance(value, TextClause) and _writes_a_state(value.text):
                found.append(name)
    assert len(found) == len(set(found)), "two statements with one name hide each other"
    return set(found)


def _writes_a_state(statement: str) -> bool:
    for update in re.findall(r"update\s+delivery\b(.*?)\bwhere\b", statement, re.DOTALL):
        if re.search(r"\bset\b.*?(?<![\w.])state\s*=", update, re.DOTALL):
            return True
    return False


async def _supersede(connection: Connection, _: World, ids: Ids) -> None:
    await deliveries.supersede(connection, list(ids.values()))


async def _promote(connection: Connection, world: World, ids: Ids) -> None:
    rows = await world.rows("select chain_id, destination from delivery")
    await deliveries.promote(connection, [(chain, name) for chain, name in rows])


async def _retry(connection: Connection, world: World, ids: Ids, *, arrived: bool) -> None:
    await connection.execute(
        text("update delivery set maybe_arrived = :arrived"), {"arrived": arrived}
    )
    values = {"ids": list(ids.values()), "now": world.clock(), "among": None}
    await connection.execute(deliveries._RETRY, values)


async def _claim(connection: Connection, world: World, *, look: bool, probe: bool = False) -> None:
    await claims.claim(
        connection,
        "platform",
        limit=100,
        token=str(uuid.uuid4()),
        lease=timedelta(minutes=5),
        now=world.clock() + timedelta(days=1),
        look=look,
        probe=probe,
        fresh=100,
    )


async def _finish(connection: Connection, world: World, ids: Ids, state: S) -> None:
    """Finish the delivery in every state; only the leased one has the token."""
    rows = await world.rows("select id, subject_id, chain_id from delivery order by id")
    finished = [
        Finish(id_, TOKEN, subject, chain, "platform", state, "tried")
        for id_, subject, chain in rows
    ]
    assert await ends.finish(connection, finished, world.clock()) == {ids[S.LEASED]}


async def _end_before_needless(connection: Connection, world: World, ids: Ids) -> None:
    """Let a withdrawal behind the delivery in every state find out that there is nothing to do."""
    await _overtake(connection, world, ids)
    later = await world.column("select id from delivery order by id desc limit :n", n=len(ids))
    await connection.execute(ends._SUPERSEDE_ENDED, {"ids": later})


async def _promote_deferred(connection: Connection, world: World, _: Ids) -> None:
    await claims.promote_deferred(connection, "platform", world.clock() + timedelta(days=1))


async def _expire(connection: Connection, world: World, _: Ids) -> None:
    await ends.expire_leases(connection, "platform", timedelta(), world.clock())


async def _receipts(connection: Connection, world: World, ids: Ids, *, accepted: bool) -> None:
    answers = [MatchedReceipt(id_, accepted, (), world.clock(), None) for id_ in ids.values()]
    await receipts.apply_receipts(connection, "platform", answers, world.clock())


async def _overtake(connection: Connection, world: World, ids: Ids) -> None:
    """Let a newer version wait behind the delivery in every state."""
    await world.run(
        """insert into delivery (id, item_kind, item_id, destination, subject_id, chain_id, verb,
            state, due_at, clock, dues, created_at)
        select nextval('gateway_id'), item_kind, item_id, destination, subject_id, chain_id, verb,
            'waiting', due_at, clock, dues, created_at from delivery"""
    )
    await chains.supersede_overtaken(connection, list(ids.values()))


async def _doubled(connection: Connection, _: World, ids: Ids) -> None:
    await doubled.park(connection, [(id_, "原因") for id_ in ids.values()])


async def _begin_epoch(connection: Connection, world: World, _: Ids) -> None:
    await epoch.begin_epoch(connection, world.clock())


async def _release(connection: Connection, _: World, ids: Ids) -> None:
    await connection.execute(held._RELEASE, {"ids": list(ids.values())})


def _tried(act: Act) -> Act:
    """Act on deliveries that an earlier attempt may have handed over."""

    async def after_an_attempt(connection: Connection, world: World, ids: Ids) -> None:
        await connection.execute(text("update delivery set attempts = 1, maybe_arrived = true"))
        await act(connection, world, ids)

    return after_an_attempt


def _by_listing(act: Act) -> Act:
    """Act where only what the destination shows is accepted."""

    async def at_such_a_place(connection: Connection, world: World, ids: Ids) -> None:
        await connection.execute(text("update destination set by_listing = true"))
        await act(connection, world, ids)

    return at_such_a_place


def _by_hand(state: S) -> Act:
    async def act(connection: Connection, world: World, ids: Ids) -> None:
        await by_hand.change(connection, list(ids.values()), Order(state, "原因"), world.clock())

    return act


def _finishing(state: S) -> Act:
    return lambda connection, world, ids: _finish(connection, world, ids, state)


#: How each statement is run on a delivery in every state.
ACTS: dict[str, list[Act]] = {
    "_SUPERSEDE": [_supersede],
    "_PROMOTE_CHAINS": [_promote],
    "_RETRY": [
        lambda c, w, ids: _retry(c, w, ids, arrived=False),
        lambda c, w, ids: _retry(c, w, ids, arrived=True),
    ],
    "_CLAIM_READY": [lambda c, w, _: _claim(c, w, look=False)],
    "_CLAIM_PROBE": [lambda c, w, _: _claim(c, w, look=False, probe=True)],
    "_CLAIM_UNKNOWN": [lambda c, w, _: _claim(c, w, look=True)],
    "_FINISH": [_finishing(state) for state in sorted(TRANSITIONS[S.LEASED])],
    "_SUPERSEDE_ENDED": [_end_before_needless],
    "_OVERTAKEN": [_overtake],
    "_RELEASE": [_release],
    "_PARK_DOUBLED": [_doubled],
    "_PARK_BY_HAND": [_by_hand(S.PARKED)],
    "_WITHDRAW_BY_HAND": [_by_hand(S.WITHDRAWN)],
    "_ARRIVED_BY_HAND": [_by_hand(S.ACCEPTED_BLIND), _tried(_by_hand(S.ACCEPTED_BLIND))],
    "_ABSENT_BY_HAND": [_by_hand(S.READY)],
    "_PROMOTE_DEFERRED": [_promote_deferred],
    "_FIND_OUT": [_begin_epoch],
    "_EXPIRE": [_expire],
    "_APPLY_RECEIPTS": [
        lambda c, w, ids: _receipts(c, w, ids, accepted=True),
        lambda c, w, ids: _receipts(c, w, ids, accepted=False),
        _tried(lambda c, w, ids: _receipts(c, w, ids, accepted=True)),
        _tried(lambda c, w, ids: _receipts(c, w, ids, accepted=False)),
        _by_listing(lambda c, w, ids: _receipts(c, w, ids, accepted=True)),
        _by_listing(_tried(lambda c, w, ids: _receipts(c, w, ids, accepted=True))),
    ],
}
#: Changes that only a delivery makes that was tried before, and may have arrived.
OF_THE_TRIED = {
    ("_ARRIVED_BY_HAND", 1): {(S.PARKED, S.ACCEPTED_BLIND)},
    ("_APPLY_RECEIPTS", 2): {(S.PARKED, S.ACCEPTED), (S.READY, S.ACCEPTED)},
    ("_APPLY_RECEIPTS", 3): {(S.PARKED, S.REJECTED)},
    ("_APPLY_RECEIPTS", 5): {(S.PARKED, S.ACCEPTED_BLIND), (S.READY, S.ACCEPTED_BLIND)},
}


def test_every_statement_that_writes_a_state_is_tried() -> None:
    assert statements() == set(ACTS)


@pytest.mark.parametrize(
    ("name", "place"), [(name, place) for name, acts in ACTS.items() for place in range(len(acts))]
)
async def test_a_statement_changes_states_only_as_the_transitions_allow(
    world: World, name: str, place: int
) -> None:
    ids = await one_delivery_in_every_state(world)

    async with world.database.transaction() as connection:
        await ACTS[name][place](connection, world, ids)

    after = dict(await world.rows("select id, state from delivery"))
    moved = {before: S(after[id_]) for before, id_ in ids.items() if after[id_] != before}
    assert moved, "the statement moved nothing, so that nothing was tried"
    assert all(now in TRANSITIONS[before] for before, now in moved.items()), moved
    assert OF_THE_TRIED.get((name, place), set()) <= set(moved.items())


async def one_delivery_in_every_state(world: World) -> Ids:
    await world.take(*(penalty(number, number) for number in range(1, len(S) + 1)))
    await world.run("delete from delivery where destination <> 'platform'")
    found = await world.column("select id from delivery order by id")
    ids = dict(zip(S, found, strict=True))
    for state, id_ in ids.items():
        await world.run(
            """update delivery set state = cast(:state as text), next_at = :now,
            lease_token = case when :leased then cast(:token as uuid) end,
            lease_until = case when :leased then clock_timestamp() - interval '1 hour' end
            where id = :id""",
            state=state.value,
            leased=state is S.LEASED,
            id=id_,
            now=world.clock(),
            token=TOKEN,
        )
    return ids
