"""A file that is the whole list 名单: what it has no more is withdrawn everywhere."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gateway.intake.editions import EditionRefused
from gateway.intake.files.template import template_workbook
from gateway.record.recorder import Recording
from gateway.store.record import list_editions
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.kinds import KINDS
from tests.conftest import PLATFORM
from tests.factories import IDENTITY, credit_code, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.intake.lists import (
    COUNTY,
    GROUP,
    OTHER,
    RISK,
    counts,
    entry,
    person,
    standing,
    take,
    take_file,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    yield
    KINDS.adopt(())


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    takes = ["penalty", "risk_class", "special_group"]
    platform = PLATFORM | {"takes": takes, "change_share": None}
    return await make_world(kinds=[RISK, GROUP], destinations=[platform])


async def test_additions_and_removals_are_sent(world: World, tmp_path: Path) -> None:
    first = await take(world, tmp_path, "第1季度", [entry(1), entry(2), entry(3)])
    second = await take(world, tmp_path, "第2季度", [entry(2, "重大"), entry(3), entry(4)])

    assert (counts(first), counts(second)) == ((3, 3, 0), (3, 1, 1))
    assert set(world.sent()[3:]) == {
        ("correct", credit_code(2)),
        ("new", credit_code(4)),
        ("withdraw", credit_code(1)),
    }


async def test_our_own_template_is_taken_as_it_is_filled(world: World, tmp_path: Path) -> None:
    """Its sheet 填写说明 has rows of several cells, and is no list."""
    file = tmp_path / "risk.xlsx"
    template_workbook(file, KINDS[RecordKind("risk_class")])
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    wires = {one.title: one.wire for one in columns_of(KINDS[RecordKind("risk_class")].model)}
    heads = [str(cell.value).removesuffix("（必填）") for cell in sheet[1]]
    for row in (entry(1), entry(2)):
        sheet.append([row.get(wires[head]) for head in heads])
    book.save(file)

    done = await take_file(world, file, "第1季度")

    assert counts(done) == (2, 2, 0)


async def test_other_authorities_keep_their_entries(world: World, tmp_path: Path) -> None:
    await take(world, tmp_path, "市", [entry(1), entry(2)])
    await take(world, tmp_path, "县", [entry(3, authority=COUNTY)])

    done = await take(world, tmp_path, "市二", [entry(1)])

    assert counts(done) == (1, 0, 1)
    assert await standing(world) == [1, 3]


async def test_a_person_is_withdrawn_by_the_number_that_is_kept_apart(
    world: World, tmp_path: Path
) -> None:
    await take(world, tmp_path, "第1季度", [person(IDENTITY), person(OTHER)])

    done = await take(world, tmp_path, "第2季度", [person(OTHER)])

    assert counts(done) == (1, 0, 1)
    assert [verb for verb, _ in world.sent()] == ["new", "new", "withdraw"]


async def test_a_row_with_a_problem_withdraws_nothing(world: World, tmp_path: Path) -> None:
    await take(world, tmp_path, "第1季度", [entry(1), entry(2)])

    done = await take(world, tmp_path, "第2季度", [entry(2) | {"FX_DJ": ""}])

    assert done.edition is None
    assert done.taken.stopped == "1 条有问题，要求整份接收"
    assert await world.value("select count(*) from decision where verb = 'withdraw'") == 0


async def test_a_file_of_another_kind_withdraws_nothing(world: World, tmp_path: Path) -> None:
    row = {name: str(value) for name, value in penalty(1).items() if "," not in str(value)}

    with pytest.raises(EditionRefused, match="名单有：环境风险等级、重点群体"):
        await take(world, tmp_path, "处罚", [row])

    assert await world.value("select count(*) from decision") == 0


async def test_what_was_cut_off_goes_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(world, tmp_path, "第1季度", [entry(1), entry(2), entry(3)])
    pipeline = world.gateway.pipeline
    process, calls = pipeline.process, 0

    async def killed(batch: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise SystemExit
        return await process(batch)

    monkeypatch.setattr("gateway.intake.editions.BATCH", 1)
    monkeypatch.setattr(pipeline, "process", killed)
    with pytest.raises(SystemExit):
        await take(world, tmp_path, "第2季度", [entry(3)])
    monkeypatch.setattr(pipeline, "process", process)
    await take(world, tmp_path, "第2季度", [entry(3)])

    verbs = [verb for verb, _ in world.sent()]
    assert verbs.count("withdraw") == 2
    async with world.database.transaction() as connection:
        editions = await list_editions.of(connection, "risk_class")
    assert [(one.name, one.entries) for one in editions] == [("第1季度", 3), ("第2季度", 1)]


async def test_the_edition_before_taken_again_is_the_list(world: World, tmp_path: Path) -> None:
    right, wrong = [entry(1), entry(2), entry(3)], [entry(3), entry(4)]
    await take(world, tmp_path, "对的", right)
    await take(world, tmp_path, "错的", wrong)

    done = await take(world, tmp_path, "对的", right)
    assert counts(done) == (3, 0, 1)
    assert await standing(world) == [1, 2, 3]

    await take(world, tmp_path, "错的", wrong)
    done = await take(world, tmp_path, "对的", right)
    assert counts(done) == (3, 0, 1)
    assert await standing(world) == [1, 2, 3]


async def test_a_row_that_is_refused_as_it_is_recorded_withdraws_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(world, tmp_path, "第1季度", [entry(1), entry(2), entry(3)])
    refuse(monkeypatch, lambda one: one.record.subject_name == "样例2号有限公司")

    done = await take(world, tmp_path, "第2季度", [entry(2, "重大"), entry(3)])

    assert done.edition is None
    assert "1 条没有记下（见 quarantine list），所以没有移出任何一条" in done.stopped
    assert await standing(world) == [1, 2, 3]


async def test_a_withdrawal_that_is_refused_is_not_counted(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(world, tmp_path, "第1季度", [entry(1), entry(2)])
    refuse(monkeypatch, lambda one: one.verb == "withdraw")

    done = await take(world, tmp_path, "第2季度", [entry(1)])

    assert counts(done) == (1, 0, 0)
    assert "1 条应移出的没能撤回，见 quarantine list" in done.stopped


def refuse(monkeypatch: pytest.MonkeyPatch, which: Callable[[Any], bool]) -> None:
    """Let the recording of some items fail, as by a fault of ours."""
    real = Recording.record

    async def faulty(self: Any, accepted: Any, subjects: Any) -> Any:
        if any(which(one) for _, one in accepted):
            raise RuntimeError("a fault of ours")
        return await real(self, accepted, subjects)

    monkeypatch.setattr(Recording, "record", faulty)


async def test_what_waits_as_a_mass_change_is_told(make_world: MakeWorld, tmp_path: Path) -> None:
    world = await make_world(kinds=[RISK], destinations=[PLATFORM | {"takes": ["risk_class"]}])
    await take(world, tmp_path, "第1季度", [entry(n) for n in range(1, 41)])

    done = await take(world, tmp_path, "第2季度", [entry(1)])

    assert counts(done) == (1, 0, 39)
    sent = [verb for verb, _ in world.sent()].count("withdraw")
    assert sent < 39
    assert f"{39 - sent} 条的撤回超过平日，等人确认后才报送，见 doctor" in done.stopped


async def test_one_file_is_the_list_of_one_authority(world: World, tmp_path: Path) -> None:
    """One row of a neighbour, by a slip, must not empty the list of the neighbour."""
    await take(world, tmp_path, "县", [entry(3, authority=COUNTY), entry(4, authority=COUNTY)])

    with pytest.raises(EditionRefused, match="文件里有 2 个机关"):
        await take(world, tmp_path, "市", [entry(1), entry(2, authority=COUNTY)])

    assert await standing(world) == [3, 4]


async def test_the_same_list_is_taken_by_one_at_a_time(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(world, tmp_path, "第1季度", [entry(1), entry(2), entry(3)])
    real, waiting, free = list_editions.absent, asyncio.Event(), asyncio.Event()

    async def slow(*given: Any) -> Any:
        waiting.set()
        await free.wait()
        return await real(*given)

    monkeypatch.setattr(list_editions, "absent", slow)
    first = asyncio.create_task(take(world, tmp_path, "甲", [entry(1)]))
    await waiting.wait()
    with pytest.raises(EditionRefused, match="正在由别人整份接收"):
        await take(world, tmp_path, "乙", [entry(2), entry(3)])
    free.set()
    await first

    assert await standing(world) == [1]


async def test_the_clock_of_another_host_may_be_ahead(world: World, tmp_path: Path) -> None:
    world.clock.step(timedelta(minutes=10))
    await take(world, tmp_path, "第1季度", [entry(1), entry(2)])
    world.clock.step(timedelta(minutes=-9))

    done = await take(world, tmp_path, "第2季度", [entry(1)])

    assert counts(done) == (1, 0, 1)
    assert await standing(world) == [1]


async def test_what_came_another_way_meanwhile_is_not_added_by_the_edition(
    world: World, tmp_path: Path
) -> None:
    await take(world, tmp_path, "第1季度", [entry(1)])
    world.clock.step(timedelta(minutes=1))
    await world.take(entry(9, authority=COUNTY))
    world.clock.step(timedelta(minutes=-1))

    done = await take(world, tmp_path, "第2季度", [entry(1), entry(2)])

    assert counts(done) == (2, 1, 0)


async def test_what_a_person_withdrew_stands_again_if_the_list_has_it(
    world: World, tmp_path: Path
) -> None:
    rows = [entry(1), entry(2)]
    await take(world, tmp_path, "第1季度", rows)
    await world.take(entry(2) | {"verb": "withdraw"})
    assert await standing(world) == [1]

    await take(world, tmp_path, "第1季度", rows)

    assert await standing(world) == [1, 2]


async def test_a_person_whose_number_is_not_kept_any_more_is_told(
    world: World, tmp_path: Path
) -> None:
    """After the retention of identity numbers, there is nothing to name the person by."""
    await take(world, tmp_path, "第1季度", [person(IDENTITY), person(OTHER)])
    await world.run("update record_version set secret = null")

    done = await take(world, tmp_path, "第2季度", [person(OTHER)])

    assert counts(done)[2] == 0
    assert "1 条应移出的没能撤回" in done.stopped
