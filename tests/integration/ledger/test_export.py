"""A frozen ledger in every form, its signature, and what the next version changed."""

import csv
import hashlib
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from connectors.memory import Step
from gateway.config.signing import signed
from gateway.deliver.attestation import attest
from gateway.ledger.export import LedgerFormat, NoRows, Tampered, content_of, export
from gateway.ledger.freeze import freeze_month
from gateway.store.account import ledgers, signing_keys
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Database
from tests.integration.ledger_world import World, licence, penalty, person, world

pytestmark = pytest.mark.integration
MONTH = "2026-10"


async def frozen(here: World, reason: str | None = None) -> Frozen:
    built = here.gateway
    _, found, _ = await freeze_month(
        built.database, built.ledger_scope, built.keys, MONTH, here.clock(), reason
    )
    return found


async def exported(here: World, version: Frozen, form: LedgerFormat) -> bytes:
    return await content_of(here.gateway.database, version, form)


def sheet_of(workbook: bytes, name: str) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(workbook)).get_sheet_by_name(name).to_python()


async def test_every_form_says_the_same(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    here.connectors["platform"].play(Step.ACCEPT, Step.REJECT)
    await here.take_in([penalty(1), penalty(2, CF_XDR_MC="=样例公司"), person(3)])
    await here.deliver()
    here.clock.step(timedelta(days=20))
    await here.take_in([penalty(4)])
    version = await frozen(here)

    sheet = sheet_of(await exported(here, version, LedgerFormat.XLSX), "明细")
    text_ = (await exported(here, version, LedgerFormat.CSV)).decode("utf-8-sig")
    lines = list(csv.reader(text_.splitlines()))
    told = orjson.loads(await exported(here, version, LedgerFormat.JSON))
    table = pl.read_parquet(await exported(here, version, LedgerFormat.PARQUET))

    numbers = [row[2] for row in sheet[1:]]
    assert table["document_number"].to_list() == numbers
    assert [row["document_number"] for row in told["rows"]] == numbers
    assert list(dict.fromkeys(line[1] for line in lines[1:])) == numbers
    names = [row[4] for row in sheet[1:]]
    assert [row["subject_name"] for row in told["rows"]] == names
    safe = {f"'{name}" if name.startswith("=") else name for name in names}
    assert {line[3] for line in lines[1:]} == safe
    states = [[one["state"] for one in row["standings"]] for row in told["rows"]]
    assert [state[0] for state in states] == [row[9] for row in sheet[1:]]
    whys = [row["standings"][0]["why"] or "" for row in told["rows"]]
    assert whys == [row[11] for row in sheet[1:]]
    [ends] = {line[lines[0].index("期限止于")] for line in lines[1:] if line[11] == "calendar-7"}
    assert ends == "2026-10-17"
    assert all(f" {ends}：" in row[10] for row in sheet[1:])
    assert told["figures"][0]["in_scope"] == 4
    assert (told["hash"], told["signature"]) == (version.hash, version.signature)


async def test_the_signature_covers_what_was_frozen(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    version = await frozen(here)
    workbook = await exported(here, version, LedgerFormat.XLSX)
    out = tmp_path / "十月.CSV"

    beside = await export(database, here.gateway.keys, version, out, here.clock())

    assert version.signature is not None
    content, key = signed(version.signature)
    assert (content["ledger"], content["version"], content["hash"]) == (MONTH, 1, version.hash)
    assert content["workbook_sha256"] == hashlib.sha256(workbook).hexdigest()
    of_file, same = signed(beside.read_text().strip())
    assert of_file["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    async with database.transaction() as connection:
        names = [name for name, _ in await signing_keys.names(connection)]
    assert names == [key] == [same]


async def test_a_later_version_says_what_it_changed(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1), penalty(2)])
    await frozen(here)
    await here.deliver()
    await here.take_in([penalty(3)])

    version = await frozen(here, "平台补收")

    workbook = await exported(here, version, LedgerFormat.XLSX)
    head, *rows = sheet_of(workbook, "与上一版比较")
    assert head[2] == "第2版改动（原因：平台补收）"
    changes = {str(row[0]): str(row[2]) for row in rows}
    assert changes.keys() == {f"样环罚〔2026〕{n}号" for n in (1, 2, 3)}
    assert changes["样环罚〔2026〕3号"] == "新列入"
    assert "platform 状态：待报送 → 有效入库" in changes["样环罚〔2026〕1号"]


async def test_a_changed_amount_is_told_by_the_later_version(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1), penalty(2), licence(3)])
    await here.deliver()
    await frozen(here)
    await here.take_in([penalty(1, CF_NR_FK=3.5, CF_NR="罚款人民币三万五千元整")])

    version = await frozen(here)

    sheet = sheet_of(await exported(here, version, LedgerFormat.XLSX), "与上一版比较")
    [change] = [row for row in sheet[1:] if "金额" in str(row[2])]
    assert change[0] == "样环罚〔2026〕1号"
    assert "金额：罚款 2 万元 → 罚款 3.5 万元" in str(change[2])
    lines = csv.DictReader(
        (await exported(here, version, LedgerFormat.CSV)).decode("utf-8-sig").splitlines()
    )
    amounts = {line["决定文书号"]: line["金额"] for line in lines}
    assert amounts["样环罚〔2026〕2号"] == "罚款 2 万元"
    assert not amounts["样环许〔2026〕3号"]


