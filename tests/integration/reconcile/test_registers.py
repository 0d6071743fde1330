"""The register of the case system against our records: a file, a database and a topic."""

import csv
import json
import os
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from gateway.config.keys import KeyPurpose
from gateway.reconcile.keep import explain
from gateway.reconcile.register import RegisterUnread
from gateway.service.key_ring import Reason, rotate
from gateway.store.account.differences import DifferenceState
from gateway.store.base.engine import Database
from tests.integration.ledger_world import (
    World,
    credit_code,
    identity,
    licence,
    penalty,
    person,
    world,
)
from tests.integration.reconcile.sides import compare, found, kept

pytestmark = pytest.mark.integration

WEEK = timedelta(days=7)
CODE = "行政相对人代码_1(统一社会信用代码)"
TITLES = ["行政处罚决定书文号", "行政相对人名称", CODE, "罚款金额（元）", "处罚决定日期"]


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "行政处罚决定书文号": f"样环罚〔2026〕{number}号",
        "行政相对人名称": f"样例公司{number}",
        CODE: credit_code(number),
        "罚款金额（元）": "20000",
        "处罚决定日期": "2026/10/10",
        **changes,
    }


def written(path: Path, *rows: dict[str, Any]) -> Path:
    with path.open("w", encoding="gb18030", newline="") as stream:
        writer = csv.DictWriter(stream, TITLES)
        writer.writeheader()
        writer.writerows(rows)
    return path


async def five_decisions(database: Database, state: Path, **settings: Any) -> World:
    here = await world(database, state, **settings)
    await here.take_in([penalty(n) for n in (1, 2, 3, 4)])
    await here.take_in([penalty(9, CF_JDRQ="2026-09-30")])
    here.clock.step(WEEK)
    return here


async def test_a_file_that_says_the_same_gives_no_difference(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3, 4)))

    done, unread = await compare(here, file=str(file))

    assert found(done) == {}
    assert (done.run.ours, done.run.shown, unread.count) == (4, 4, 0)


