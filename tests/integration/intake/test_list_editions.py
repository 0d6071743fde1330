"""A file that is the whole list 名单: what it has no more is withdrawn everywhere."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.intake.editions import AskedEdition, TakenEdition, take_edition
from gateway.intake.files.reading import Reading
from gateway.store.record import list_editions
from schemas.kinds import KINDS
from tests.conftest import PLATFORM
from tests.factories import IDENTITY, credit_code, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

CITY, COUNTY = "样例市生态环境局", "样例县生态环境局"
RISK: dict[str, Any] = {
    "name": "risk_class",
    "title": "环境风险等级",
    "prefix": "FX_",
    "keys": ["FX_XDR_SHXYM"],
    "whole_list": True,
    "columns": [{"code": "FX_DJ", "title": "风险等级", "required": True}],
}
GROUP: dict[str, Any] = {
    "name": "special_group",
    "title": "重点群体",
    "prefix": "QT_",
    "keys": ["QT_LB"],
    "whole_list": True,
    "persons": True,
    "columns": [{"code": "QT_LB", "title": "群体类别"}],
}
#: Another identity number with a right check digit, of nobody.
OTHER = "110105194912310038"


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    yield
    KINDS.adopt(())


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    takes = ["penalty", "risk_class", "special_group"]
    return await make_world(kinds=[RISK, GROUP], destinations=[PLATFORM | {"takes": takes}])


def entry(n: int, risk: str = "一般", authority: str = CITY) -> dict[str, str]:
    return {
        "FX_XDR_MC": f"样例{n}号有限公司",
        "FX_XDR_SHXYM": credit_code(n),
        "FX_DJ": risk,
        "FX_JDRQ": "2026-10-09",
        "FX_JG": authority,
    }


def person(number: str) -> dict[str, str]:
    return {
        "QT_XDR_MC": "某人",
        "QT_XDR_LB": "自然人",
        "QT_XDR_ZJLX": "身份证",
        "QT_XDR_ZJHM": number,
        "QT_LB": "从业人员",
        "QT_JDRQ": "2026-10-09",
        "QT_JG": CITY,
    }


async def take(world: World, folder: Path, name: str, rows: list[dict[str, str]]) -> TakenEdition:
    file = folder / f"{name}.csv"
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    gateway = world.gateway
    reading = Reading(file, gateway.settings.files, None, gateway.pipeline.checker.names)
    asked = AskedEdition(name, "张三", file.name)
    world.clock.step(timedelta(minutes=1))
    done = await take_edition(gateway.pipeline, gateway.keys, reading, lambda *_: None, asked)
    await world.turn()
    return done


def counts(done: TakenEdition) -> tuple[int, int, int]:
    assert done.edition is not None, (done.stopped, done.taken.stopped)
    return done.edition.entries, done.edition.added, done.edition.removed


async def test_additions_and_removals_are_sent(world: World, tmp_path: Path) -> None:
    first = await take(world, tmp_path, "第1季度", [entry(1), entry(2), entry(3)])
    second = await take(world, tmp_path, "第2季度", [entry(2, "重大"), entry(3), entry(4)])

    assert (counts(first), counts(second)) == ((3, 3, 0), (3, 1, 1))
    assert set(world.sent()[3:]) == {
        ("correct", credit_code(2)),
        ("new", credit_code(4)),
        ("withdraw", credit_code(1)),
    }


async def test_other_authorities_keep_their_entries(world: World, tmp_path: Path) -> None:
    await take(world, tmp_path, "市", [entry(1), entry(2)])
    await take(world, tmp_path, "县", [entry(3, authority=COUNTY)])

    done = await take(world, tmp_path, "市二", [entry(1)])

    assert counts(done) == (1, 0, 1)
    standing = await world.column(
        "select document_number from decision where verb <> 'withdraw' order by 1"
    )
    assert standing == sorted([credit_code(1), credit_code(3)])


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

    done = await take(world, tmp_path, "处罚", [row])

    assert done.edition is None
    assert "名单有：环境风险等级、重点群体" in done.stopped


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
