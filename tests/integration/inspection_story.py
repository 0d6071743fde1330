"""A process with one more kind of record, 行政检查, from intake to the ledger.

`test_made_up_kind.py` runs it in its own process, because the list of kinds is fixed when a process
starts. It takes the URL of a migrated database and prints what became of one record.
"""

import asyncio
import json
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.memory import MemoryConnector
from gateway.config.clock import SteppedClock
from gateway.config.settings import make_settings
from gateway.deliver.deliverer import Deliverer
from gateway.ledger import month as ledgers
from gateway.ledger.rows import LedgerScope
from gateway.ledger.workbook import ledger_workbook
from gateway.reconcile.run import ReconciledDays, begin, reconcile_platform
from gateway.service.app import Gateway, build
from gateway.service.roles import build_deliverers
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Database
from tests.factories import credit_code, stream

AUTHORITY = "样例市生态环境局"
ROW = {
    "JC_XDR_MC": "样例1号有限公司",
    "JC_XDR_LB": "法人及非法人组织",
    "JC_XDR_SHXYM": credit_code(1),
    "JC_WSH": "样环检〔2026〕1号",
    "JC_NR": "现场检查排污许可执行情况",
    "JC_JCRQ": "2026/10/09",
    "JC_JCJG": AUTHORITY,
}
PLATFORM = {
    "name": "platform",
    "title": "样例平台",
    "connector": "memory",
    "takes": ["inspection"],
    "clocks": ["calendar-7"],
    "settle": "PT0S",
}
OCTOBER = ReconciledDays(date(2026, 10, 1), date(2026, 11, 1))


async def story(url: str) -> dict[str, Any]:
    """Take one inspection through every step; return the result of each."""
    clock = SteppedClock(datetime(2026, 10, 12, 1, tzinfo=UTC))
    settings = make_settings({"state": "/nonexistent", "destinations": [PLATFORM]} | KEY, "test")
    database = Database(url)
    built = await build(settings, database, clock)
    [deliverer] = build_deliverers(built)
    [incomplete] = await built.pipeline.process(stream([ROW | {"JC_NR": ""}], "first"))
    [taken] = await built.pipeline.process(stream([ROW], "completed"))
    await deliverer.drain()
    clock.step(timedelta(days=20))
    told = {
        "taken": taken.verdict,
        "incomplete": [problem.field for problem in incomplete.problems],
        "sent": _sent(deliverer),
        "missing on the platform": await _reconciled(built, deliverer),
        **await _ledger(built, clock),
    }
    await deliverer.close()
    await database.close()
    return told


KEY = {"master_key": "a master key for tests only, and long"}


def _sent(deliverer: Deliverer) -> list[tuple[str, str | None]]:
    assert isinstance(deliverer.connector, MemoryConnector)
    return [
        (item.record_kind, item.document_number) for item in deliverer.connector.stored.values()
    ]


async def _reconciled(built: Gateway, deliverer: Deliverer) -> list[tuple[int, int | None, str]]:
    """Return decisions, rows and differences: first as sent, then with another name shown."""
    found = []
    connector = deliverer.connector
    assert isinstance(connector, MemoryConnector)
    for name in (ROW["JC_XDR_MC"], "样例2号有限公司"):
        for key, item in connector.stored.items():
            shown = item.columns | {"JC_XDR_MC": name}
            connector.stored[key] = item.model_copy(update={"columns": shown})
        [platform] = built.settings.destinations
        run = await begin(built.database, "platform", OCTOBER, built.clock())
        scope = built.reconcile_scope
        done = await reconcile_platform(built.database, scope, platform, connector, run)
        kinds = ",".join(flag["kind"] for one in done.differences for flag in one.flags)
        found.append((done.run.ours or 0, done.run.shown, kinds))
    return found


async def _ledger(built: Gateway, clock: SteppedClock) -> dict[str, Any]:
    settings = built.settings
    scope = LedgerScope(
        settings.destinations, settings.all_clocks, built.workdays, built.keys.published
    )
    ledger = await ledgers.month(built.database, scope, "2026-10", clock())
    [row] = ledger.rows
    [unit] = ledger.units
    stamp = Frozen("2026-10", 1, "hash", "monthly", clock(), {})
    return {
        "ledger": (
            row.kind,
            row.document_number,
            row.standings["platform"].handed_over_at is not None,
        ),
        "unit": [(figures.produced, figures.reported) for figures in unit.kinds],
        "figures": [(f.kind or "", f.in_scope, f.handed_over) for f in ledger.figures],
        "workbook": len(ledger_workbook(ledger, stamp)) > 0,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(story(sys.argv[1]))))
