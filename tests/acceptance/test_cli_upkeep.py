"""The commands of upkeep: ledgers, keys, lists and state."""

import asyncio
from dataclasses import replace
from pathlib import Path

from python_calamine import CalamineWorkbook
from sqlalchemy import text

from gateway.config.clock import system_clock
from gateway.store.base.engine import Database
from schemas.base import today
from tests.acceptance.command import PAST, Command, commanding, told, write
from tests.conftest import SETTINGS
from tests.factories import (
    penalty,
    person_penalty,
)


def test_a_month_is_frozen_once_and_printed_every_time(command: Command, tmp_path: Path) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST), penalty(2, **PAST)))

    first = command.json("ledger", "2025-06", "--out", "ledger.xlsx")
    again = command("ledger", "2025-06")
    wrong = command("ledger", "2025-13")

    assert [each.code for each in (first, again, wrong)] == [0, 0, 2]
    assert (first.objects[0]["version"], first.objects[0]["made"]) == (1, True)
    assert all("name" in one for one in first.objects)
    assert "第 1 版（与上次相同" in again.out
    assert CalamineWorkbook.from_path(str(tmp_path / "ledger.xlsx")).sheet_names


def test_a_month_is_drawn_up_to_be_checked_before_it_is_frozen(
    command: Command, tmp_path: Path
) -> None:
    number = penalty(1)["CF_WSH"]
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))

    draft = command("ledger", "2025-06", "--draft", "--out", "draft.xlsx")
    other = command("ledger", "2025-06", "--draft", "--out", "draft.csv")
    found = command("results", "--number", number)
    neither = command("results")
    first = command.json("ledger", "2025-06")

    assert "台账草稿，没有冻结" in draft.out
    assert "数据项完整率 100.00%" in draft.out
    book = CalamineWorkbook.from_path(str(tmp_path / "draft.xlsx"))
    assert "草稿，未冻结" in str(book.get_sheet_by_name("汇总").to_python()[0])
    assert (first.objects[0]["version"], first.objects[0]["made"]) == (1, True)
    assert f"第1行 {number} 合格" in found.out
    assert [each.code for each in (draft, other, found, neither)] == [0, 2, 0, 2]


def test_assessments_are_verified_and_the_database_is_upgraded(
    command: Command, tmp_path: Path
) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))

    verified = command.json("verify", "--assessments")
    published = command.json("verify", "--published")
    upgraded = command("db", "upgrade")
    unsaid = command("verify")

    assert verified.objects == [{"name": "assessments", "verified": 1, "different": 0}]
    assert published.objects == [{"name": "published_grades", "verified": 0, "different": 0}]
    assert [verified.code, upgraded.code, unsaid.code] == [0, 0, 2]


def test_keys_are_rotated_and_the_master_key_is_changed(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "rows.ndjson", person_penalty(1, **PAST), penalty(2, CF_WSH="", **PAST))
    command("ingest", "rows.ndjson")
    old = command.json("keys", "list").objects[0]["masters"]

    rotated = command.json("keys", "rotate", "--reason", "到期")
    named = command("keys", "rotate", "--pseudonyms", "--reason", "到期")
    added = command.json("keys", "add-master", "new.key", "--reason", "换人")
    changed = replace(
        command,
        environment={
            **command.environment,
            "CREDIT_GATEWAY_MASTER_KEY": (tmp_path / "new.key").read_text(),
        },
    )
    during = changed("keys", "rotate", "--reason", "到期")
    dropped = changed("keys", "drop-master", *old, "--reason", "换人")
    listed = changed.json("keys", "list").objects

    assert rotated.objects == [{"purpose": "encryption", "version": 2, "rows": 2, "damaged": 0}]
    assert "代号密钥已换到第 2 版" in named.out
    assert (during.code, "正在更换主密钥" in during.err) == (2, True)
    assert dropped.code == 0
    assert [(one["purpose"], one["version"], one["rows"]) for one in listed] == [
        ("content", 1, 0),
        ("encryption", 1, 0),
        ("encryption", 2, 2),
        ("person", 1, 0),
        ("pseudonym", 1, 0),
        ("pseudonym", 2, 0),
    ]
    assert {master for one in listed for master in one["masters"]} == {added.objects[0]["added"]}
    assert command("keys", "list").code == 2
    assert changed("quarantine", "list").code == 0
    assert changed("keys", "drop-master", *old, "--reason", " ").code == 2


def test_a_month_that_has_not_begun_is_not_frozen(command: Command) -> None:
    assert told(command("ledger", "2999-01"), 2, "2999-01 尚未开始")


def test_a_cut_list_says_so(command: Command, tmp_path: Path) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", *(penalty(n, **PAST) for n in (1, 2))))

    cut = command("deliveries", "list", "--limit", "1")
    whole = command("deliveries", "list", "--limit", "100")

    assert "只列出前 1 条" in cut.err
    assert len(cut.out.splitlines()) == 1
    assert whole.err == ""


def test_an_identity_number_that_is_not_known_is_not_repeated(command: Command) -> None:
    ran = command("explain", "11010519491231002X")

    assert told(ran, 1, "没有 110105**********2X 的记录", "explain -")
    assert "19491231" not in ran.err


async def test_a_command_does_not_change_with_what_the_destinations_run(
    database: Database, tmp_path: Path
) -> None:
    """Only `up` says which destinations are configured and how."""

    async def stored() -> list[tuple[object, ...]]:
        async with database.transaction() as connection:
            rows = await connection.execute(text("select * from destination order by name"))
            return [tuple(row) for row in rows]

    command = commanding(database, tmp_path, SETTINGS)
    month = f"{today(system_clock()):%Y-%m}"
    await asyncio.to_thread(command, "ledger", month)
    before = await stored()
    fewer = {**SETTINGS, "destinations": SETTINGS["destinations"][:1]}
    less = commanding(database, tmp_path, fewer)

    ran = await asyncio.to_thread(less, "ledger", month)

    assert ran.code == 0
    assert await stored() == before
