"""A mass change of what a destination shows waits for a person 批量变更."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.deliver.manual import retry_all
from gateway.service.examined import stored_parts
from gateway.service.finding import judged
from gateway.service.watching import Watching
from tests.factories import penalty, publicity_repair
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

PLATFORM: dict[str, Any] = {
    "name": "platform",
    "title": "样例平台",
    "connector": "memory",
    "takes": ["penalty"],
    "clocks": ["calendar-7"],
    "settle": "PT0S",
}


async def shown(world: World, count: int) -> None:
    """Let the platform show this many decisions."""
    await world.take(*(penalty(n, n) for n in range(1, count + 1)))
    await world.turn()


async def parked(world: World) -> int:
    return int(await world.value("select count(*) from delivery where state = 'parked'"))


def withdrawn(*numbers: int) -> list[dict[str, Any]]:
    return [penalty(n, n, verb="withdraw") for n in numbers]


def corrected(*numbers: int, text: str = "改") -> list[dict[str, Any]]:
    return [penalty(n, n, CF_NR=text) for n in numbers]


@pytest.mark.parametrize("change", [withdrawn, corrected])
async def test_more_than_the_share_is_parked_with_the_reason(
    make_world: MakeWorld, change: Any
) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 60)

    await world.take(*change(*range(1, 21)))
    await world.turn()

    assert await parked(world) == 20
    [reason] = await world.column(
        "select distinct reasons ->> 0 from delivery where state = 'parked'"
    )
    assert reason.startswith("批量变更待确认：今天已有 20 件更正或撤回，对方共有 60 件")
    assert {verb for verb, _ in world.sent()} == {"new"}


async def test_what_is_within_the_share_goes(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 100)

    await world.take(*withdrawn(*range(1, 31)))

    assert await parked(world) == 0


async def test_small_numbers_go_whatever_their_share(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 19)

    await world.take(*withdrawn(*range(1, 20)))

    assert await parked(world) == 0


async def test_the_changes_of_a_day_count_together_however_they_came(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 100)

    for n in range(1, 41):
        await world.take(*withdrawn(n))

    assert await parked(world) == 10


async def test_the_next_day_counts_anew(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 100)
    await world.take(*withdrawn(*range(1, 31)))
    world.clock.step(timedelta(days=1))

    await world.take(*withdrawn(*range(31, 51)))

    assert await parked(world) == 0


async def test_a_correction_of_what_was_never_told_is_none(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await world.take(*(penalty(n, n) for n in range(1, 61)))

    await world.take(*corrected(*range(1, 61)))
    await world.turn()

    assert await parked(world) == 0
    assert len(world.sent()) == 60


async def test_another_destination_does_not_wait(make_world: MakeWorld) -> None:
    other = PLATFORM | {"name": "other", "title": "另一平台", "change_share": None}
    world = await make_world(destinations=[PLATFORM, other])
    await shown(world, 60)

    await world.take(*withdrawn(*range(1, 61)))
    await world.turn()

    assert [verb for verb, _ in world.sent()].count("withdraw") == 0
    assert [verb for verb, _ in world.sent("other")].count("withdraw") == 60


async def test_a_person_lets_them_go(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 60)
    await world.take(*withdrawn(*range(1, 21)))
    ids = await world.column("select id from delivery where state = 'parked'")

    await retry_all(world.database, ids, "张三", world.clock())
    await world.turn()

    assert await parked(world) == 0
    assert [verb for verb, _ in world.sent()].count("withdraw") == 20


async def test_a_corrected_file_takes_the_place_of_what_waits(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 60)
    await world.take(*corrected(*range(1, 31), text="弄错"))
    world.clock.step(timedelta(days=1))

    await world.take(*corrected(*range(1, 16), text="对的"))
    await world.turn()

    assert await parked(world) == 15
    contents = [item.columns["CF_NR"] for item in world.connector().stored.values()]
    assert contents.count("对的") == 15
    assert "弄错" not in contents


async def test_who_watches_is_told_while_it_waits(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    gateway = world.gateway

    async def told() -> str:
        return (await judged("批量变更", stored_parts(gateway)["批量变更"])).detail

    assert await told() == "没有待确认的"
    await shown(world, 60)
    await world.take(*withdrawn(*range(1, 21)))
    await Watching(gateway).look()

    assert "platform 20 条" in await told()
    waiting = "credit_gateway_mass_changes_waiting"
    assert gateway.metrics.registry.get_sample_value(waiting, {"destination": "platform"}) == 20


async def test_what_waits_for_a_column_is_not_freed_by_the_guard(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM | {"requires": ["CF_WSH", "CF_NR"]}])
    await shown(world, 60)

    await world.take(*(penalty(n, n, CF_NR=None, CF_SY="改") for n in range(1, 21)))

    assert (await world.states()).count("held") == 20


async def test_what_a_person_lets_go_does_not_overtake_what_is_unknown(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 60)
    await world.run(
        "update delivery set state = 'unknown', maybe_arrived = true, accepted_at = null,"
        " next_at = cast(:now as timestamptz) + interval '9 days'"
        " where id = (select min(id) from delivery)",
        now=world.clock(),
    )
    await world.take(*withdrawn(*range(1, 21)))
    ids = await world.column("select id from delivery where state = 'parked'")

    await retry_all(world.database, ids, "张三", world.clock())

    chain = "chain_id = (select chain_id from delivery where state = 'unknown')"
    states = await world.column(f"select state from delivery where {chain} order by id")
    assert states == ["unknown", "waiting"]


async def test_one_decision_that_is_corrected_often_is_no_mass_change(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 60)

    for n in range(25):
        await world.take(*corrected(1, text=f"第{n}次改"))
        await world.turn()

    assert await parked(world) == 0


async def test_what_became_secret_is_withdrawn_at_once(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 60)
    await world.take(*corrected(*range(1, 21)))

    await world.take(penalty(50, 50, state_secret="是"))

    assert await world.column("select state from delivery where verb = 'withdraw'") == ["ready"]


async def test_a_repair_by_a_letter_goes(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 60)
    await world.take(*corrected(*range(1, 21)))

    await world.take(publicity_repair(40, 40))

    assert await world.column("select state from delivery where verb = 'repair'") == ["ready"]


async def test_the_share_is_of_what_is_still_shown(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 100)
    await world.take(*withdrawn(*range(1, 31)))
    await world.turn()
    world.clock.step(timedelta(days=1))

    await world.take(*withdrawn(*range(31, 56)))

    assert await parked(world) == 25  # of 70


async def test_what_was_told_as_a_correction_is_shown_as_well(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await world.take(*(penalty(n, n) for n in range(1, 101)))
    await world.take(*corrected(*range(1, 101)))
    await world.turn()

    await world.take(*withdrawn(*range(1, 21)))

    assert await parked(world) == 0


async def test_a_share_of_nothing_lets_nothing_go(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM | {"change_share": 0}])
    await shown(world, 30)

    await world.take(*withdrawn(1))

    assert await parked(world) == 1


async def test_what_waits_beyond_its_due_time_is_late(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM])
    await shown(world, 60)
    await world.take(*withdrawn(*range(1, 21)))

    await world.pass_time(24 * 9)

    late = "select count(*) from delivery where state = 'parked' and breached_at is not null"
    assert await world.value(late) == 20
