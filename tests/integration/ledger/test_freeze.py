"""The ledger on a real database: counted, frozen, and written as a workbook."""

import asyncio
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import event, text

from connectors.memory import Step
from gateway.ledger.figures import Figures
from gateway.ledger.freeze import freeze_month
from gateway.ledger.month import Ledger
from gateway.ledger.month import month as account_of_month
from gateway.store.account import ledgers as store
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Database
from tests.integration.ledger_world import (
    PLATFORM,
    World,
    identity,
    licence,
    penalty,
    person,
    world,
)

pytestmark = pytest.mark.integration


def together(ledger: Ledger, destination: str = "platform") -> Figures:
    return next(f for f in ledger.figures if f.destination == destination and f.kind is None)


async def freeze_now(here: World, reason: str | None = None) -> tuple[Ledger, Frozen, bool]:
    gateway = here.gateway
    return await freeze_month(
        gateway.database, gateway.ledger_scope, gateway.keys, "2026-10", here.clock(), reason
    )


async def test_the_figures_of_a_month_follow_their_definitions(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    here.connectors["platform"].play(Step.ACCEPT, Step.SUBMIT, Step.REJECT)
    await here.take_in([penalty(1)])
    await here.deliver()
    await here.take_in([penalty(2)])
    await here.deliver()
    await here.take_in([penalty(3)])
    await here.deliver()
    await here.take_in([licence(4), penalty(5, state_secret="是"), penalty(6, CF_WSH="")])

    before_due = together(await here.ledger())
    here.clock.step(timedelta(days=30))
    ledger = await here.ledger()

    figures = together(ledger)
    calendar_7 = figures.clocks[0]
    assert [c.open for c in before_due.clocks] == [3, 3]
    assert (figures.in_scope, figures.handed_over, figures.accepted) == (4, 3, 1)
    assert (calendar_7.timely, calendar_7.late, calendar_7.missed) == (1, 2, 1)
    assert figures.reported_rate.text == "75.00%"
    assert figures.compliant_rate.text == "33.33%"
    assert figures.timely_rate(calendar_7).text == "25.00%"
    assert ledger.excluded == {"涉密决定": 1}
    [secret] = [row for row in ledger.rows if row.excluded]
    assert (secret.document_number, secret.subject_name, secret.subject_code) == ("", "", "")
    assert (await here.ledger("2026-11")).refused + ledger.refused == 1


async def test_a_later_rejection_removes_the_acceptance(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    await here.deliver()
    connector = here.connectors["platform"]
    connector.issue_receipt(next(iter(connector.stored)), accepted=False, reasons=("名称不符",))
    await here.deliver()
    here.clock.step(timedelta(days=30))

    ledger = await here.ledger()

    figures = together(ledger)
    assert (figures.handed_over, figures.accepted, figures.clocks[0].late) == (1, 0, 1)
    assert next(iter(ledger.rows)).standings["platform"].reasons == ("名称不符",)


async def test_a_correction_after_acceptance_leaves_the_decision_timely(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    await here.deliver()
    here.clock.step(timedelta(days=60))
    await here.take_in([penalty(1, CF_NR_FK=3)])
    await here.deliver()

    ledger = await here.ledger()

    assert together(ledger).clocks[0].timely == 1
    assert next(iter(ledger.rows)).standings["platform"].state == "更正：有效入库"


async def test_a_withdrawn_decision_is_still_counted(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    await here.deliver()
    await here.take_in([penalty(2)])
    await here.take_in([penalty(1, verb="withdraw"), penalty(2, verb="withdraw")])
    await here.deliver()
    here.clock.step(timedelta(days=30))

    figures = together(await here.ledger())

    assert (figures.in_scope, figures.handed_over, figures.accepted) == (2, 1, 1)
    assert (figures.clocks[0].missed, figures.clocks[0].void) == (0, 1)


async def test_a_persons_name_and_number_are_not_in_the_ledger(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([person(7)])
    await here.deliver()

    ledger = await here.ledger()
    _, frozen, _ = await freeze_now(here)

    async with database.transaction() as connection:
        workbook = await store.workbook(connection, "2026-10", 1) or b""
    cells = str(
        CalamineWorkbook.from_filelike(BytesIO(workbook)).get_sheet_by_name("明细").to_python()
    )
    assert next(iter(ledger.rows)).subject_code in cells
    assert identity(7) not in cells
    assert "person:" not in cells
    assert "张三丰" not in cells
    assert frozen.version == 1


async def test_decisions_never_sent_to_a_destination_with_a_since_date_are_missed(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    later = PLATFORM | {"name": "later", "headline": False, "since": date(2026, 10, 1)}
    newer = PLATFORM | {"name": "newer", "headline": False}
    there = await world(database, tmp_path, PLATFORM, later, newer)
    there.clock.step(timedelta(days=30))

    ledger = await there.ledger()

    assert together(ledger, "later").in_scope == together(ledger, "later").clocks[0].missed == 1
    assert together(ledger, "newer").in_scope == 0


async def test_a_month_without_decisions_is_a_zero_report(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)

    ledger = await here.ledger("2025-01")

    figures = together(ledger)
    assert figures.in_scope == 0
    assert figures.reported_rate.text == figures.compliant_rate.text == "—"


async def test_a_new_version_is_made_only_if_the_content_has_changed(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    _, first, made = await freeze_now(here)
    _, again, made_again = await freeze_now(here)
    await here.deliver()

    _, second, _ = await freeze_now(here)
    await here.take_in([penalty(2)])
    _, third, _ = await freeze_now(here, "补报")

    assert made
    assert not made_again
    assert again == first
    assert (first.version, first.reason) == (1, "首次冻结")
    assert (second.version, second.reason) == (2, "数据变动")
    assert (third.version, third.reason) == (3, "补报")
    async with database.transaction() as connection:
        kept = await store.versions(connection, "2026-10")
        audited = await connection.scalar(
            text("select count(*) from audit_event where event = 'ledger_frozen'")
        )
    assert [frozen.version for frozen in kept] == [3, 2, 1]
    assert audited == 3


async def test_the_number_of_statements_does_not_depend_on_the_size_of_the_month(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    statements: list[str] = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda *given: statements.append(given[2]),
    )

    counts = []
    for numbers in (range(1, 3), range(3, 40)):
        await here.take_in([penalty(number) for number in numbers])
        statements.clear()
        await here.ledger()
        counts.append(len(statements))

    assert counts[0] == counts[1]


async def test_an_older_account_never_becomes_the_newest_version(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    counted, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(*values: Any) -> Ledger:
        account = await account_of_month(*values)
        if not counted.is_set():
            counted.set()
            await go_on.wait()
        return account

    monkeypatch.setattr("gateway.ledger.freeze.account_of_month", slowly)
    first = asyncio.create_task(freeze_now(here))
    await counted.wait()
    await here.take_in([penalty(2)])
    second = asyncio.create_task(freeze_now(here))
    await asyncio.sleep(0.5)
    go_on.set()
    await asyncio.gather(first, second)

    async with database.transaction() as connection:
        versions = await store.versions(connection, "2026-10")
    assert [(one.version, one.figures["decisions"]) for one in versions] == [(2, 2), (1, 1)]


async def test_tries_of_an_open_delivery_make_no_version(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    here.connectors["platform"].play(Step.DEFER, Step.DEFER)
    await here.take_in([penalty(1)])
    here.clock.step(timedelta(days=30))
    await here.deliver()
    _, first, _ = await freeze_now(here)
    here.clock.step(timedelta(days=1))
    await here.deliver()

    ledger, again, made = await freeze_now(here)

    assert [row.standings["platform"].attempts for row in ledger.rows] == [2]
    assert (again.version, made) == (first.version, False)
    assert (await freeze_now(here, "领导要求重报"))[1].version == 2


async def test_a_frozen_month_of_the_past_that_lost_its_decisions_gets_a_version(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    gateway = here.gateway
    september = gateway.database, gateway.ledger_scope, gateway.keys, "2026-09"
    await here.take_in([penalty(1, CF_JDRQ="2026-09-30", CF_YXQ="2027-09-30")])
    await freeze_month(*september, here.clock())
    here.clock.step(timedelta(hours=1))
    await here.take_in([penalty(1)])

    ledger, frozen, made = await freeze_month(*september, here.clock())

    assert (len(ledger.rows), frozen.version, made) == (0, 2, True)


async def test_the_site_of_an_authority_is_found_however_its_name_is_written(
    database: Database, tmp_path: Path
) -> None:
    sites = {"样例市 生态环境局（本级）": "https://site.example.cn"}
    here = await world(database, tmp_path, ledger={"sites": sites})
    await here.take_in([penalty(1, CF_CFJG="样例市生态环境局（本级）")])

    frozen = (await freeze_now(here))[1]

    async with database.transaction() as connection:
        content = await store.workbook(connection, frozen.month, frozen.version)
    sheet = CalamineWorkbook.from_filelike(BytesIO(content or b"")).get_sheet_by_name("汇总")
    assert sheet.to_python()[4][1] == "https://site.example.cn"
