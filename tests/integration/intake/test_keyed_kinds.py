"""Kinds without document numbers: what their keys are, however they are written."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.store.account.trail import trail
from schemas.kinds import KINDS, keys_of
from tests.conftest import PLATFORM
from tests.factories import IDENTITY, credit_code
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

SITE: dict[str, Any] = {
    "name": "site_list",
    "title": "厂区",
    "prefix": "CQ_",
    "keys": ["CQ_ND", "CQ_MC"],
    "columns": [{"code": "CQ_ND", "title": "年度"}, {"code": "CQ_MC", "title": "厂区名称"}],
}


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    yield
    KINDS.adopt(())


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(kinds=[SITE], destinations=[PLATFORM | {"takes": ["site_list"]}])


def site(year: str, name: str) -> dict[str, str]:
    return {
        "CQ_XDR_MC": "样例有限公司",
        "CQ_XDR_SHXYM": credit_code(1),
        "CQ_ND": year,
        "CQ_MC": name,
        "CQ_JDRQ": "2026-10-09",
        "CQ_JG": "样例市生态环境局",
    }


async def test_keys_in_another_width_or_with_blanks_are_the_same(world: World) -> None:
    await world.take(site("2026", "东厂（A1）"))
    await world.take(site("２０２６", "东厂 (Ａ1)"))
    await world.turn()

    assert len(world.sent()) == 1


async def test_keys_that_read_alike_side_by_side_are_two_items(world: World) -> None:
    await world.take(site("东厂，西厂", "锅炉"))
    await world.take(site("东厂", "西厂，锅炉"))
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "new"]


async def test_a_decision_is_found_by_its_keys_as_they_are_shown(world: World) -> None:
    await world.take(site("2026", "东厂 (A1)"))

    [shown] = await world.column("select document_number from decision")
    async with world.database.transaction() as connection:
        found = await trail(connection, keys_of(shown))

    assert shown == "2026，东厂 (A1)"
    assert found


async def test_an_identity_number_is_no_key(world: World) -> None:
    """Keys stand in ledgers, letters and mails."""
    [result] = await world.take(site("2026", IDENTITY))

    [problem] = result.problems
    assert problem.field == "CQ_MC"
    assert "填的是居民身份证号，不是厂区名称" in problem.message
    assert await world.value("select count(*) from decision") == 0
