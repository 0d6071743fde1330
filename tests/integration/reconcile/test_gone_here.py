"""Decisions that another side has, and that were withdrawn or dated otherwise here."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.store.base.engine import Database
from tests.integration.ledger_world import PLATFORM, World, licence, penalty, world
from tests.integration.reconcile.sides import compare, found, kept, reconcile
from tests.integration.reconcile.test_registers import CODE, five_decisions, row, written

pytestmark = pytest.mark.integration
EARLIER = {"CF_JDRQ": "2026-05-10", "CF_YXQ": "2027-05-10"}
CASES = {"reconcile": {"registers": [{"name": "cases", "title": "案件系统", "file": "x.csv"}]}}


async def delivered(database: Database, state: Path, *rows: dict[str, Any]) -> World:
    """Deliver four decisions and then these rows; all of it settles."""
    here = await five_decisions(database, state, **CASES)
    for some in ((), rows):
        await here.take_in(some)
        for _ in range(4):
            await here.deliver()
    here.clock.step(timedelta(days=5))
    return here


async def test_what_was_withdrawn_here_and_stands_in_the_register_is_missing(
    database: Database, tmp_path: Path
) -> None:
    here = await delivered(database, tmp_path, penalty(4, verb="withdraw"))
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3, 4)))

    done, _ = await compare(here, file=str(file))
    account = await here.ledger()

    assert found(done) == {"样环罚〔2026〕4号": "missing"}
    [[flag]] = [one.flags for one in done.differences]
    assert flag["cause"] == "本系统 2026-10-18 09:00 已撤回，登记仍有"
    [side] = [one for one in account.sides if one.is_register]
    rate = account.rate_by(side)
    assert (rate and (rate.part, rate.whole)) == (3, 4)


async def test_what_was_withdrawn_just_now_may_still_stand_in_the_register(
    database: Database, tmp_path: Path
) -> None:
    here = await delivered(database, tmp_path)
    await here.take_in([penalty(4, verb="withdraw")])
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3, 4)))

    done, _ = await compare(here, file=str(file))

    assert found(done) == {}


async def test_it_is_mended_when_the_register_withdraws_it_or_it_is_told_again(
    database: Database, tmp_path: Path
) -> None:
    gone = [penalty(number, verb="withdraw") for number in (3, 4)]
    here = await delivered(database, tmp_path, *gone)
    await compare(here, file=str(written(tmp_path / "a.csv", *map(row, (1, 2, 3, 4)))))
    before = [one.key.split("|")[1] for one in await kept(here)]

    await here.take_in([penalty(4)])
    await compare(here, file=str(written(tmp_path / "b.csv", *map(row, (1, 2, 4)))))

    assert before == ["样环罚〔2026〕3号", "样环罚〔2026〕4号"]
    assert await kept(here) == []


async def test_a_decision_that_was_dated_otherwise_here_is_compared(
    database: Database, tmp_path: Path
) -> None:
    here = await delivered(database, tmp_path, penalty(4, **EARLIER))
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3, 4)))

    done, _ = await compare(here, file=str(file))
    again, _ = await compare(here, file=str(file))

    assert found(done) == found(again) == {"样环罚〔2026〕4号": "wrong_value"}
    [[flag]] = [one.flags for one in done.differences]
    assert [column["title"] for column in flag["detail"]["columns"]] == ["处罚决定日期"]
    assert [one.state.value for one in await kept(here)] == ["open"]


async def test_one_that_was_dated_otherwise_and_withdrawn_is_missing(
    database: Database, tmp_path: Path
) -> None:
    moved = [penalty(4, **EARLIER), penalty(4, verb="withdraw", **EARLIER)]
    here = await delivered(database, tmp_path, *moved)
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3, 4)))

    done, _ = await compare(here, file=str(file))

    assert found(done) == {"样环罚〔2026〕4号": "missing"}


async def test_a_platform_that_still_shows_the_former_date_is_told_as_well(
    database: Database, tmp_path: Path
) -> None:
    here = await delivered(database, tmp_path)
    listed = dict(here.connectors["platform"].stored)
    await here.take_in([penalty(4, **EARLIER)])
    for _ in range(3):
        await here.deliver()
    here.clock.step(timedelta(days=5))
    here.connectors["platform"].stored.clear()
    here.connectors["platform"].stored.update(listed)

    done = await reconcile(here)

    assert found(done)["样环罚〔2026〕4号"].startswith("wrong_value")


async def test_the_wrong_code_of_a_stranger_is_still_found_with_its_columns(
    database: Database, tmp_path: Path
) -> None:
    here = await delivered(database, tmp_path)
    wrong = row(4, **{CODE: "", "罚款金额（元）": "30000"})
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3)), wrong)

    done, _ = await compare(here, file=str(file))

    assert found(done) == {"样环罚〔2026〕4号": "wrong_value"}


async def test_the_rate_by_a_register_leaves_out_what_the_headline_platform_does_not_take(
    database: Database, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {**CASES}
    here = await world(database, tmp_path, {**PLATFORM, "takes": ["penalty"]}, **settings)
    await here.take_in([penalty(1), penalty(2)])
    await here.deliver()
    here.clock.step(timedelta(days=5))
    file = tmp_path / "cases.jsonl"
    rows = [penalty(1), penalty(2), penalty(3), licence(4), licence(5)]
    file.write_bytes(b"\n".join(map(orjson.dumps, rows)))

    await compare(here, file=str(file))
    account = await here.ledger()

    [side] = [one for one in account.sides if one.is_register]
    rate = account.rate_by(side)
    assert side.faults == {"missing": 3}
    assert (rate and (rate.part, rate.whole)) == (2, 3)
