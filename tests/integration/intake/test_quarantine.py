"""Quarantine 隔离区: refused input between good input, and its replay."""

from datetime import timedelta

import orjson
import pytest

from gateway.check.raw import START_BYTES
from gateway.intake.quarantine import AlreadyResolved, NoSuchItem, OnlyStartKept, Overtaken, replay
from gateway.record.result import Result
from gateway.store.record import quarantine
from schemas.input_rules import InputRules
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import event, licence, penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration

POISON: list[bytes | None] = [
    None,
    b"",
    b"\xff\xfe",
    b'{"CF_WSH": ',
    b'{"CF_SY": "\\u0000"}',
    b'{"CF_SY": "\\ud800"}',
    b'{"CF_NR_FK": NaN}',
    b'{"a": 1e99999999999999999999}',
    b'{"a":' * 500 + b"1" + b"}" * 500,
    b"[]",
    orjson.dumps({"name": "?"}),
]
#: A text that only the database refuses, by a trigger of the test.
UNWANTED = "数据库不要的内容"
REFUSE = f"""
    create function refuse() returns trigger language plpgsql as $$ begin
        if new.body::text like '%{UNWANTED}%' then
            raise exception 'unwanted' using errcode = '22000'; end if;
        return new; end $$;
"""
TRIGGER = """
    create trigger refuse before insert on record_version for each row execute function refuse()
"""


async def again(world: World, number: int, body: bytes | None = None) -> Result:
    gateway = world.gateway
    return await replay(gateway.pipeline, gateway.keys, world.clock, number, body)


async def quarantined(world: World) -> list[quarantine.Quarantined]:
    async with world.database.transaction() as connection:
        return await quarantine.open_quarantine(connection)


async def test_unreadable_items_are_quarantined_with_their_bytes(world: World) -> None:
    rows = [row for n, bad in enumerate(POISON) for row in (penalty(n), bad)]

    results = await world.take(*rows, penalty(99), origin="topic")

    assert [one.verdict for one in results[1:-1:2]] == [Verdict.REFUSED] * len(POISON)
    assert all(one.verdict is Verdict.OK for one in results[0::2])
    kept = await quarantined(world)
    assert [world.gateway.keys.decrypt(one.sealed, 1) for one in kept] == [b or b"" for b in POISON]
    assert [one.origin for one in kept] == [f"topic#{n}" for n in range(1, len(rows), 2)]
    assert all(one.problems for one in kept)


async def test_of_a_record_that_is_too_large_the_start_is_kept_and_not_replayed(
    world: World,
) -> None:
    most = InputRules().max_record_bytes
    body = orjson.dumps(penalty(1)) + b" " * most
    first = await world.take(penalty(2), body, penalty(3), origin="main/topic/0")
    again_ = await world.take(penalty(2), body, penalty(3), origin="main/topic/0")

    assert [one.verdict for one in first] == [Verdict.OK, Verdict.REFUSED, Verdict.OK]
    assert all(one.repeat for one in again_)
    [kept] = await quarantined(world)
    assert world.gateway.keys.decrypt(kept.sealed, 1) == body[:START_BYTES]
    assert kept.origin == "main/topic/0#1"
    assert f"{len(body)}字节，超过上限{most}字节" in kept.problems[0]["message"]
    with pytest.raises(OnlyStartKept):
        await again(world, kept.id)
    assert (await again(world, kept.id, orjson.dumps(penalty(1)))).verdict is Verdict.OK


async def test_bytes_in_quarantine_are_encrypted(world: World) -> None:
    body = orjson.dumps(penalty(CF_WSH=None))
    await world.take(body)

    sealed = await world.value("select bytes from quarantine")

    assert body not in sealed
    assert b"CF_XDR_MC" not in sealed


async def test_an_item_that_the_database_refuses_is_found_by_halving(world: World) -> None:
    await world.run(REFUSE)
    await world.run(TRIGGER)
    rows = [penalty(n, CF_NR=UNWANTED if n in {3, 11} else "罚款") for n in range(16)]

    results = await world.take(*rows)

    assert [n for n, one in enumerate(results) if one.verdict is Verdict.REFUSED] == [3, 11]
    assert [results[3].problems[0].rule, results[3].position] == [Rule.DATABASE, 3]
    assert await world.value("select count(*) from decision") == 14
    assert len(await quarantined(world)) == 2


async def test_an_item_that_the_database_refused_is_a_repeat_the_second_time(world: World) -> None:
    await world.run(REFUSE)
    await world.run(TRIGGER)
    await world.take(penalty(CF_NR=UNWANTED), origin="topic")

    [result] = await world.take(penalty(CF_NR=UNWANTED), origin="topic")

    assert result.repeat
    assert len(await quarantined(world)) == 1


