"""A platform to which a person carries files: nobody calls it, and what is handed out."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest

from connectors.errors import CallRejected
from connectors.excel_template import ExcelTemplate, ExcelTemplateSettings
from gateway.deliver.hand_files import UploadRefused, shown
from gateway.deliver.hand_upload import HandOut
from gateway.ledger import month as ledgers
from gateway.ledger.causes import Cause
from gateway.worklist.rows import Actor, Late
from schemas.delivery import Item
from schemas.hand_upload import FilledFile
from tests.conftest import BANK
from tests.factories import IDENTITY, penalty, person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.clerk import (
    PAGE,
    again,
    made,
    make,
    numbers,
    page,
    say_done,
    work_rows,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A gateway with a platform that has a web page only."""
    return await make_world(destinations=[PAGE, BANK])


# ---------------------------------------------------------------- nobody calls


async def test_nothing_is_sent_by_itself_and_a_clerk_is_asked_to_upload(world: World) -> None:
    await world.take(penalty(1), penalty(2, 2))

    await world.pass_time(hours=24 * 4)

    assert await world.states("page") == ["ready", "ready"]
    [row, _] = await work_rows(world)
    assert (row.actor, row.late) == (Actor.CLERK, Late.STANDS)
    assert row.why == "下载模板上报：upload make page"
    assert await world.value("select breaker from destination where name = 'page'") == "closed"


async def test_what_is_late_there_is_no_fault_of_a_process(world: World) -> None:
    await world.take(penalty(1))

    await world.pass_time(hours=24 * 9)

    metrics = world.gateway.metrics
    assert metrics.due_unclaimed.labels("page")._value.get() == 0
    assert metrics.upload_ready.labels("page")._value.get() == 1
    assert metrics.open_deliveries.labels("page", "overdue")._value.get() == 1
    [row] = await work_rows(world)
    assert (row.actor, row.late) == (Actor.CLERK, Late.OVERDUE)


async def test_the_ledger_says_that_nobody_had_uploaded_what_was_late(world: World) -> None:
    await world.take(penalty(1))
    world.clock.step(timedelta(days=9))
    await say_done(world, (await made(world)).upload.id)

    scope = world.gateway.ledger_scope
    [row] = (await ledgers.month(world.database, scope, "2026-10", world.clock())).rows

    assert row.standings["page"].cause is Cause.UPLOAD
    assert row.standings["page"].blind


# ---------------------------------------------------------------- handing out


async def test_a_file_is_handed_out_once_and_its_rows_may_have_been_uploaded(world: World) -> None:
    await world.take(penalty(1), penalty(2, 2))

    handed = await made(world)
    second = await make(world)
    await world.pass_time(hours=24 * 4)

    assert second is None
    assert await world.states("page") == ["unknown", "unknown"]
    assert numbers(handed) == ["样环罚字〔2026〕1号", "样环罚字〔2026〕2号"]
    attempts = """select a.act, a.outcome, a.reasons ->> 0 from attempt a
        join delivery d on d.id = a.delivery_id where d.destination = 'page' order by d.id"""
    [(act, outcome, words), _] = await world.rows(attempts)
    assert (act, outcome) == ("send", "unknown")
    assert f"由 李四 下载（批次 {handed.upload.id}）" in words
    [row, _] = await work_rows(world)
    assert row.actor is Actor.CLERK
    assert row.why == words
    since = world.gateway.metrics.upload_open_since.labels("page")._value.get()
    assert since == handed.upload.made_at.timestamp()


async def test_the_earliest_due_come_first_and_no_more_than_wanted(world: World) -> None:
    await world.take(penalty(1, CF_JDRQ="2026/10/11"), penalty(2, 2), penalty(3, 3))

    first, second = await made(world, most=2), await made(world, "王五", most=2)

    assert numbers(first) == ["样环罚字〔2026〕2号", "样环罚字〔2026〕3号"]
    assert numbers(second) == ["样环罚字〔2026〕1号"]


async def test_two_people_at_once_get_different_rows(world: World) -> None:
    await world.take(*(penalty(n, n) for n in range(1, 9)))

    both = await asyncio.gather(make(world, "李四", 4), make(world, "王五", 4))

    got = [number for one in both if one for number in numbers(one)]
    assert len(got) == len(set(got)) == 8


