"""A receipt may be read before the outcome of the call is written."""

import pytest

from connectors.memory import Step
from gateway.config.clock import SteppedClock
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver.claims import claim
from gateway.store.deliver.ends import finish
from gateway.store.deliver.receipts import MatchedReceipt, apply_receipts
from schemas.delivery import DeliveryState, Finish
from tests.conftest import BuildGateway
from tests.factories import penalty
from tests.integration.world import World


@pytest.fixture
async def world(database: Database, clock: SteppedClock, build_gateway: BuildGateway) -> World:
    """A gateway with one decision to send to a platform."""
    made = World(await build_gateway(database), clock)
    await made.take(penalty())
    return made


@pytest.mark.parametrize(("accepted", "becomes"), [(True, "accepted"), (False, "rejected")])
async def test_a_receipt_before_the_outcome_is_applied_with_it(
    world: World, accepted: bool, becomes: str
) -> None:
    async with world.database.transaction() as connection:
        submitted = await _claimed(connection, world)
        receipt = MatchedReceipt(submitted.id, accepted, (), world.clock(), None)
        await apply_receipts(connection, "platform", [receipt], world.clock())

        await finish(connection, [submitted], world.clock())

    assert await world.states() == [becomes]


async def test_an_applied_receipt_is_not_applied_to_the_next_attempt(
    world: World,
) -> None:
    world.connector().play(Step.SUBMIT)
    await world.turn()
    [key] = world.connector().stored
    world.connector().issue_receipt(key, accepted=False)
    await world.turn()
    assert await world.states() == ["rejected"]

    await world.run("update delivery set state = 'ready' where destination = 'platform'")
    await world.turn()

    assert await world.states() == ["submitted"]


async def _claimed(connection: Connection, world: World) -> Finish:
    """Claim the delivery; return its outcome `submitted`, without writing it."""
    token = "6f3d51ea-6b8c-4b0e-9b1f-2f6f4b8f2f11"
    lease = world.deliverer().connector.limits.call_timeout
    [one] = await claim(
        connection, "platform", limit=1, token=token, lease=lease, now=world.clock()
    )
    return Finish(
        id=one.id,
        token=token,
        subject_id=one.subject_id,
        chain_id=one.chain_id,
        destination="platform",
        state=DeliveryState.SUBMITTED,
        outcome="submitted",
    )
