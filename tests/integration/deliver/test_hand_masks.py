"""No identity number stays readable of what people and platforms say of a hand upload."""

import pytest

from gateway.deliver.hand_answered import answered
from gateway.deliver.hand_uploaded import undone
from tests.factories import IDENTITY, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.clerk import PAGE, list_of_results, made, result, say_done
from tests.integration.world import World

pytestmark = pytest.mark.integration
WHY = f"证件号码{IDENTITY}与公安信息不符"
EVERYWHERE = """
    select name from hand_upload_file
    union all select row_to_json(e)::text from evidence e
    union all select reasons::text from delivery
    union all select reasons::text from receipt
    union all select row_to_json(a)::text from audit_event a
"""


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A gateway with a decision for a platform that has a web page only."""
    world = await make_world(destinations=[PAGE])
    await world.take(penalty(1))
    return world


async def nothing_shows(world: World, least: str) -> None:
    kept = str(await world.column(EVERYWHERE))
    assert IDENTITY not in kept
    assert least in kept


async def test_names_of_attachments(world: World) -> None:
    handed = await made(world)

    await say_done(world, handed.upload.id, files=[(f"截图{IDENTITY}.png", b"x")])

    await nothing_shows(world, "截图")


async def test_names_of_lists(world: World) -> None:
    handed = await made(world)
    await say_done(world, handed.upload.id)

    file = (f"结果{IDENTITY}.xlsx", b"the list")
    keys, now = world.gateway.keys, world.clock()
    await answered(world.database, keys, handed.upload.id, [result(1, True)], file, "李四", now)

    await nothing_shows(world, "结果")


async def test_why_a_row_was_refused_at_once(world: World) -> None:
    handed = await made(world)
    place = handed.items[0][1]

    await say_done(world, handed.upload.id, rejected={place: WHY})

    await nothing_shows(world, "与公安信息不符")


async def test_why_a_list_refuses_a_row(world: World) -> None:
    handed = await made(world)
    await say_done(world, handed.upload.id)

    await list_of_results(world, handed.upload.id, result(1, False, WHY))

    await nothing_shows(world, "与公安信息不符")


async def test_why_it_was_never_uploaded(world: World) -> None:
    handed = await made(world)

    await undone(world.database, handed.upload.id, "李四", WHY, world.clock())

    await nothing_shows(world, "与公安信息不符")
