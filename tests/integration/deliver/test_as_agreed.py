"""What a destination means by accepted, by the same decision, and by a natural person."""

from typing import Any

import pytest

from connectors.memory import Step
from gateway.deliver.manual import retry_all
from gateway.reconcile.keep import Reconciled
from gateway.reconcile.run import begin, reconcile_platform
from tests.factories import REGION, penalty, person_penalty, with_check_character
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.test_mass_changes import PLATFORM
from tests.integration.reconcile.sides import OCTOBER
from tests.integration.world import World

pytestmark = pytest.mark.integration

REASON = "select reasons ->> 0 from delivery where state = 'parked'"


async def told(world: World) -> list[tuple[str, str]]:
    """Return what was sent: the verb, and the name of the subject."""
    sent = world.connector().stored.values()
    return [(one.verb.value, one.columns["CF_XDR_MC"]) for one in sent]


async def reconcile(world: World) -> Reconciled:
    built, deliverer = world.gateway, world.deliverer()
    run = await begin(built.database, deliverer.name, OCTOBER, world.clock())
    side = deliverer.destination, deliverer.connector
    return await reconcile_platform(built.database, built.reconcile_scope, *side, run)


async def _free(world: World) -> None:
    """A person lets go what waits."""
    waiting = await world.column("select id from delivery where state = 'parked'")
    await retry_all(world.database, waiting, "张三", world.clock())


def receipt(world: World, *, accepted: bool) -> None:
    [key] = world.connector().stored
    world.connector().issue_receipt(key, accepted=accepted)


async def test_an_answer_is_no_acceptance_where_the_receipt_is(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM | {"accepted_by": "receipt"}])
    await world.take(penalty())
    await world.turn()
    assert await world.states() == ["submitted"]

    receipt(world, accepted=True)
    await world.turn()

    assert await world.states() == ["accepted"]


async def test_an_answer_is_the_acceptance_where_nothing_more_comes(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM | {"accepted_by": "answer"}])
    world.connector().play(Step.SUBMIT)

    await world.take(penalty())
    await world.turn()

    assert await world.states() == ["accepted"]


async def test_neither_answer_nor_receipt_is_acceptance_where_the_listing_is(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM | {"accepted_by": "listing"}])
    await world.take(penalty())
    await world.turn()
    receipt(world, accepted=True)
    await world.turn()
    assert await world.states() == ["accepted_blind"]
    assert await world.value("select count(*) from receipt") == 1

    await reconcile(world)

    assert await world.states() == ["accepted"]


async def test_a_receipt_of_rejection_counts_where_the_listing_is_acceptance(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM | {"accepted_by": "listing"}])
    await world.take(penalty())
    await world.turn()

    receipt(world, accepted=False)
    await world.turn()

    assert await world.states() == ["rejected"]


BY_NUMBER: dict[str, Any] = PLATFORM | {"duplicate_key": ["document_number"]}


@pytest.mark.parametrize("together", [True, False])
async def test_two_that_are_one_to_the_platform_are_not_both_sent(
    make_world: MakeWorld, together: bool
) -> None:
    """One decision against two companies: some platforms know the document number alone."""
    world = await make_world(destinations=[BY_NUMBER])
    for batch in [[1, 2]] if together else [[1], [2]]:
        await world.take(*(penalty(1, company) for company in batch))
        await world.turn()

    assert await told(world) == [("new", "样例1号有限公司")]
    [reason] = await world.column(REASON)
    assert reason.startswith(
        "对方按文书号认重复：样环罚字〔2026〕1号（样例1号有限公司）已经或将要报送"
    )

    await _free(world)
    await world.turn()

    assert ("new", "样例2号有限公司") in await told(world)


async def test_what_was_withdrawn_there_is_in_nobodys_way(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[BY_NUMBER])
    await world.take(penalty(1, 1))
    await world.turn()
    await world.take(penalty(1, 1, verb="withdraw"))
    await world.turn()

    await world.take(penalty(1, 2))
    await world.turn()

    assert ("new", "样例2号有限公司") in await told(world)


async def test_a_rejected_one_is_in_nobodys_way(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[BY_NUMBER])
    world.connector().play(Step.REJECT)
    await world.take(penalty(1, 1))
    await world.turn()

    await world.take(penalty(1, 2))
    await world.turn()

    assert await told(world) == [("new", "样例2号有限公司")]


async def test_decisions_of_other_numbers_and_corrections_go(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[BY_NUMBER])
    await world.take(penalty(1, 1), penalty(2, 2))
    await world.turn()
    await world.take(penalty(1, 1, CF_XDR_MC="样例改名有限公司"))
    await world.turn()

    assert [verb for verb, _ in await told(world)] == ["new", "new", "correct"]


BY_NAME: dict[str, Any] = PLATFORM | {
    "duplicate_key": ["document_number", "subject_name", "decision_date"]
}


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [("CF_XDR_MC", "样例改名有限公司", "相对人名称"), ("CF_JDRQ", "2026/10/10", "决定日期")],
)
async def test_a_corrected_part_of_the_key_waits_until_the_old_row_is_gone(
    make_world: MakeWorld, column: str, value: str, named: str
) -> None:
    world = await make_world(destinations=[BY_NAME])
    await world.take(penalty())
    await world.turn()

    await world.take(penalty(**{column: value}))
    await world.turn()

    [reason] = await world.column(REASON)
    assert reason.startswith(f"更正改了{named}，对方按它认重复，会另存一条")
    await _free(world)
    await world.turn()
    assert [verb for verb, _ in await told(world)] == ["new", "correct"]


async def test_another_correction_goes(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[BY_NAME])
    await world.take(penalty())
    await world.turn()

    await world.take(penalty(CF_NR="处罚款人民币三万元"))
    await world.turn()

    assert [verb for verb, _ in await told(world)] == ["new", "correct"]


TRADER = penalty(
    CF_XDR_LB="个体工商户",
    CF_XDR_MC="样例早餐店",
    CF_XDR_SHXYM=with_check_character(f"92{REGION}MA0000001"),
)


@pytest.mark.parametrize(("among", "category"), [(False, "个体工商户"), (True, "自然人")])
async def test_a_sole_trader_is_what_the_platform_has_him_for(
    make_world: MakeWorld, among: bool, category: str
) -> None:
    world = await make_world(destinations=[PLATFORM | {"sole_traders_are_persons": among}])
    await world.take(TRADER, penalty(2, 2), person_penalty(3))
    await world.turn()

    sent = {one.columns["CF_XDR_MC"]: one for one in world.connector().stored.values()}
    assert (sent["样例早餐店"].person, sent["样例早餐店"].columns["CF_XDR_LB"]) == (among, category)
    assert not sent["样例2号有限公司"].person
    assert sent["张样例"].person
    assert (await reconcile(world)).differences == ()
