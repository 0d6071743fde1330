"""The month's end: the ledger frozen with its workbook, and its figures in words."""

import asyncio
from pathlib import Path

from gateway import ledger as ledger_step
from gateway.app import Gateway
from gateway.ledger import Ledger
from gateway.ledger_rows import Scope
from gateway.store.account import ledgers as ledger_store
from gateway.store.account.ledgers import Frozen
from gateway.workbook import ledger_workbook


async def freeze_month(
    built: Gateway, month: str, out: Path | None, reason: str | None = None
) -> tuple[Ledger, Frozen, bool]:
    """Freeze a month and write its workbook as it was frozen."""
    settings = built.settings
    scope = Scope(settings.destinations, settings.all_clocks, built.workdays, built.keys.published)
    account = await ledger_step.month(built.database, scope, month, built.clock())
    frozen, made = await ledger_step.freeze(
        built.database, account, ledger_workbook, built.clock(), reason
    )
    if out is not None:
        async with built.database.transaction() as connection:
            content = await ledger_store.workbook(connection, month, frozen.version)
        await asyncio.to_thread(out.write_bytes, content or b"")
    return account, frozen, made


def ledger_lines(account: Ledger) -> list[str]:
    """The figures of all kinds together, a line for each destination and clock."""
    lines = []
    for figures in account.figures:
        if figures.kind is not None:
            continue
        head = "（主对象）" if figures.headline else ""
        rates = (
            f"应报 {figures.in_scope}，已报 {figures.handed_over}，有效入库 {figures.accepted}；"
            f"上报率 {figures.reported_rate.text}，合规率 {figures.compliant_rate.text}"
        )
        lines.append(f"{figures.title}{head}：{rates}")
        lines += [
            f"    {clock.title}：及时率 {figures.timely_rate(clock).text}，"
            f"迟报 {clock.late}，漏报 {clock.missed}"
            for clock in figures.clocks
        ]
    excluded = sum(account.excluded.values())
    return [*lines, f"不予报送 {excluded}，拒收 {account.refused}，明细 {len(account.rows)} 条"]