async def test_a_corrected_item_is_accepted_and_resolved(world: World) -> None:
    [refused] = await world.take(penalty(CF_WSH=None))
    assert refused.quarantine_id is not None

    result = await again(world, refused.quarantine_id, orjson.dumps(penalty()))

    assert (result.verdict, result.repeat) == (Verdict.OK, False)
    [row] = await world.rows("select replays, resolved_at is not null from quarantine")
    assert row == (1, True)
    assert await quarantined(world) == []
    assert await world.events() == ["quarantine_replayed"]


async def test_an_item_that_is_still_wrong_stays_open(world: World) -> None:
    [refused] = await world.take(penalty(CF_WSH=None))
    assert refused.quarantine_id is not None

    first = await again(world, refused.quarantine_id)
    second = await again(world, refused.quarantine_id)

    assert [first.verdict, second.verdict] == [Verdict.REFUSED] * 2
    replays = await world.value("select replays from quarantine where id = :id",
                                id=refused.quarantine_id)  # fmt: skip
    assert replays == 2


async def test_a_replay_has_its_own_origin(world: World) -> None:
    [refused] = await world.take(penalty(CF_WSH=None), origin="topic")
    assert refused.quarantine_id is not None

    await again(world, refused.quarantine_id, orjson.dumps(penalty()))

    names = await world.column("select name from origin order by id")
    assert names == ["topic", f"quarantine:{refused.quarantine_id}"]


async def test_an_older_item_does_not_replace_a_later_version(world: World) -> None:
    await world.take(penalty(1, CF_CFJG="", CF_NR="罚款人民币一万元"))
    number = int(await world.value("select id from quarantine"))
    world.clock.step(timedelta(hours=1))
    await world.take(penalty(1, CF_NR="罚款人民币二万元"))
    older = orjson.dumps(penalty(1, CF_NR="罚款人民币一万元"))

    with pytest.raises(Overtaken, match="despite-later"):
        await again(world, number, older)

    assert await world.value("select count(*) from record_version") == 1
    gateway = world.gateway
    replayed = await replay(
        gateway.pipeline, gateway.keys, world.clock, number, older, despite_later=True
    )
    assert replayed.verdict is Verdict.OK
    assert await world.value("select count(*) from record_version") == 2


async def test_an_item_does_not_replace_a_version_behind_it_in_its_batch(world: World) -> None:
    await world.take(penalty(1, CF_CFJG=""), penalty(1, CF_NR="罚款人民币二万元"))
    number = int(await world.value("select id from quarantine"))

    with pytest.raises(Overtaken):
        await again(world, number, orjson.dumps(penalty(1, CF_NR="罚款人民币一万元")))


async def test_an_item_may_correct_a_version_before_it_in_its_batch(world: World) -> None:
    await world.take(penalty(1, CF_NR="罚款人民币一万元"), penalty(1, CF_CFJG=""))
    number = int(await world.value("select id from quarantine"))

    replayed = await again(world, number, orjson.dumps(penalty(1, CF_NR="罚款人民币二万元")))

    assert replayed.verdict is Verdict.OK


async def test_the_kind_is_kept_for_the_replay(world: World) -> None:
    [refused] = await world.take(event(subject_code="1"))
    assert refused.quarantine_id is not None

    result = await again(world, refused.quarantine_id, orjson.dumps(event()))

    assert result.verdict is Verdict.OK


async def test_a_corrected_item_may_say_that_it_is_of_another_kind(world: World) -> None:
    [refused] = await world.take(licence(kind="penalty"))
    assert refused.quarantine_id is not None

    result = await again(world, refused.quarantine_id, orjson.dumps(licence(kind="licence")))

    assert result.verdict is Verdict.OK


async def test_an_unknown_quarantine_number_is_refused(world: World) -> None:
    with pytest.raises(NoSuchItem, match="99"):
        await again(world, 99)


async def test_a_resolved_item_is_not_replayed_again(world: World) -> None:
    [refused] = await world.take(penalty(CF_WSH=None))
    assert refused.quarantine_id is not None
    await again(world, refused.quarantine_id, orjson.dumps(penalty()))

    with pytest.raises(AlreadyResolved, match="已经解决"):
        await again(world, refused.quarantine_id, orjson.dumps(penalty()))

    assert await world.value("select replays from quarantine") == 1


async def test_refused_input_makes_no_decision(world: World) -> None:
    await world.take(licence(XK_WSH=None))

    assert await world.value("select count(*) from decision") == 0
    assert await world.states() == []