async def test_each_difference_with_the_register_is_found(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    file = written(
        tmp_path / "登记.csv",
        row(1, **{"罚款金额（元）": "30000"}),
        row(2),
        row(2),
        row(3, **{CODE: credit_code(33)}),
        row(5),
        row(9, 处罚决定日期="2026-09-30"),
        row(7, 处罚决定日期="2026-10-18"),
    )

    done, _ = await compare(here, file=str(file))

    assert found(done) == {
        "样环罚〔2026〕1号": "wrong_value",
        "样环罚〔2026〕2号": "duplicate",
        "样环罚〔2026〕3号": "wrong_value",
        "样环罚〔2026〕4号": "over_reported",
        "样环罚〔2026〕5号": "missing",
    }


@pytest.mark.parametrize(("title", "word"), [("verb", "撤回"), ("当前状态", "1")])
async def test_a_decision_that_the_register_withdrew_does_not_stand_in_it(
    database: Database, tmp_path: Path, title: str, word: str
) -> None:
    here = await five_decisions(database, tmp_path)
    rows = [{**row(number), title: ""} for number in (1, 2, 3)] + [{**row(4), title: word}]
    file = tmp_path / "登记.json"
    file.write_bytes(orjson.dumps(rows))

    done, _ = await compare(here, file=str(file))

    assert found(done) == {"样环罚〔2026〕4号": "over_reported"}


def as_json(path: Path, *rows: dict[str, Any]) -> str:
    path.write_bytes(orjson.dumps(rows))
    return str(path)


def told(number: int, verb: str, **changes: Any) -> dict[str, Any]:
    return {**row(number, **changes), "verb": verb}


async def test_a_later_row_withdraws_or_corrects_those_before_it(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    rows = [
        told(1, "new", **{"罚款金额（元）": "30000"}),
        told(1, "更正"),
        told(2, "new"),
        told(2, "撤回"),
        told(3, "撤回"),
        told(3, "new"),
        told(4, "new"),
        {"行政处罚决定书文号": row(4)["行政处罚决定书文号"], "verb": "撤回"},  # without a code
        told(5, "new"),
        told(5, "撤回", 处罚决定日期=""),
    ]

    file = as_json(tmp_path / "登记.json", *rows)
    done, _ = await compare(here, file=file, kind="penalty")

    assert found(done) == {
        "样环罚〔2026〕2号": "over_reported",
        "样环罚〔2026〕4号": "over_reported",
    }


async def test_a_register_may_name_its_authority_by_another_name(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    async with database.transaction() as connection:
        await connection.execute(
            text(
                "insert into authority_alias (alias, authority_id)"
                " select '样例市环保局', id from authority"
            )
        )
    rows = [{**row(number), "行政处罚决定机关": "样例市环保局"} for number in (1, 2, 3)]
    file = as_json(tmp_path / "登记.json", *rows)

    done, _ = await compare(here, file=file, authorities=["样例市环保局"])

    assert found(done) == {"样环罚〔2026〕4号": "over_reported"}


async def test_a_row_without_a_number_may_be_any_decision_that_seems_to_be_missing(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    rows = [*map(row, (1, 2, 3)), row(4, 行政处罚决定书文号="")]
    whole = await compare(here, file=str(written(tmp_path / "登记.csv", *map(row, (1, 2, 3)))))
    before = await kept(here)

    done, unread = await compare(here, file=str(written(tmp_path / "登记.csv", *rows)))

    assert found(whole.done) == {"样环罚〔2026〕4号": "over_reported"}
    assert (found(done), unread.count, unread.places) == ({}, 1, ["第5行"])
    assert done.run.unread == 1
    assert [one.mended_at for one in await kept(here)] == [one.mended_at for one in before]


async def test_an_old_file_says_nothing_of_what_came_since(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3)))
    exported = here.clock() - timedelta(days=6, hours=1)
    os.utime(file, (exported.timestamp(),) * 2)

    assert found((await compare(here, file=str(file))).done) == {}


async def test_rows_without_a_code_are_known_by_their_number(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    rows = [row(n, **{CODE: ""}) for n in (1, 2, 2, 3, 4)]
    file = written(tmp_path / "登记.csv", *rows)

    done, _ = await compare(here, file=str(file))

    assert found(done) == {"样环罚〔2026〕2号": "duplicate"}


async def test_a_late_entry_is_told_by_the_clock_of_entry(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path, entry_clock="entry-5")
    here.clock.step(WEEK)
    await here.take_in([penalty(1), penalty(2, CF_JDRQ="2026-10-15")])
    file = written(tmp_path / "登记.csv", row(1), row(2, 处罚决定日期="2026-10-15"), row(3))

    done, _ = await compare(here, file=str(file))

    assert found(done) == {"样环罚〔2026〕1号": "late", "样环罚〔2026〕3号": "missing"}


async def test_what_came_just_now_need_not_stand_in_the_register(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    await here.take_in([penalty(5)])
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3, 4)))

    now = found((await compare(here, file=str(file)))[0])
    here.clock.step(timedelta(days=1, minutes=1))
    later = found((await compare(here, file=str(file)))[0])

    assert now == {}
    assert later == {"样环罚〔2026〕5号": "over_reported"}


async def test_a_register_of_one_authority_says_nothing_of_the_decisions_of_others(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    await here.take_in([penalty(5, CF_CFJG="别市生态环境局")])
    here.clock.step(WEEK)
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3, 4)))

    done, _ = await compare(here, file=str(file), authorities=["样例市生态环境局"])

    assert (found(done), done.run.ours) == ({}, 4)


