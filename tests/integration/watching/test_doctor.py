"""What `doctor` says of certificates, disk, clock, open transactions and open work."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.config.clock import system_clock
from gateway.config.http_settings import HttpSettings
from gateway.config.settings import Settings
from gateway.service import machine
from gateway.service.finding import Unwell
from gateway.store.base.engine import Database
from tests.certificates import Authority
from tests.integration.ledger_world import penalty, world

pytestmark = pytest.mark.integration


def serving(folder: Path, until: datetime) -> Settings:
    certificate, key = Authority(folder).issue("gateway", until=until)
    return Settings(
        state=folder,
        http=HttpSettings(certificate_file=str(certificate), private_key_file=str(key)),
    )


async def test_a_certificate_that_ends_soon_is_named(tmp_path: Path) -> None:
    soon = serving(tmp_path, system_clock() + timedelta(days=13))

    with pytest.raises(Unwell, match=r"gateway.*将于 \d{4}-\d\d-\d\d \d\d:\d\d 到期，换新的"):
        await machine.certificates_end(soon)


async def test_a_certificate_that_lasts_is_well(tmp_path: Path) -> None:
    settings = serving(tmp_path, system_clock() + timedelta(days=90))

    assert "最早到期的是" in await machine.certificates_end(settings)


async def test_a_certificate_that_is_gone_is_named(tmp_path: Path) -> None:
    files = {"certificate_file": str(tmp_path / "gone.pem"), "private_key_file": "key.pem"}
    settings = Settings(state=tmp_path, http=HttpSettings(**files))

    with pytest.raises(Unwell, match="读不出来"):
        await machine.certificates_end(settings)


async def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(state=tmp_path / "not" / "yet")
    assert "磁盘剩余" in await machine.disk_free(settings)

    monkeypatch.setattr(machine, "LEAST_FREE", 1)
    with pytest.raises(Unwell, match="清理，或换大的磁盘"):
        await machine.disk_free(settings)


async def test_a_clock_that_is_wrong_is_told(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    here.clock.step(system_clock() - here.clock())
    assert await machine.clock_agrees(here.gateway) == "与数据库一致"

    here.clock.step(timedelta(hours=1))
    with pytest.raises(Unwell, match="本机时钟与数据库相差 36"):
        await machine.clock_agrees(here.gateway)


async def test_a_transaction_that_stays_open_is_told(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await world(database, tmp_path)
    async with database.transaction() as forgotten:
        await forgotten.execute(text("select 1"))
        assert "最久的事务" in await machine.transactions_end(here.gateway)

        monkeypatch.setattr(machine, "LONGEST_TRANSACTION", timedelta(0))
        with pytest.raises(Unwell, match="pg_stat_activity"):
            await machine.transactions_end(here.gateway)


async def test_what_waits_for_a_person_is_told(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    assert await machine.waiting(here.gateway) == "没有"

    await here.take_in([penalty(1, CF_WSH="")])

    assert await machine.waiting(here.gateway) == "隔离区 1 条（quarantine list）"
