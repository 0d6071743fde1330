"""Identity numbers have a clock of their own: they go, and what was reported of a person stays."""

import pytest

from connectors.memory import Step
from schemas.codes import Verb
from tests.factories import person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.schedule.conftest import OLD, deleted, forget
from tests.integration.world import World

pytestmark = pytest.mark.integration
SEALED = "select count(*) from record_version where secret is not null"


@pytest.fixture
async def erasing(make_world: MakeWorld) -> World:
    world = await make_world(
        retention={"identity_numbers": 6, "quarantine": 6}, ledger={"freeze_day": None}
    )
    world.clock.step(OLD - world.clock())
    await deleted(world, OLD)
    return world


async def test_they_go_once_every_delivery_has_ended_for_so_long_and_the_rows_stay(
    erasing: World,
) -> None:
    await erasing.take(person_penalty())
    await erasing.turn()
    before = await erasing.value(SEALED)
    await forget(erasing)

    assert before == 1
    assert await erasing.value(SEALED) == 0
    assert await erasing.column("select state from delivery where destination = 'platform'") == [
        "accepted"
    ]
    assert await erasing.value("select count(*) from decision") == 1
    assert "retention_applied" in await erasing.events()


@pytest.mark.parametrize("step", [Step.REJECT, Step.SUBMIT, Step.NOT_SENT])
async def test_they_stay_while_a_destination_may_still_need_them(
    erasing: World, step: Step
) -> None:
    erasing.connector()._settings = erasing.connector()._settings.model_copy(
        update={"always": step}
    )
    await erasing.take(person_penalty())
    await erasing.turn()
    await forget(erasing)

    assert await erasing.value(SEALED) == 1


async def test_what_was_accepted_a_short_while_ago_keeps_them(erasing: World) -> None:
    erasing.connector().play(Step.SUBMIT)
    await erasing.take(person_penalty())
    await erasing.turn()
    await erasing.run("update delivery set state = 'accepted', accepted_at = '2027-06-30T00:00Z'")
    await forget(erasing)

    assert await erasing.value(SEALED) == 1


async def test_of_the_quarantine_only_what_was_resolved_goes(erasing: World) -> None:
    await erasing.take(b"{", b"[")
    await erasing.run(
        "update quarantine set resolved_at = :now where id = (select min(id) from quarantine)",
        now=erasing.clock(),
    )
    await forget(erasing)

    assert await erasing.value("select count(*) from quarantine") == 1


async def test_what_becomes_secret_later_is_withdrawn_with_the_number_that_says_so(
    erasing: World,
) -> None:
    await erasing.take(person_penalty())
    await erasing.turn()
    await forget(erasing)
    await erasing.take(person_penalty(state_secret="是"))
    await erasing.turn()

    last = list(erasing.connector().stored.values())[-1]
    assert last.verb is Verb.WITHDRAW
    assert last.columns["CF_XDR_ZJHM"]


async def test_nothing_of_a_person_leaves_without_the_number(erasing: World) -> None:
    await erasing.take(person_penalty())
    await erasing.run("update record_version set secret = null")
    await erasing.turn()

    assert erasing.sent() == []
    assert await erasing.column("select state from delivery where destination = 'platform'") == [
        "parked"
    ]