async def test_a_person_is_recognised_and_never_named(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([person(7)])
    here.clock.step(WEEK)
    rows = [
        {"CF_WSH": "样环罚〔2026〕7号", "CF_XDR_ZJHM": identity(7), "CF_NR_FK": "3"},
        {"CF_WSH": "样环罚〔2026〕8号", "CF_XDR_ZJHM": identity(8), "CF_JDRQ": "2026-10-10"},
    ]
    file = tmp_path / "登记.json"
    file.write_bytes(orjson.dumps(rows))

    done, _ = await compare(here, file=str(file), kind="penalty")

    assert found(done) == {"样环罚〔2026〕7号": "wrong_value", "样环罚〔2026〕8号": "missing"}
    told = f"{done}{await kept(here)}"
    assert identity(7) not in told
    assert identity(8) not in told
    assert "person:" not in told


async def test_a_character_that_cannot_be_stored_makes_no_decision_missing(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    file = tmp_path / "登记.json"
    odd = ("超标\x00", "\\u0000超标", "\ud83d超标", "\U0001f600\\超标")
    rows = [row(n, 行政相对人名称=odd[n - 1]) for n in (1, 2, 3, 4)]
    file.write_text(json.dumps(rows))
    other = tmp_path / "cases.db"
    with sqlite3.connect(other) as cases:
        cases.execute("create table cases (wsh text, code text, fine real, day text)")
        cases.execute(
            "insert into cases values ('样环罚〔2026〕1号' || char(0), ?, 20000, '2026-10-10')",
            [credit_code(1)],
        )
    cases.close()

    done, unread = await compare(here, file=str(file), kind="penalty")
    _, none_of_query = await compare(
        here, sql={"url": f"sqlite:///{other}", "query": QUERY}, kind="penalty"
    )

    assert "over_reported" not in "".join(found(done).values())
    assert (done.run.shown, unread.count, none_of_query.count) == (4, 0, 0)


QUERY = """
    select wsh as "行政处罚决定书文号", code as "CF_XDR_SHXYM", fine as "罚款金额（元）",
        day as "处罚决定日期" from cases where day >= :first and day < :end
"""


#: Fails after its first slices.
MIDWAY = "select 1 / (5000 - x) as a from generate_series(1, 10000) x"


async def test_a_query_of_a_database_that_blocks(database: Database, tmp_path: Path) -> None:
    here = await five_decisions(database, tmp_path)
    file = tmp_path / "cases.db"
    with sqlite3.connect(file) as other:
        other.execute("create table cases (wsh text, code text, fine real, day text)")
        cases = [(f"样环罚〔2026〕{n}号", credit_code(n), 20000, "2026-10-10") for n in (1, 2, 3)]
        other.executemany("insert into cases values (?, ?, ?, ?)", cases)
        other.execute("insert into cases values ('样环罚〔2026〕9号', 'x', 1, '2026-09-30')")
    other.close()

    done, _ = await compare(here, sql={"url": f"sqlite:///{file}", "query": QUERY}, kind="penalty")

    assert found(done) == {"样环罚〔2026〕4号": "over_reported"}
    assert done.run.shown == 3


async def test_a_query_of_a_postgresql_database(database: Database, tmp_path: Path) -> None:
    here = await five_decisions(database, tmp_path)

    async def fill(connection: Any) -> None:
        await connection.execute(
            text("create table cases (wsh text, code text, fine numeric, day date)")
        )
        for number in (1, 2, 3, 4, 5):
            await connection.execute(
                text("insert into cases values (:wsh, :code, 20000, '2026-10-10')"),
                {"wsh": f"样环罚〔2026〕{number}号", "code": credit_code(number)},
            )

    await database.run(fill)
    url = database.engine.url.render_as_string(hide_password=False)

    done, _ = await compare(here, sql={"url": url, "query": QUERY}, kind="penalty")

    assert found(done) == {"样环罚〔2026〕5号": "missing"}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"file": "no/such/file.csv"}, "读不出来"),
        ({"sql": {"url": "nonsense", "query": "select 1"}}, "SQLAlchemy 的写法"),
        (
            {"sql": {"url": "mssql+pyodbc://x@127.0.0.1/y", "query": "select 1"}},
            "没有装数据库驱动 pyodbc",
        ),
        ({"sql": {"url": "sqlite://", "query": "select nothing from nowhere"}}, "不接受查询"),
        (
            {"sql": {"url": "postgresql+asyncpg://x@127.0.0.1:1/y", "query": "select 1"}},
            "连不上数据库",
        ),
        ({"sql": {"url": "&sslmode=require", "query": "select 1"}}, "驱动不认识的参数"),
        ({"sql": {"url": "", "query": MIDWAY}}, "division by zero"),
    ],
)
async def test_a_register_that_cannot_be_read_is_told_and_changes_nothing(
    database: Database, tmp_path: Path, source: dict[str, Any], told: str
) -> None:
    here = await five_decisions(database, tmp_path)
    await compare(here, file=str(written(tmp_path / "登记.csv", row(1))))
    before = await kept(here)
    if "sql" in source and source["sql"]["url"][:1] in ("", "&"):
        ours = database.engine.url.render_as_string(hide_password=False)
        source = {"sql": {**source["sql"], "url": ours + source["sql"]["url"]}}

    with pytest.raises(RegisterUnread, match=told):
        await compare(here, **source)

    assert await kept(here) == before
    assert len(before) == 3


