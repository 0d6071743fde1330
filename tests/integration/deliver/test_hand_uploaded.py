"""What is said of a file that a person carried, and what follows from it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from gateway.config.errors import BadConfiguration
from gateway.config.keys import KeyPurpose
from gateway.deliver.hand_files import UploadRefused, attachment, shown
from gateway.record.encryption import encrypt_again
from gateway.service.key_ring import Reason, rotate
from gateway.store.deliver import hand_uploads
from schemas.hand_upload import UploadState
from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.clerk import (
    PAGE,
    list_of_results,
    made,
    make,
    numbers,
    result,
    say_done,
    say_undone,
    work_rows,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A gateway with a platform that has a web page only."""
    return await make_world(destinations=[PAGE, BANK])


# ---------------------------------------------------------------- what is said


async def test_an_upload_is_accepted_blind_from_the_time_that_a_person_says(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)
    uploaded_at = world.clock() + 20 * MINUTE
    world.clock.step(60 * MINUTE)

    told = await say_done(world, handed.upload.id, at=uploaded_at)

    assert told.counts() == {"arrived": 1, "back": 0, "rejected": 0, "others": 0}
    state, at, words = (
        await world.rows(
            "select state, submitted_at, reasons ->> 0 from delivery where destination = 'page'"
        )
    )[0]
    assert (state, at) == ("accepted_blind", uploaded_at)
    assert words == f"李四 于 2026-10-12 09:20 人工上报（批次 {handed.upload.id}）"
    assert await world.events() == ["upload_made", "delivery_resolved", "upload_done"]
    assert await work_rows(world) == ()


async def test_an_upload_before_its_download_is_not_believed(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)

    with pytest.raises(UploadRefused, match="--at 早于下载的时间 2026-10-12 09:00"):
        await say_done(world, handed.upload.id, at=world.clock() - MINUTE)
    assert await world.states("page") == ["unknown"]


async def test_rows_may_have_been_left_out_or_refused_at_once(world: World) -> None:
    await world.take(*(penalty(n, n) for n in range(1, 4)))
    handed = await made(world)

    told = await say_done(
        world, handed.upload.id, excepted=["3"], rejected={"行政处罚!4": "代码不正确"}
    )

    assert told.counts() == {"arrived": 1, "back": 1, "rejected": 1, "others": 0}
    assert await world.states("page") == ["accepted_blind", "ready", "rejected"]
    assert await world.column("select reasons ->> 0 from delivery where state = 'rejected'") == [
        "代码不正确"
    ]


async def test_a_row_that_is_not_in_the_file_moves_nothing(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)

    with pytest.raises(UploadRefused, match="没有第 9 行；行号见 upload show，如 行政处罚!2"):
        await say_done(world, handed.upload.id, excepted=["9"])
    with pytest.raises(UploadRefused, match="只留一处"):
        await say_done(world, handed.upload.id, excepted=["2"], rejected={"2": "错"})
    assert await world.states("page") == ["unknown"]


async def test_an_upload_that_never_was_is_ready_again(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)

    told = await say_undone(world, handed.upload.id)
    after = await world.states("page")
    anew = await made(world)

    assert (told.back, after) == (1, ["ready"])
    assert numbers(anew) == ["样环罚字〔2026〕1号"]
    assert [one.verb.value for one, _ in anew.items] == ["new"]


async def test_of_two_people_at_once_one_is_believed(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)

    both = await asyncio.gather(
        say_done(world, handed.upload.id, "李四"),
        say_undone(world, handed.upload.id, "王五"),
        return_exceptions=True,
    )

    [refused] = [one for one in both if isinstance(one, BaseException)]
    assert isinstance(refused, UploadRefused)
    assert "登记为" in str(refused)
    ended = await world.value("select state from hand_upload")
    assert await world.states("page") == [{"done": "accepted_blind", "undone": "ready"}[ended]]


