"""What a destination tells decisions apart by 重复键: what it would mix up waits for a person."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.memory import Step
from gateway.deliver.manual import retry_all
from schemas.kinds import KINDS
from tests.factories import AUTHORITY, credit_code, penalty, person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.test_mass_changes import PLATFORM
from tests.integration.world import World

pytestmark = pytest.mark.integration

REASON = "select reasons ->> 0 from delivery where state = 'parked'"


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    yield
    KINDS.adopt(())


async def told(world: World) -> list[tuple[str, str]]:
    """Return what was sent: the verb, and the name of the subject."""
    sent = world.connector().stored.values()
    return [(one.verb.value, one.columns["CF_XDR_MC"]) for one in sent]


async def _free(world: World) -> None:
    """A person lets go what waits."""
    waiting = await world.column("select id from delivery where state = 'parked'")
    await retry_all(world.database, waiting, "张三", world.clock())


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


async def test_a_revived_one_is_one_of_two(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[BY_NUMBER])
    for row in (penalty(1, 1), penalty(1, 1, verb="withdraw"), penalty(1, 2)):
        await world.take(row)
        await world.turn()

    await world.take(penalty(1, 1, CF_NR="恢复原决定"))
    await world.turn()

    assert [verb for verb, _ in await told(world)] == ["new", "withdraw", "new"]
    [reason] = await world.column(REASON)
    assert "样例2号有限公司" in reason


async def test_a_held_one_that_is_free_is_one_of_two(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[BY_NUMBER])
    await world.take(penalty(1, 1, CF_JDRQ="2026/10/13"))  # tomorrow: held until then
    await world.take(penalty(1, 2))
    await world.turn()
    assert await world.states() == ["held", "accepted"]

    await world.pass_time(48)

    assert await world.states() == ["parked", "accepted"]


async def test_a_withdrawal_frees_the_number_once_the_platform_has_it(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[BY_NUMBER])
    await world.take(penalty(1, 1))
    await world.turn()
    world.connector().play(Step.DEFER)
    await world.take(penalty(1, 1, verb="withdraw"))
    await world.turn()

    await world.take(penalty(1, 2))

    assert await world.states() == ["accepted", "deferred", "parked"]


async def test_years_of_two_companies_are_two(make_world: MakeWorld) -> None:
    """The keys of a kind without numbers are told apart by their subjects only."""
    kind = {
        "name": "green_grade",
        "title": "样例评价",
        "prefix": "PJ_",
        "keys": ["PJ_ND"],
        "columns": [{"code": "PJ_ND", "title": "年度", "required": True}],
    }
    world = await make_world(
        kinds=[kind], destinations=[BY_NUMBER | {"takes": ["penalty", "green_grade"]}]
    )
    rows = [
        {
            "PJ_XDR_MC": f"样例{n}号有限公司",
            "PJ_XDR_SHXYM": credit_code(n),
            "PJ_ND": "2026",
            "PJ_JDRQ": "2026-10-09",
            "PJ_JG": AUTHORITY,
        }
        for n in (1, 2)
    ]
    await world.take(*rows)
    await world.turn()

    assert await world.column("select state from delivery") == ["accepted", "accepted"]


@pytest.mark.parametrize(
    ("first", "then", "waits"),
    [
        ("样例（集团）公司", "样例(集团)公司", False),
        ("样例 公司", "样例公司", False),
        ("样例公司", "样列公司", True),
    ],
)
async def test_a_name_in_other_width_is_the_same(
    make_world: MakeWorld, first: str, then: str, waits: bool
) -> None:
    world = await make_world(destinations=[BY_NAME])
    await world.take(penalty(CF_XDR_MC=first))
    await world.turn()

    await world.take(penalty(CF_XDR_MC=then))
    await world.turn()

    assert ("parked" in await world.states()) == waits


async def test_two_persons_of_one_name_are_one_to_who_looks_at_names(
    make_world: MakeWorld,
) -> None:
    by_name = PLATFORM | {"duplicate_key": ["document_number", "subject_name"]}
    world = await make_world(destinations=[by_name])
    await world.take(person_penalty(1))
    await world.take(person_penalty(1, CF_XDR_ZJHM="110105194912310038"))
    await world.turn()

    assert sorted(await world.states()) == ["accepted", "parked"]


async def test_a_respelt_number_waits_for_a_person(make_world: MakeWorld) -> None:
    """To us it is the same decision; a platform that compares texts keeps both rows."""
    world = await make_world(destinations=[BY_NUMBER])
    await world.take(penalty(1, 1))
    await world.turn()

    await world.take(penalty(1, 1, CF_WSH="样环罚字[2026]1号", CF_NR="改"))
    await world.turn()

    assert "parked" in await world.states()