async def test_what_an_older_release_did_not_keep_is_no_change(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    first = await frozen(here)
    rows = pl.read_parquet(await exported(here, first, LedgerFormat.PARQUET)).drop("amount")
    target = io.BytesIO()
    rows.write_parquet(target)
    async with database.transaction() as connection:
        values = {"rows": target.getvalue()}
        await connection.execute(text("update ledger set rows = :rows, signature = null"), values)

    version = await frozen(here, "再冻结一次")

    unsigned = replace(first, signature=None)
    assert "金额" in (await exported(here, unsigned, LedgerFormat.CSV)).decode("utf-8-sig")
    assert sheet_of(await exported(here, version, LedgerFormat.XLSX), "与上一版比较")[1:] == []


async def test_a_ledger_of_an_older_release_has_its_workbook_only(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    version = await frozen(here)
    async with database.transaction() as connection:
        await connection.execute(text("update ledger set rows = null, signature = null"))

    assert await exported(here, version, LedgerFormat.XLSX)
    with pytest.raises(NoRows):
        await exported(here, version, LedgerFormat.CSV)

    await here.take_in([penalty(2)])
    assert (await frozen(here)).version == 2


async def test_what_was_changed_in_the_database_is_not_signed_anew(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    version = await frozen(here)
    async with database.transaction() as connection:
        await connection.execute(text("update ledger set workbook = 'another'"))

    for form in LedgerFormat:
        with pytest.raises(Tampered):
            await exported(here, version, form)


@pytest.mark.parametrize(
    "change",
    [
        """figures = replace(figures::text, '"in_scope": 1,', '"in_scope": 9,')::jsonb""",
        "reason = '另一个原因'",
        "hash = 'another'",
    ],
)
async def test_figures_that_were_changed_in_the_database_are_not_signed_anew(
    database: Database, tmp_path: Path, change: str
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    await frozen(here)
    async with database.transaction() as connection:
        await connection.execute(text(f"update ledger set {change}"))
        [version] = await ledgers.versions(connection, MONTH)

    with pytest.raises(Tampered):
        await exported(here, version, LedgerFormat.JSON)


async def test_an_attestation_says_what_was_sent_and_that_nothing_came(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    here.connectors["platform"].play(Step.SUBMIT)
    await here.take_in([person(1)])
    await here.deliver()
    here.clock.step(timedelta(days=6))
    async with database.transaction() as connection:
        number = await connection.scalar(text("select id from delivery where state = 'submitted'"))

    found = await attest(database, here.gateway.keys, number, here.clock())

    assert found is not None
    content, signer = found
    assert content["statement"] == "已送达 6 天，共报送 1 次，截至出具之时没有收到任何回执"
    assert content["subject_code"] == "自然人"
    assert len(content["content_sha256"]) == 64
    assert [one["outcome"] for one in content["attempts"]] == ["submitted"]
    async with database.transaction() as connection:
        assert [name for name, _ in await signing_keys.names(connection)] == [signer.name]
    assert await attest(database, here.gateway.keys, 1, here.clock()) is None


@pytest.mark.parametrize(
    ("step", "statement"),
    [
        (Step.ACCEPT, "共报送 1 次，平台当场答复：接受"),
        (Step.REJECT, "共报送 1 次，平台当场答复：退回（样例退回）"),
        (Step.DEFER, "共报送 1 次，截至出具之时没有送达"),
    ],
)
async def test_an_attestation_does_not_deny_what_the_platform_answered_at_once(
    database: Database, tmp_path: Path, step: Step, statement: str
) -> None:
    here = await world(database, tmp_path)
    here.connectors["platform"].play(step)
    await here.take_in([penalty(1)])
    await here.deliver()
    async with database.transaction() as connection:
        number = await connection.scalar(text("select id from delivery"))

    found = await attest(database, here.gateway.keys, number, here.clock())

    assert found is not None
    assert found[0]["statement"] == statement