async def test_a_register_without_rows_is_no_register(database: Database, tmp_path: Path) -> None:
    here = await five_decisions(database, tmp_path)
    await compare(here, file=str(written(tmp_path / "登记.csv", *map(row, (1, 2, 3)))))
    before = await kept(here)
    numberless = [row(n, 行政处罚决定书文号="") for n in (1, 2, 3, 4)]

    for rows, told in (((), "一行也没有|没有记录"), (numberless, "4 行都没有文书号：检查列名")):
        with pytest.raises(RegisterUnread, match=told):
            await compare(here, file=str(written(tmp_path / "登记.csv", *rows)))

    assert await kept(here) == before


async def test_a_small_part_of_a_register_is_not_taken_for_all_of_it(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(n) for n in range(1, 31)])
    here.clock.step(WEEK)
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3)))

    with pytest.raises(RegisterUnread, match="像是只导出了一部分"):
        await compare(here, file=str(file))
    done, _ = await compare(here, file=str(file), partial=True)

    assert found(done) == {}


async def test_a_register_of_penalties_says_nothing_of_licences(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    await here.take_in([licence(1)])
    here.clock.step(WEEK)
    file = written(tmp_path / "登记.csv", *map(row, (1, 2, 3, 4)))

    assert found((await compare(here, file=str(file))).done) == {}


async def test_new_pseudonyms_of_persons_leave_what_was_explained(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    file = as_json(tmp_path / "登记.json", *map(row, (1, 2, 3, 4)), person(7))
    await compare(here, file=file)
    [before] = await kept(here)
    await explain(database, before.id, "我", "不属报送范围", here.clock())
    why = Reason("我", "每年更换")
    await rotate(database, here.gateway.keys, KeyPurpose.PSEUDONYM, why, here.clock())

    await compare(here, file=file)

    [after] = await kept(here, every=True)
    assert (after.id, after.state) == (before.id, DifferenceState.EXPLAINED)
    assert after.key != before.key


async def test_a_register_without_codes_is_paired_by_its_numbers_before_it_is_refused(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(number) for number in range(1, 31)])
    here.clock.step(WEEK)
    file = tmp_path / "register.csv"
    rows = [f"样环罚〔2026〕{number}号,2026-10-10" for number in range(1, 31)]
    file.write_text("\n".join(["行政处罚决定书文号,处罚决定日期", *rows]))

    compared = await compare(here, file=str(file))

    assert compared.done.differences == ()


async def test_a_register_of_one_kind_need_not_have_the_other(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1), *(licence(number) for number in range(1, 41))])
    here.clock.step(WEEK)
    file = tmp_path / "register.csv"
    file.write_text("行政处罚决定书文号,处罚决定日期\n样环罚〔2026〕1号,2026-10-10")

    compared = await compare(here, file=str(file))

    assert compared.done.differences == ()
