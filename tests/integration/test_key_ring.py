"""Keys change while the gateway runs: nothing is lost, and persons stay the same persons."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag

from gateway.config.errors import BadConfiguration
from gateway.config.keys import KeyPurpose, Master, OtherMaster
from gateway.intake.quarantine import replay
from gateway.reconcile.run import ReconciledDays, begin, reconcile_platform
from gateway.record.encryption import encrypt_again as encrypt_again_of
from gateway.service import key_ring, roles
from gateway.service.key_ring import Reason
from gateway.store.base import installation
from schemas.verdict import Verdict
from tests.factories import IDENTITY, penalty, person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

WHY = Reason("张三", "到期轮换")
NEW_MASTER = "the new master key, thirty-two bytes long"
USED = """
    select key_version from record_version where secret is not null
    union all select key_version from quarantine
"""


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  what happens sets no event
            await asyncio.sleep(0.05)


async def rotate(world: World, purpose: KeyPurpose = KeyPurpose.ENCRYPTION) -> int:
    gateway = world.gateway
    return await key_ring.rotate(gateway.database, gateway.keys, purpose, WHY, gateway.clock())


async def encrypt_again(world: World, settled: float = 0.0) -> int:
    gateway = world.gateway
    return await encrypt_again_of(gateway.database, gateway.keys, settled, lambda _: None)


async def identities(world: World) -> set[str]:
    """Return the identity numbers that the platform got."""
    await world.turn()
    stored = world.connector().stored.values()
    return {item.columns["CF_XDR_ZJHM"] for item in stored if "CF_XDR_ZJHM" in item.columns}


async def test_all_rows_are_under_the_new_version_and_persons_stay(world: World) -> None:
    await world.take(*[person_penalty(n) for n in range(1, 8)], b"not json", penalty(9))
    before = await world.column("select code from subject order by id")

    version = await rotate(world)
    damaged = await encrypt_again(world)

    assert (version, damaged) == (2, 0)
    assert await world.column(USED) == [2] * 8
    assert await identities(world) == {IDENTITY}
    [repeat] = await world.take(person_penalty(1))
    assert repeat.repeat
    assert await world.column("select code from subject order by id") == before
    assert "key_rotated" in await world.events()


async def test_a_process_that_runs_meets_the_new_version(make_world: MakeWorld) -> None:
    running, other = await make_world(), await make_world()
    await rotate(other)
    await other.take(person_penalty(1), b"not json")

    got = await identities(running)
    number = await running.value("select id from quarantine")
    again = await replay(
        running.gateway.pipeline, running.gateway.keys, running.gateway.clock, number
    )

    assert got == {IDENTITY}
    assert again.verdict is Verdict.REFUSED
    assert running.gateway.keys.version == 2


async def test_what_others_write_with_the_old_version_meanwhile_is_encrypted_again(
    make_world: MakeWorld,
) -> None:
    behind, other = await make_world(), await make_world()
    await rotate(other)
    work = asyncio.create_task(encrypt_again(other, settled=time.monotonic() + 2))
    await asyncio.sleep(0.5)
    await behind.take(person_penalty(1))
    assert await behind.column(USED) == [1]

    await work

    assert await behind.column(USED) == [2]
    assert await identities(behind) == {IDENTITY}


async def test_damaged_bytes_hinder_no_others(world: World) -> None:
    await world.take(person_penalty(1), person_penalty(2), person_penalty(3))
    await world.run(
        "update record_version set secret = 'damaged by a disk' where id = "
        "(select min(id) from record_version)"
    )
    await rotate(world)

    assert await encrypt_again(world) == 1
    assert sorted(await world.column(USED)) == [1, 2, 2]


async def test_a_second_rotation_ends_what_the_first_left(world: World) -> None:
    await world.take(person_penalty(1))
    await rotate(world)
    await world.take(person_penalty(2))
    await rotate(world)

    await encrypt_again(world)

    assert await world.column(USED) == [3, 3]
    assert await identities(world) == {IDENTITY}


async def test_hosts_change_to_a_new_master_key_one_by_one(make_world: MakeWorld) -> None:
    old = await make_world()
    await old.take(person_penalty(1))
    await rotate(old)
    await old.take(person_penalty(2))
    gateway, new = old.gateway, Master(NEW_MASTER.encode())
    now = gateway.clock()
    await key_ring.add_master(gateway.database, gateway.keys, new, WHY, now)

    changed = await make_world(master_key=NEW_MASTER)
    [same] = await changed.take(person_penalty(1))
    with pytest.raises(BadConfiguration, match="正在更换主密钥"):
        await rotate(changed)
    with pytest.raises(BadConfiguration, match="正在用"):
        await key_ring.drop_master(
            gateway.database, gateway.keys, gateway.keys.master.fingerprint, WHY, now
        )
    await key_ring.drop_master(
        gateway.database, changed.gateway.keys, gateway.keys.master.fingerprint, WHY, now
    )

    assert same.repeat
    assert await identities(changed) == {IDENTITY}
    assert await rotate(changed) == 3
    with pytest.raises(OtherMaster):
        await make_world()
    with pytest.raises(OtherMaster):
        await key_ring.renew(gateway.database, gateway.keys)
    assert gateway.keys.version == 2  # what runs goes on with the keys that it has


async def test_two_stored_keys_cannot_be_exchanged(world: World) -> None:
    await rotate(world)
    await rotate(world)
    await world.run(
        "update key_ring k set sealed = o.sealed from key_ring o where k.purpose = 'encryption' "
        "and k.version = 2 and o.purpose = 'encryption' and o.version = 3"
    )

    with pytest.raises(InvalidTag):
        await key_ring.renew(world.database, world.gateway.keys)


async def test_reconciliation_knows_earlier_pseudonyms(world: World) -> None:
    await world.take(person_penalty(1))
    await world.turn()
    before = world.gateway.keys.published("person:x")
    await rotate(world, KeyPurpose.PSEUDONYM)
    now = world.gateway.clock()
    day = now.date()

    span = ReconciledDays(day - timedelta(days=30), day + timedelta(days=1))
    found = await reconcile_platform(
        world.database,
        world.gateway.reconcile_scope,
        world.gateway.settings.destinations[0],
        world.connector(),
        await begin(world.database, "platform", span, now),
    )

    assert world.gateway.keys.published("person:x") != before
    assert (found.run.ours, found.run.shown, found.differences) == (1, 1, ())


async def test_two_drops_of_each_other_leave_one_master(make_world: MakeWorld) -> None:
    """One host goes back to the old master while another goes on with the new one."""
    old = await make_world()
    await rotate(old)
    await old.take(person_penalty(1))
    gateway, new = old.gateway, Master(NEW_MASTER.encode())
    await key_ring.add_master(gateway.database, gateway.keys, new, WHY, gateway.clock())
    onward = (await make_world(master_key=NEW_MASTER)).gateway

    ended = await asyncio.gather(
        *[
            key_ring.drop_master(host.database, host.keys, other.fingerprint, WHY, host.clock())
            for host, other in ((gateway, new), (onward, gateway.keys.master))
        ],
        return_exceptions=True,
    )

    assert sum(isinstance(one, OtherMaster) for one in ended) == 1
    assert len(await old.column("select distinct master from key_ring")) == 1


async def test_a_process_of_a_dropped_master_changes_no_keys(make_world: MakeWorld) -> None:
    old = await make_world()
    gateway, new = old.gateway, Master(NEW_MASTER.encode())
    await key_ring.add_master(gateway.database, gateway.keys, new, WHY, gateway.clock())
    onward = (await make_world(master_key=NEW_MASTER)).gateway
    ours = gateway.keys.master.fingerprint
    await key_ring.drop_master(onward.database, onward.keys, ours, WHY, onward.clock())

    third = Master(b"a third master key, just as long as it")
    with pytest.raises(OtherMaster):
        await key_ring.add_master(gateway.database, gateway.keys, third, WHY, gateway.clock())


async def test_a_process_of_a_dropped_master_leaves_its_destinations_to_others(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "RENEWAL", 0.1)
    old = await make_world()
    gateway, new = old.gateway, Master(NEW_MASTER.encode())
    await key_ring.add_master(gateway.database, gateway.keys, new, WHY, gateway.clock())
    changed = await make_world(master_key=NEW_MASTER)
    host, ours = changed.gateway, gateway.keys.master.fingerprint

    async with roles.run(gateway, frozenset({roles.Role.DELIVER})) as running:
        await eventually(lambda: all(one.is_owner for one in running.deliverers))
        await key_ring.drop_master(host.database, host.keys, ours, WHY, host.clock())
        await rotate(changed)
        await changed.take(person_penalty(1), penalty(2))
        await eventually(lambda: any(task.done() for task in running.tasks.values()))
        assert await running.probes.live["tasks"]()

        assert await identities(changed) == {IDENTITY}
        assert await changed.states() == ["accepted", "accepted"]


async def test_an_answer_that_comes_late_takes_no_version_away(world: World) -> None:
    async with world.database.transaction() as connection:
        late = await installation.key_ring(connection)
    await rotate(world)
    await world.take(person_penalty(1))

    world.gateway.keys.renew(late)

    assert await identities(world) == {IDENTITY}
    assert world.gateway.keys.version == 1
    await key_ring.renew(world.database, world.gateway.keys)
    assert world.gateway.keys.version == 2


async def test_what_comes_late_with_an_older_key_is_encrypted_again_by_the_daily_work(
    make_world: MakeWorld,
) -> None:
    behind, other = await make_world(), await make_world()
    await rotate(other)
    await encrypt_again(other)
    await behind.take(person_penalty(1))

    await other.pass_time(24)

    assert await behind.column(USED) == [2]