async def test_what_is_attached_is_encrypted_and_comes_back(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)
    await say_done(world, handed.upload.id, files=[("截图.png", b"\x89PNG a picture")])
    built = world.gateway
    await rotate(
        built.database, built.keys, KeyPurpose.ENCRYPTION, Reason("李四", "到期"), world.clock()
    )
    await encrypt_again(built.database, built.keys, 0.0, lambda _: None)

    found = await shown(world.database, handed.upload.id)

    assert found is not None
    [one] = found.files
    assert (one.name, one.size, one.added_by) == ("截图.png", 14, "李四")
    stored = await world.value("select content from hand_upload_file")
    assert b"PNG" not in stored
    assert await world.value("select key_version from hand_upload_file") == 2
    back = await attachment(world.database, built.keys, handed.upload.id, one.id)
    assert back == ("截图.png", b"\x89PNG a picture")


# ---------------------------------------------------------------- the chain behind it


async def test_a_correction_waits_until_a_person_has_said_what_became_of_the_first(
    world: World,
) -> None:
    await world.take(penalty(1))
    first = await made(world)
    await world.take(penalty(1, CF_NR="罚款人民币三万元"))
    nothing = await make(world)
    waiting = await world.states("page")
    [_, row] = await work_rows(world)

    await say_done(world, first.upload.id)
    second = await made(world)

    assert (nothing, waiting) == (None, ["unknown", "waiting"])
    assert row.why == "排在前一版之后：前一版有了结果再下载上报"
    [(item, _)] = second.items
    assert (item.verb.value, item.columns["CF_NR"]) == ("correct", "罚款人民币三万元")


async def test_what_was_overtaken_in_somebodys_hands_is_not_handed_out_again(world: World) -> None:
    await world.take(penalty(1))
    first = await made(world)
    await world.take(penalty(1, CF_NR="罚款人民币三万元"))

    await say_undone(world, first.upload.id)

    assert await world.states("page") == ["superseded", "ready"]
    second = await made(world)
    assert [one.verb.value for one, _ in second.items] == ["new"]


async def test_a_withdrawal_is_done_on_the_page_and_is_said_like_a_row(world: World) -> None:
    await world.take(penalty(1))
    await say_done(world, (await made(world)).upload.id)
    await world.take(penalty(1, verb="withdraw"))

    handed = await made(world)
    await say_done(world, handed.upload.id)

    assert handed.filled.content is None
    assert [one.document_number for one in handed.on_the_page] == ["样环罚字〔2026〕1号"]
    assert handed.upload.rows == 0
    assert await world.states("page") == ["accepted_blind", "accepted_blind"]


async def test_a_withdrawal_of_what_never_left_needs_nobody(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)
    await world.take(penalty(1, verb="withdraw"))

    await say_undone(world, handed.upload.id)

    assert await world.states("page") == ["superseded", "superseded"]
    assert await make(world) is None


async def test_two_decisions_of_one_number_go_in_two_files(world: World) -> None:
    await world.take(penalty(1, 1), penalty(1, 2))

    first, second = await made(world), await made(world)

    assert (len(first.items), first.later) == (1, 1)
    assert (len(second.items), second.later) == (1, 0)


# ---------------------------------------------------------------- results of the platform


async def test_a_list_of_results_confirms_or_rejects(world: World) -> None:
    await world.take(*(penalty(n, n) for n in range(1, 5)))
    handed = await made(world)
    await say_done(world, handed.upload.id)
    answers = result(1, True), result(2, False, "未查询到主体"), result(3, None), result(9, True)

    found = await list_of_results(world, handed.upload.id, *answers)

    assert (found.accepted, found.rejected, found.unmentioned, found.strange) == (1, 1, 1, 1)
    assert found.unread == ["样环罚字〔2026〕3号"]
    assert await world.states("page") == [
        "accepted",
        "rejected",
        "accepted_blind",
        "accepted_blind",
    ]
    told = await shown(world.database, handed.upload.id)
    assert told is not None
    assert [one.name for one in told.files] == ["结果.xlsx"]


