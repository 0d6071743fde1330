"""New pseudonyms beside frozen months, and databases of earlier releases."""

import asyncio
from pathlib import Path

import pytest

from gateway.config.keys import KeyPurpose, OtherMaster
from gateway.config.secrets import SecretMissing
from gateway.ledger.freeze import freeze_month
from gateway.store.base.upgrade import upgrade
from tests.factories import IDENTITY, person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.older import back_to
from tests.integration.test_key_ring import NEW_MASTER, identities, rotate
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_new_pseudonyms_change_no_frozen_month(world: World) -> None:
    await world.take(person_penalty(1))
    await world.turn()
    gateway = world.gateway
    month = str(await world.value("select to_char(decision_date, 'YYYY-MM') from decision"))
    values = (gateway.database, gateway.ledger_scope, gateway.keys, month, gateway.clock())
    await freeze_month(*values)

    await rotate(world, KeyPurpose.PSEUDONYM)

    _, frozen, made = await freeze_month(*values)
    assert (frozen.version, made) == (1, False)


async def test_a_host_of_the_earlier_release_goes_on_after_the_migration(world: World) -> None:
    """It does not know the version of a key, and encrypts with the first."""
    await world.take(person_penalty(1))

    await world.run(
        "insert into record_version (id, decision_id, version, verb, body, verdict, recorded_at) "
        "select id + 1000, decision_id, 2, verb, body, verdict, recorded_at from record_version"
    )

    assert await world.column("select key_version from record_version") == [1, 1]


async def test_no_key_is_made_for_encrypted_rows_of_an_earlier_release(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = await make_world()
    await world.take(person_penalty(1))
    await back_to(world, "0008")
    await upgrade(world.database)

    with pytest.raises(SecretMissing, match="放回"):
        await make_world(master_key=None, state=str(tmp_path))
    with pytest.raises(OtherMaster):
        await make_world(master_key=NEW_MASTER)

    assert await identities(await make_world()) == {IDENTITY}


async def test_two_first_starts_with_two_master_keys_leave_one(make_world: MakeWorld) -> None:
    first = await make_world()
    await first.run("delete from key_ring")

    ended = await asyncio.gather(
        make_world(), make_world(master_key=NEW_MASTER), return_exceptions=True
    )

    assert sum(isinstance(one, OtherMaster) for one in ended) == 1
    assert len(await first.column("select distinct master from key_ring")) == 1


async def test_a_database_of_an_earlier_release_keeps_its_keys(make_world: MakeWorld) -> None:
    world = await make_world()
    await world.take(person_penalty(1))
    await back_to(world, "0011")
    mine = world.gateway.keys.master.fingerprint
    await world.run("update installation set key_fingerprint = :mine", mine=mine)
    await upgrade(world.database)

    with pytest.raises(OtherMaster):
        await make_world(master_key=NEW_MASTER)
    again = await make_world()

    assert await identities(again) == {IDENTITY}
