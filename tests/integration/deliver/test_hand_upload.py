"""A platform to which a person carries files: what is handed out, and what is said of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import event as sqlalchemy_event

from connectors.errors import CallRejected
from connectors.excel_template import ExcelTemplate, ExcelTemplateSettings
from gateway.config.errors import BadConfiguration
from gateway.config.keys import KeyPurpose
from gateway.deliver.hand_answered import answered
from gateway.deliver.hand_answers import RowAnswer
from gateway.deliver.hand_files import attachment, shown
from gateway.deliver.hand_upload import HandedOut, HandOut, UploadRefused
from gateway.deliver.hand_uploaded import UploadSaid, UploadTold, done, undone
from gateway.ledger import month as ledgers
from gateway.ledger.causes import Cause
from gateway.record.encryption import encrypt_again
from gateway.service.key_ring import Reason, rotate
from gateway.store.deliver import hand_uploads
from gateway.store.deliver.worklist import Wanted
from gateway.worklist.look import look
from gateway.worklist.rows import Actor, Grouping, Late, WorkRow
from schemas.delivery import Item
from schemas.hand_upload import FilledFile, UploadState
from schemas.identifiers import document_number_key
from tests.conftest import BANK, PLATFORM
from tests.factories import IDENTITY, penalty, person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

PAGE: dict[str, Any] = {**PLATFORM, "name": "page", "connector": "excel-template", "settings": {}}
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A gateway with a platform that has a web page only."""
    return await make_world(destinations=[PAGE, BANK])


def page(world: World) -> ExcelTemplate:
    connector = world.deliverer("page").connector
    assert isinstance(connector, ExcelTemplate)
    return connector


async def make(world: World, by: str = "李四", most: int = 1000) -> HandedOut | None:
    built = world.gateway
    handing = HandOut(built.database, built.keys, built.installation, built.clock)
    return await handing.make(world.deliverer("page").destination, page(world), by, most)


async def made(world: World, by: str = "李四", most: int = 1000) -> HandedOut:
    found = await make(world, by, most)
    assert found is not None
    return found


async def again(world: World, id_: int) -> HandedOut:
    built = world.gateway
    handing = HandOut(built.database, built.keys, built.installation, built.clock)
    return await handing.again(id_, page(world), "王五")


async def say_done(world: World, id_: int, by: str = "李四", **more: Any) -> UploadTold:
    said = UploadSaid(by, **{"at": world.clock(), **more})
    return await done(world.database, world.gateway.keys, id_, said, world.clock())


async def say_undone(world: World, id_: int, by: str = "李四") -> UploadTold:
    return await undone(world.database, id_, by, "页面打不开", world.clock())


async def list_of_results(world: World, id_: int, *answers: RowAnswer) -> Any:
    file = ("结果.xlsx", b"the list")
    keys = world.gateway.keys
    return await answered(world.database, keys, id_, answers, file, "李四", world.clock())


def result(number: int, accepted: bool | None, *reasons: str) -> RowAnswer:
    key = document_number_key(f"样环罚字〔2026〕{number}号")
    return RowAnswer("penalty", key, accepted, "", reasons)


async def work_rows(world: World) -> Sequence[WorkRow]:
    settings = world.gateway.settings
    async with world.database.transaction() as connection:
        found = await look(
            connection,
            settings.destinations,
            settings.all_clocks,
            Wanted("page"),
            world.clock(),
            Grouping.ACTOR,
            10,
        )
    return found.rows


def numbers(handed: HandedOut) -> list[str | None]:
    return [one.document_number for one, _ in handed.items]


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

    assert anew.content == handed.content
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

    assert handed.content is None
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


async def test_the_file_is_read_by_excel(world: World, tmp_path: Any) -> None:
    await world.take(person_penalty(1))
    handed = await made(world)
    path = tmp_path / "file.xlsx"
    path.write_bytes(handed.content or b"")

    sheet = openpyxl.load_workbook(path)["行政处罚"]

    row = dict(zip((one.value for one in sheet[1]), (one.value for one in sheet[2]), strict=True))
    assert row["行政处罚决定书文号"] == "样环罚字〔2026〕1号"
    assert IDENTITY in row.values()
