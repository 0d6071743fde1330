"""The ledger on a real database: what the pipeline wrote, counted, frozen, written out."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import event, text

from connectors.memory import MemoryConnector, MemorySettings, Step
from gateway import ledger as ledgers
from gateway.app import Gateway, build
from gateway.clock import SteppedClock
from gateway.deliver import Deliverer
from gateway.ledger import Ledger
from gateway.ledger_figures import Figures
from gateway.ledger_rows import Scope
from gateway.normalise import Raw
from gateway.settings import make_settings
from gateway.store import ledger as store
from gateway.store.engine import Database
from gateway.workbook import ledger_workbook
from schemas.identifiers import (
    IDENTITY_CHECKS,
    IDENTITY_WEIGHTS,
    USCC_ALPHABET,
    USCC_WEIGHTS,
)

pytestmark = pytest.mark.integration

START = datetime(2026, 10, 11, 1, tzinfo=UTC)
PLATFORM = {
    "name": "platform",
    "title": "信用郑州",
    "connector": "memory",
    "takes": ["penalty", "licence"],
    "clocks": ["calendar-7", "working-7"],
    "headline": True,
}


def credit_code(number: int) -> str:
    body = f"91410100MA{number:07d}"
    total = sum(USCC_ALPHABET.index(c) * w for c, w in zip(body, USCC_WEIGHTS, strict=True))
    return body + USCC_ALPHABET[(31 - total) % 31]


def identity(number: int) -> str:
    body = f"41010119900101{number:03d}"
    total = sum(int(d) * w for d, w in zip(body, IDENTITY_WEIGHTS, strict=True))
    return body + IDENTITY_CHECKS[total % 11]


def penalty(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "CF_XDR_MC": f"样例公司{number}",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": credit_code(number),
        "CF_WSH": f"样环罚〔2026〕{number}号",
        "CF_WFXW": "大气污染",
        "CF_SY": "超标排放",
        "CF_YJ": "《大气污染防治法》第99条",
        "CF_CFLB": "罚款",
        "CF_NR": "罚款人民币二万元整",
        "CF_NR_FK": 2.0,
        "CF_JDRQ": "2026-10-10",
        "CF_YXQ": "2027-10-10",
        "CF_CFJG": "样例市生态环境局",
        "CF_CFJGDM": credit_code(1),
        "CF_SJLY": "样例市生态环境局",
        "CF_SJLYDM": credit_code(1),
        **changes,
    }


def licence(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "XK_XDR_MC": f"样例公司{number}",
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": credit_code(number),
        "XK_XKWS": "排污许可决定书",
        "XK_WSH": f"样环许〔2026〕{number}号",
        "XK_XKLB": "普通",
        "XK_NR": "准予排污许可",
        "XK_JDRQ": "2026-10-10",
        "XK_YXQZ": "2026-10-10",
        "XK_YXQZI": "2031-10-09",
        "XK_XKJG": "样例市生态环境局",
        "XK_XKJGDM": credit_code(1),
        "XK_LYDW": "样例市生态环境局",
        "XK_LYDWDM": credit_code(1),
        **changes,
    }


def person(number: int, **changes: Any) -> dict[str, Any]:
    row = penalty(number, CF_XDR_MC="张三丰", CF_XDR_LB="自然人", CF_XDR_ZJLX="身份证")
    del row["CF_XDR_SHXYM"]
    return row | {"CF_XDR_ZJHM": identity(number)} | changes


class World:
    """A gateway on a fresh database with one twin for each destination."""

    def __init__(self, gateway: Gateway, clock: SteppedClock) -> None:
        self.gateway = gateway
        self.clock = clock
        self.sent = 0
        self.connectors = {
            destination.name: MemoryConnector(MemorySettings(batch_size=1), clock)
            for destination in gateway.settings.destinations
        }

        self.deliverers = {
            destination.name: Deliverer(
                destination,
                self.connectors[destination.name],
                gateway.database,
                gateway.keys,
                gateway.installation,
                clock,
                gateway.metrics,
            )
            for destination in gateway.settings.destinations
        }

    async def take_in(self, rows: Iterable[dict[str, Any]]) -> None:
        items = []
        for row in rows:
            self.sent += 1
            items.append(Raw("test", self.sent, orjson.dumps(row), None))
        await self.gateway.pipeline.process(items)

    async def deliver(self, name: str = "platform") -> None:
        await self.deliverers[name].drain()
        await self.deliverers[name].receive()

    async def ledger(self, month: str = "2026-10") -> Ledger:
        gateway = self.gateway
        scope = Scope(
            gateway.settings.destinations,
            gateway.settings.all_clocks,
            gateway.workdays,
            gateway.keys.published,
        )
        return await ledgers.month(gateway.database, scope, month, self.clock())


async def world(database: Database, state: Path, *destinations: dict[str, Any]) -> World:
    content = {"state": str(state), "destinations": list(destinations or (PLATFORM,))}
    clock = SteppedClock(START)
    return World(await build(make_settings(content, "test"), database, clock), clock)


def together(ledger: Ledger, destination: str = "platform") -> Figures:
    return next(f for f in ledger.figures if f.destination == destination and f.kind is None)


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
    assert (await here.ledger("2026-11")).refused + ledger.refused == 1


async def test_a_later_rejection_takes_the_acceptance_back(
    database: Database, tmp_path: Path
) -> None:
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
    assert ledger.rows[0].standings["platform"].reasons == ("名称不符",)


async def test_a_correction_after_acceptance_leaves_the_decision_in_time(
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
    assert ledger.rows[0].standings["platform"].state == "更正：有效入库"


async def test_a_withdrawn_decision_stays_counted(database: Database, tmp_path: Path) -> None:
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
    frozen, _ = await ledgers.freeze(database, ledger, ledger_workbook, here.clock())

    async with database.transaction() as connection:
        workbook = await store.workbook(connection, "2026-10", 1) or b""
    cells = str(
        CalamineWorkbook.from_filelike(BytesIO(workbook)).get_sheet_by_name("明细").to_python()
    )
    assert ledger.rows[0].subject_code in cells
    assert identity(7) not in cells
    assert "person:" not in cells
    assert "张三丰" not in cells
    assert frozen.version == 1


async def test_a_destination_with_a_since_owes_the_decisions_that_it_was_never_given(
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


async def test_the_same_content_makes_no_new_version_and_a_change_makes_one(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    first, made = await ledgers.freeze(database, await here.ledger(), ledger_workbook, START)
    again, made_again = await ledgers.freeze(database, await here.ledger(), ledger_workbook, START)
    await here.deliver()

    second, _ = await ledgers.freeze(database, await here.ledger(), ledger_workbook, here.clock())
    await here.take_in([penalty(2)])
    third, _ = await ledgers.freeze(
        database, await here.ledger(), ledger_workbook, here.clock(), "补报"
    )

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


async def test_a_month_costs_the_same_number_of_statements_whatever_it_holds(
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