async def test_a_list_says_nothing_of_what_nobody_has_uploaded(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)

    with pytest.raises(UploadRefused, match="先用 upload done 登记"):
        await list_of_results(world, handed.upload.id, result(1, True))
    await say_done(world, handed.upload.id)
    with pytest.raises(UploadRefused, match="清单里没有"):
        await list_of_results(world, handed.upload.id, result(7, True))
    assert await world.states("page") == ["accepted_blind"]


async def test_an_old_list_says_nothing_of_a_row_that_is_in_a_later_file(world: World) -> None:
    await world.take(penalty(1), penalty(2, 2))
    first = await made(world)
    await say_done(world, first.upload.id, excepted=["3"])
    await made(world)

    await list_of_results(world, first.upload.id, result(1, True), result(2, False, "错"))

    assert await world.states("page") == ["accepted", "unknown"]


# ---------------------------------------------------------------- around it


async def test_a_destination_that_is_gone_from_the_configuration_can_be_ended(
    world: World, make_world: MakeWorld
) -> None:
    await world.take(penalty(1))
    handed = await made(world)
    with pytest.raises(BadConfiguration, match="page 还有 1 条未了结的报送"):
        await make_world(destinations=[PLATFORM, BANK])
    await world.run("update destination set dropped_at = now() where name = 'page'")
    without = await make_world(destinations=[PLATFORM, BANK])

    await say_done(without, handed.upload.id)
    await list_of_results(without, handed.upload.id, result(1, True))

    assert await without.states("page") == ["accepted"]


async def test_a_row_that_somebody_resolved_alone_stays_as_it_is(world: World) -> None:
    await world.take(penalty(1), penalty(2, 2))
    handed = await made(world)
    await world.run(
        """update delivery set state = 'accepted'
        where id = (select min(id) from delivery where destination = 'page')"""
    )

    told = await say_done(world, handed.upload.id)

    assert told.counts() == {"arrived": 1, "back": 0, "rejected": 0, "others": 1}
    assert await world.states("page") == ["accepted", "accepted_blind"]


async def test_the_open_ones_are_listed_first_and_the_oldest_before_the_others(
    world: World,
) -> None:
    await world.take(*(penalty(n, n) for n in range(1, 4)))
    made_ = []
    for _ in range(3):
        made_.append((await made(world, most=1)).upload.id)
        world.clock.step(MINUTE)
    await say_done(world, made_[0])

    async with world.database.transaction() as connection:
        every = await hand_uploads.listed(connection, None, every=True, limit=10)
        open_ = await hand_uploads.listed(connection, "page", every=False, limit=10)

    assert [one.upload.id for one in every] == [made_[1], made_[2], made_[0]]
    assert [one.upload.id for one in open_] == made_[1:]
    assert open_[0].upload.state is UploadState.OPEN
    assert open_[0].due_at is not None
    assert every[2].unconfirmed == 1


async def test_a_file_of_many_rows_takes_as_many_statements_as_one_of_few(world: World) -> None:
    await world.take(*(penalty(n, n) for n in range(1, 4)))
    few = await statements_within(world, lambda: _whole(world))
    await world.take(*(penalty(n, n) for n in range(4, 104)))
    many = await statements_within(world, lambda: _whole(world))

    assert many == few


async def statements_within(world: World, work: Callable[[], Awaitable[None]]) -> int:
    seen = 0

    def note(*_: Any) -> None:
        nonlocal seen
        seen += 1

    engine = world.database.engine.sync_engine
    sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    try:
        await work()
    finally:
        sqlalchemy_event.remove(engine, "before_cursor_execute", note)
    return seen


async def _whole(world: World) -> None:
    handed = await made(world)
    await say_done(world, handed.upload.id)
    answers = [result(n, True) for n in range(1, 104)]
    await list_of_results(world, handed.upload.id, *answers)
