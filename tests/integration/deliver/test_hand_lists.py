"""What lists of results of a platform say of what was uploaded by hand, and what they do not."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.deliver.hand_answered import Answered
from gateway.deliver.hand_answers import RowAnswer
from gateway.deliver.hand_files import UploadRefused
from gateway.intake.result_list import result_list
from schemas.hand_upload import AnswerColumns
from schemas.identifiers import document_number_key
from schemas.kinds import KINDS
from tests.factories import IDENTITY, credit_code, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.clerk import PAGE, list_of_results, made, result, say_done
from tests.integration.intake.lists import GROUP, OTHER, RISK, entry, person
from tests.integration.world import World

pytestmark = pytest.mark.integration
BY_PLANT: dict[str, Any] = {
    **RISK,
    "keys": ["FX_ND", "FX_CQ"],
    "columns": [{"code": "FX_ND", "title": "年度"}, {"code": "FX_CQ", "title": "厂区"}],
}


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    yield
    KINDS.adopt(())


async def of(make_world: MakeWorld, *kinds: dict[str, Any]) -> World:
    takes = ["penalty", *(one["name"] for one in kinds)]
    return await make_world(kinds=list(kinds), destinations=[PAGE | {"takes": takes}])


async def read(world: World, upload: int, folder: Path, *lines: str) -> Answered:
    path = folder / "list.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    answers = result_list(path, world.gateway.settings.files, AnswerColumns())
    return await list_of_results(world, upload, *answers)


def plant(company: int, name: str) -> dict[str, str]:
    row = {column: value for column, value in entry(company).items() if column != "FX_DJ"}
    return row | {"FX_ND": "2026", "FX_CQ": name}


async def test_what_tells_items_apart_without_numbers_is_read_from_the_list(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = await of(make_world, BY_PLANT)
    await world.take(plant(1, "东厂区"), plant(1, "西厂区"), plant(2, "东厂区"))
    handed = await made(world)
    await say_done(world, handed.upload.id)

    found = await read(
        world,
        handed.upload.id,
        tmp_path,
        "年度,厂区,统一社会信用代码,审核状态,失败原因",
        f"2026,东厂区,{credit_code(2)},退回,代码不正确",
        f"2026,西厂区,{credit_code(1)},通过,",
    )

    assert (len(handed.items), found.rejected, found.accepted) == (3, 1, 1)
    assert await world.states("page") == ["accepted_blind", "accepted", "rejected"]


async def test_persons_of_one_group_stand_in_one_file_and_are_told_apart_in_the_list(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = await of(make_world, GROUP)
    await world.take(person(IDENTITY), person(OTHER))
    handed = await made(world)
    await say_done(world, handed.upload.id)

    heads = "群体类别,证件号码,审核状态"
    unclear = await read(world, handed.upload.id, tmp_path, heads, "从业人员,,退回")
    before = await world.states("page")
    found = await read(world, handed.upload.id, tmp_path, heads, f"从业人员,{OTHER},退回")

    assert (len(handed.items), handed.later, handed.persons) == (2, 0, 2)
    assert (unclear.unread, unclear.strange) == (
        ["从业人员（有 2 行，清单没有说是哪一个的）"],
        0,
    )
    assert before == ["accepted_blind", "accepted_blind"]
    assert found.rejected == 1
    assert await world.states("page") == ["accepted_blind", "rejected"]


async def test_the_result_of_another_company_is_not_that_of_ours(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = await of(make_world)
    await world.take(penalty(1), penalty(2, 2))
    handed = await made(world)
    await say_done(world, handed.upload.id)

    found = await read(
        world,
        handed.upload.id,
        tmp_path,
        "行政处罚决定书文号,统一社会信用代码,审核状态",
        f"样环罚字〔2026〕1号,{credit_code(99)},退回",
        "样环罚字〔2026〕2号,4101**********0017,通过",
    )

    assert (found.accepted, found.rejected, found.strange) == (1, 0, 1)


async def test_a_list_that_says_two_things_of_a_row_moves_nothing(make_world: MakeWorld) -> None:
    world = await of(make_world)
    await world.take(penalty(1))
    handed = await made(world)
    await say_done(world, handed.upload.id)
    key = document_number_key("样环罚字〔2026〕1号")
    yes = RowAnswer("penalty", key, True, "成功", at=world.clock())
    no = RowAnswer("penalty", key, False, "退回", ("重复",))

    found = await list_of_results(world, handed.upload.id, yes, no)
    before = await world.states("page")
    later = world.clock() + timedelta(minutes=1)
    world.clock.step(timedelta(minutes=2))
    dated = RowAnswer("penalty", key, False, "退回", ("重复",), later)
    told = await list_of_results(world, handed.upload.id, yes, dated)

    assert found.unread == ["样环罚字〔2026〕1号（成功、退回）"]
    assert before == ["accepted_blind"]
    assert told.rejected == 1


async def test_a_list_of_before_says_nothing_of_a_correction(make_world: MakeWorld) -> None:
    world = await of(make_world)
    await world.take(penalty(1))
    first = await made(world)
    await say_done(world, first.upload.id)
    await list_of_results(world, first.upload.id, result(1, False, "代码不正确"))
    await world.take(penalty(1, CF_NR="改好了"))
    world.clock.step(timedelta(days=1))
    second = await made(world)
    await say_done(world, second.upload.id)

    with pytest.raises(UploadRefused, match=f"已用于批次 {first.upload.id}.*请从平台重新导出"):
        await list_of_results(world, second.upload.id, result(1, False, "代码不正确"))
    assert await world.states("page") == ["superseded", "accepted_blind"]


async def test_one_list_may_tell_of_two_files_that_were_uploaded_before_it(
    make_world: MakeWorld,
) -> None:
    world = await of(make_world)
    await world.take(penalty(1), penalty(2, 2))
    uploads = [(await made(world, most=1)).upload.id for _ in range(2)]
    for one in uploads:
        await say_done(world, one)
    world.clock.step(timedelta(days=1))

    for one in uploads:
        await list_of_results(world, one, result(1, True), result(2, True))

    assert await world.states("page") == ["accepted", "accepted"]


async def test_a_year_that_is_reported_afterwards_does_not_fill_every_file(
    make_world: MakeWorld,
) -> None:
    world = await of(make_world)
    await world.take(*(penalty(n, n, CF_JDRQ="2025/10/10") for n in range(1, 31)))
    await world.take(*(penalty(n, n, CF_JDRQ="2026/10/12") for n in range(31, 41)))

    handed = await made(world, most=10)

    years = [one.decision_date.year for one, _ in handed.items if one.decision_date]
    assert years.count(2026) > 0
    assert years.count(2025) > 0
