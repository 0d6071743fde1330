"""A kind of record needs only its configuration to pass every step, from intake to the ledger."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.memory import MemoryConnector
from gateway.config.clock import SteppedClock
from gateway.config.errors import BadConfiguration
from gateway.config.settings import make_settings
from gateway.deliver.deliverer import Deliverer
from gateway.intake.files.reading import Reading
from gateway.ledger import month as ledgers
from gateway.ledger.freeze import ledger_lines
from gateway.ledger.month import Ledger
from gateway.ledger.workbook import ledger_workbook
from gateway.reconcile.run import ReconciledDays, begin, reconcile_platform
from gateway.service.app import Gateway, build
from gateway.service.roles import build_deliverers
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Database
from schemas.kinds import KINDS
from tests.factories import credit_code, penalty, stream

pytestmark = pytest.mark.integration

AUTHORITY = "样例市生态环境局"
INSPECTION: dict[str, Any] = {
    "name": "inspection",
    "title": "行政检查",
    "prefix": "JC_",
    "columns": [{"code": "JC_NR", "title": "检查内容", "length": 4000, "required": True}],
}
RISK: dict[str, Any] = {
    "name": "risk_class",
    "title": "环境风险等级",
    "prefix": "FX_",
    "keys": ["FX_ND", "FX_CQ"],
    "columns": [
        {"code": "FX_ND", "title": "年度", "length": 4},
        {"code": "FX_CQ", "title": "厂区"},
        {"code": "FX_NR", "title": "风险说明", "required": True},
    ],
}
INSPECTED = {"JC_WSH": "样环检〔2026〕1号", "JC_NR": "现场检查排污许可执行情况"}
CLASSED = {"FX_ND": "2026", "FX_CQ": "东厂区", "FX_NR": "涉及危险化学品"}
KIND = pytest.mark.parametrize(
    ("kind", "own", "number"),
    [(INSPECTION, INSPECTED, "样环检〔2026〕1号"), (RISK, CLASSED, "2026，东厂区")],
    ids=["inspection", "risk_class"],
)
START = datetime(2026, 10, 12, 1, tzinfo=UTC)
OCTOBER = ReconciledDays(date(2026, 10, 1), date(2026, 11, 1))


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    yield
    KINDS.adopt(())


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(START)


def row_of(kind: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    prefix = kind["prefix"]
    return own | {
        f"{prefix}XDR_MC": "样例1号有限公司",
        f"{prefix}XDR_SHXYM": credit_code(1),
        f"{prefix}JDRQ": "2026/10/09",
        f"{prefix}JG": AUTHORITY,
    }


async def built(database: Database, clock: SteppedClock, *kinds: dict[str, Any]) -> Gateway:
    platform = {
        "name": "platform",
        "title": "样例平台",
        "connector": "memory",
        "takes": ["penalty", *(kind["name"] for kind in kinds)],
        "clocks": ["calendar-7"],
        "settle": "PT0S",
    }
    content = {
        "state": "/nonexistent",
        "kinds": list(kinds),
        "destinations": [platform],
        "master_key": "a master key for tests only, and long",
    }
    return await build(make_settings(content, "test"), database, clock)


def stored(deliverer: Deliverer) -> MemoryConnector:
    assert isinstance(deliverer.connector, MemoryConnector)
    return deliverer.connector


async def ledger_of(gateway: Gateway) -> Ledger:
    scope = gateway.ledger_scope
    return await ledgers.month(gateway.database, scope, "2026-10", gateway.clock())


@KIND
async def test_it_is_checked_recorded_once_and_sent(
    database: Database, clock: SteppedClock, kind: dict[str, Any], own: dict[str, Any], number: str
) -> None:
    gateway = await built(database, clock, kind)
    [deliverer] = build_deliverers(gateway)
    row, last = row_of(kind, own), list(own)[-1]

    [lacking] = await gateway.pipeline.process(stream([row | {last: ""}], "first"))
    [whole] = await gateway.pipeline.process(stream([row], "second"))
    [again] = await gateway.pipeline.process(stream([row], "third"))
    await deliverer.drain()

    assert [problem.field for problem in lacking.problems] == [last]
    assert (lacking.verdict, whole.verdict, again.repeat) == ("incomplete", "ok", True)
    [item] = stored(deliverer).stored.values()
    assert (item.record_kind, item.document_number) == (kind["name"], number)
    assert item.columns[last] == own[last]


async def test_what_it_is_known_by_tells_two_items_apart(
    database: Database, clock: SteppedClock
) -> None:
    gateway = await built(database, clock, RISK)
    row = row_of(RISK, CLASSED)
    rows = [row, row | {"FX_ND": "2025"}, row | {"FX_CQ": "西厂区"}, row | {"FX_CQ": ""}]

    results = await gateway.pipeline.process(stream(rows))

    assert [one.verdict for one in results] == ["ok", "ok", "ok", "refused"]
    assert len({one.key for one in results[:3]}) == 3
    [problem] = results[3].problems
    assert problem.field == "FX_CQ"


@KIND
async def test_a_difference_on_the_platform_is_found(
    database: Database, clock: SteppedClock, kind: dict[str, Any], own: dict[str, Any], number: str
) -> None:
    del number
    gateway = await built(database, clock, kind)
    [deliverer] = build_deliverers(gateway)
    await gateway.pipeline.process(stream([row_of(kind, own)]))
    await deliverer.drain()
    clock.step(timedelta(days=20))
    connector = stored(deliverer)

    async def differences() -> list[str]:
        [platform] = gateway.settings.destinations
        run = await begin(database, "platform", OCTOBER, clock())
        done = await reconcile_platform(database, gateway.reconcile_scope, platform, connector, run)
        return [flag["kind"] for one in done.differences for flag in one.flags]

    assert await differences() == []
    [(key, item)] = connector.stored.items()
    columns = item.columns | {f"{kind['prefix']}XDR_MC": "样例2号有限公司"}
    connector.stored[key] = item.model_copy(update={"columns": columns})
    assert await differences() == ["wrong_value"]


@KIND
async def test_the_ledger_has_it_on_lines_of_its_own(
    database: Database, clock: SteppedClock, kind: dict[str, Any], own: dict[str, Any], number: str
) -> None:
    gateway = await built(database, clock, kind)
    [deliverer] = build_deliverers(gateway)
    items = [row_of(kind, own), penalty(2, CF_JDRQ="2026/10/09")]
    await gateway.pipeline.process(stream(items))
    await deliverer.drain()

    ledger = await ledger_of(gateway)

    assert {row.document_number for row in ledger.rows} >= {number}
    scope = {figures.kind or "双公示": figures.in_scope for figures in ledger.figures}
    assert scope == {"双公示": 1, "penalty": 1, "licence": 0, kind["name"]: 1}
    assert [[one.produced for one in unit.kinds] for unit in ledger.units] == [[0, 1]]
    lines = ledger_lines(ledger)
    assert [
        line for line in lines if f"（{kind['title']}，另列）：应报 1，已报 1，有效入库 1" in line
    ]
    assert ledger_workbook(ledger, Frozen("2026-10", 1, "hash", "monthly", clock(), {}))


@pytest.mark.parametrize("names", ["codes", "titles"])
async def test_a_file_of_it_is_recognised_by_its_header(
    database: Database, clock: SteppedClock, tmp_path: Path, names: str
) -> None:
    gateway = await built(database, clock, INSPECTION)
    row = row_of(INSPECTION, INSPECTED)
    titles = {
        "JC_WSH": "行政检查文书号",
        "JC_NR": "检查内容",
        "JC_XDR_MC": "行政相对人名称",
        "JC_XDR_SHXYM": "统一社会信用代码",
        "JC_JDRQ": "行政检查日期",
        "JC_JG": "行政检查机关",
    }
    header = list(row) if names == "codes" else [titles[name] for name in row]
    file = tmp_path / "检查.csv"
    file.write_text(",".join(header) + "\n" + ",".join(row.values()) + "\n", "utf-8")
    reading = Reading(file, gateway.settings.files, None, gateway.pipeline.checker.names)

    [result] = await gateway.pipeline.process(list(reading))

    assert (result.verdict, result.checked.kind) == ("ok", "inspection")


async def test_a_start_without_the_kind_of_stored_records_is_refused(
    database: Database, clock: SteppedClock
) -> None:
    gateway = await built(database, clock, INSPECTION)
    await gateway.pipeline.process(stream([row_of(INSPECTION, INSPECTED)]))

    with pytest.raises(BadConfiguration, match="库里有 inspection（行政检查）的记录"):
        await built(database, clock)
    with pytest.raises(BadConfiguration, match="库里的记录按列 JC_WSH、JC_JG、JC_XDR_SHXYM 认"):
        await built(database, clock, INSPECTION | {"keys": ["JC_XDR_SHXYM"]})
    await built(database, clock, INSPECTION | {"title": "监督检查"})


async def test_a_kind_without_records_can_be_dropped(
    database: Database, clock: SteppedClock
) -> None:
    await built(database, clock, INSPECTION)

    assert await built(database, clock)
