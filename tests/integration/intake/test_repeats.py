"""What was refused before and can be read now is not lost as a repeat."""

import orjson
import pytest

from gateway.check.raw import Raw
from gateway.intake.quarantine import replay
from gateway.record.content import content
from gateway.record.result import Result
from schemas.codes import RecordKind
from schemas.verdict import Verdict
from tests.factories import licence, penalty
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


@pytest.mark.parametrize("again", ["2.0", "2.00", "2.000000", "2万元", "20000元"])
async def test_the_same_amount_in_another_form_is_no_correction(world: World, again: str) -> None:
    await world.take(penalty(CF_NR_FK="2"))

    [result] = await world.take(penalty(CF_NR_FK=again))

    assert result.repeat
    assert await world.value("select count(*) from record_version") == 1


async def test_other_line_ends_are_no_correction(world: World) -> None:
    await world.take(penalty(CF_WFXW="一、超标排放\n二、未验先投"))

    [result] = await world.take(penalty(CF_WFXW="一、超标排放\r\n二、未验先投"))

    assert result.repeat


async def test_what_an_earlier_release_stored_with_zeros_is_no_correction(world: World) -> None:
    row = penalty(CF_NR_FK="2.50", CF_WFXW="一、超标排放\r\n二、未验先投")
    [first] = await world.take(row)
    given = content(first.checked)
    hash_ = world.gateway.keys.content(given.as_given)
    await world.run("update decision set content_hash = :hash", hash=hash_)

    [again] = await world.take(row)

    assert given.as_given != given.hashed
    assert again.repeat
