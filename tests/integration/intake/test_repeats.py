"""What was refused before and can be read now is not lost as a repeat."""

import orjson
import pytest

from gateway.check.raw import Raw
from gateway.intake.quarantine import replay
from gateway.record.result import Result
from schemas.codes import RecordKind
from schemas.verdict import Verdict
from tests.factories import licence
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def take(world: World, kind: RecordKind) -> Result:
    raw = Raw("file:same", 1, orjson.dumps(licence()), kind)
    [result] = await world.gateway.pipeline.process([raw])
    return result


async def test_a_file_read_as_the_wrong_kind_can_be_read_again_as_the_right_one(
    world: World,
) -> None:
    first = await take(world, RecordKind.PENALTY)
    again = await take(world, RecordKind.PENALTY)

    right = await take(world, RecordKind.LICENCE)
    once_more = await take(world, RecordKind.LICENCE)

    assert (first.verdict, first.repeat, again.repeat) == (Verdict.REFUSED, False, True)
    assert (right.verdict, right.repeat, once_more.repeat) == (Verdict.OK, False, True)
    assert await world.column("select kind from decision") == ["licence"]
    assert await world.column("select resolved_at is not null from quarantine") == [True]
    assert "origin_reused" not in await world.events()


async def test_an_item_that_was_replayed_since_does_not_come_back(world: World) -> None:
    refused = await take(world, RecordKind.PENALTY)
    assert refused.quarantine_id is not None
    gateway = world.gateway
    await replay(
        gateway.pipeline,
        gateway.keys,
        world.clock,
        refused.quarantine_id,
        orjson.dumps(licence(kind="licence")),
    )
    await world.take(licence(XK_NR="后来更正"))

    again = await take(world, RecordKind.LICENCE)

    assert again.repeat
    assert await world.value("select count(*) from record_version") == 2