async def test_a_file_that_cannot_be_filled_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.take(penalty(1))

    async def broken(items: Sequence[Item], at: datetime) -> FilledFile:
        raise CallRejected("template：没有这个文件")

    monkeypatch.setattr(page(world), "fill", broken)
    with pytest.raises(CallRejected):
        await make(world)

    assert await world.states("page") == ["ready"]
    assert await world.value("select attempts from delivery where destination = 'page'") == 0
    assert await world.value("select count(*) from hand_upload") == 0


async def test_after_a_crash_before_the_file_the_rows_are_ready_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing had been handed out: nobody has to find out anything."""
    await world.take(penalty(1))

    async def killed(items: Sequence[Item], at: datetime) -> FilledFile:
        assert await world.states("page") == ["leased"]
        assert await world.value("select count(*) from attempt") == 1
        raise CallRejected

    monkeypatch.setattr(page(world), "fill", killed)
    monkeypatch.setattr(HandOut, "_put_back", lambda *_: asyncio.sleep(0))
    with pytest.raises(CallRejected):
        await make(world)
    await world.turn()
    meanwhile = await world.states("page")
    await world.run("update delivery set lease_until = clock_timestamp() - interval '1 second'")
    await world.turn()

    assert meanwhile == ["leased"]
    assert await world.states("page") == ["ready"]
    assert (
        await world.value("select maybe_arrived from delivery where destination = 'page'") is False
    )


async def test_a_file_that_took_too_long_is_not_handed_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows may be in another one by then."""
    await world.take(penalty(1), penalty(2, 2))
    fill = page(world).fill

    async def slow(items: Sequence[Item], at: datetime) -> FilledFile:
        monkeypatch.setattr(page(world), "fill", fill)
        await world.run("update delivery set lease_until = clock_timestamp() - interval '1 second'")
        assert await make(world, "王五") is not None
        return await fill(items, at)

    monkeypatch.setattr(page(world), "fill", slow)
    with pytest.raises(UploadRefused, match="花的时间太长"):
        await make(world)

    assert await world.states("page") == ["unknown", "unknown"]
    assert await world.column("select made_by from hand_upload") == ["王五"]


async def test_the_same_file_can_be_had_again_which_is_noted(world: World) -> None:
    await world.take(penalty(1), person_penalty(2))
    handed = await made(world)
    world.clock.step(60 * MINUTE)

    anew = await again(world, handed.upload.id)

    assert anew.filled.content == handed.filled.content
    assert handed.persons == 1
    found = await shown(world.database, handed.upload.id)
    assert found is not None
    assert [(one.actor, one.words[:4]) for one in found.story] == [
        ("李四", "下载（S"),
        ("王五", "再次下载"),
    ]
    assert await world.events() == ["upload_made", "upload_handed_out"]
    assert IDENTITY not in str(await world.rows("select detail from audit_event"))


async def test_a_file_of_which_the_rows_would_move_is_not_handed_out_again(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)
    renamed = ExcelTemplateSettings.model_validate({"sheets": {"penalty": {"sheet": "处罚"}}})
    world.deliverer("page").connector = ExcelTemplate(renamed, world.clock)

    with pytest.raises(UploadRefused, match="各行的位置变了"):
        await again(world, handed.upload.id)


async def test_a_decision_that_became_secret_leaves_in_no_file_any_more(world: World) -> None:
    await world.take(penalty(1))
    handed = await made(world)
    await world.take(penalty(1, state_secret="是"))

    with pytest.raises(UploadRefused, match="不予报送"):
        await again(world, handed.upload.id)


async def test_the_file_is_read_by_excel(world: World, tmp_path: Any) -> None:
    await world.take(person_penalty(1))
    handed = await made(world)
    path = tmp_path / "file.xlsx"
    path.write_bytes(handed.filled.content or b"")

    sheet = openpyxl.load_workbook(path)["行政处罚"]

    row = dict(zip((one.value for one in sheet[1]), (one.value for one in sheet[2]), strict=True))
    assert row["行政处罚决定书文号"] == "样环罚字〔2026〕1号"
    assert IDENTITY in row.values()
