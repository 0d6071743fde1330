"""Freeze the ledger of a month with its workbook, and print its figures."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.config.keys import Keys
from gateway.ledger.figures import ClockFigures, Figures
from gateway.ledger.month import BadMonth, Ledger, end_of_month
from gateway.ledger.month import month as account_of_month
from gateway.ledger.quality import QualityFigures, accurate_rate
from gateway.ledger.rows import LedgerScope
from gateway.ledger.rows_file import parquet
from gateway.ledger.versions import is_as, row_changes
from gateway.ledger.workbook import DRAFT, ledger_workbook
from gateway.reconcile.difference import KIND_TITLES
from gateway.store.account import ledger_holds, ledgers, signing_keys
from gateway.store.account.ledgers import Frozen
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.telemetry.audit_events import AuditEvent
from schemas.base import SHANGHAI
from schemas.kinds import KINDS

FIRST_REASON = "首次冻结"

LATER_REASON = "数据变动"
END_REASON = "月份结束"


async def freeze_month(  # noqa: PLR0913, PLR0917  what a person says
    database: Database,
    scope: LedgerScope,
    keys: Keys,
    month: str,
    now: datetime,
    reason: str | None = None,
    actor: str | None = None,
) -> tuple[Ledger, Frozen, bool]:
    """Freeze a month as it is now; the last value is True if that made a new version.

    The account is made under the lock of the month, so that an older account can never become the
    newest version. A person who gives a reason gets a version.

    Raises:
        BadMonth: it has not begun, or ended before this installation did and has no decision.
    """
    async with database.transaction(patient=True) as connection:  # the account takes its time
        await ledgers.lock_month(connection, month)
        account = await account_of_month(database, scope, month, now)
        before = await ledgers.versions(connection, month)
        if not before:
            await _require_ours(connection, account)
        if before and reason is None and not _has_ended(before, month, now):
            rows = await _rows_of(connection, before)
            if await asyncio.to_thread(is_as, before[0], rows, account):
                return account, before[0], False
        frozen = await _freeze(connection, account, before, scope, keys, now, reason, actor)
    return account, frozen, True


async def freeze_once(
    database: Database, scope: LedgerScope, keys: Keys, month: str, now: datetime, reason: str
) -> None:
    """Freeze an ended month, unless a person holds it or somebody has done it since its end.

    The hold is read under the lock of the month: one that was confirmed before stops it.
    """
    async with database.transaction(patient=True) as connection:
        await ledgers.lock_month(connection, month)
        if await ledger_holds.of(connection, [month]):
            return
        before = await ledgers.versions(connection, month)
        if before and not _has_ended(before, month, now):
            return
        account = await account_of_month(database, scope, month, now)
        await _freeze(connection, account, before, scope, keys, now, reason, None)


def _has_ended(before: Sequence[Frozen], month: str, now: datetime) -> bool:
    """Whether the month has ended since the last version, which was made before."""
    end = end_of_month(month)
    return bool(before) and before[0].recorded_at < end <= now


async def _require_ours(connection: Connection, account: Ledger) -> None:
    """Refuse a month of zero that nobody watched: it is more likely mistyped than a zero report."""
    end = end_of_month(account.month)
    began = await ledger_holds.begun(connection)
    if not account.rows and not account.refused and began is not None and end <= began:
        since = f"{began.astimezone(SHANGHAI):%Y-%m-%d}"
        raise BadMonth(
            f"{account.month} 没有决定，那时本系统也还没有运行（{since} 起）："
            "检查月份；要报这个月的，先录入它的决定"
        )


async def draft_month(
    database: Database, scope: LedgerScope, month: str, now: datetime
) -> tuple[Ledger, bytes]:
    """Return the ledger of a month as it is now, and its workbook; nothing is frozen."""
    account = await account_of_month(database, scope, month, now)
    stamp = Frozen(month, DRAFT, account.hash, "草稿，供核对", now, {})
    return account, await asyncio.to_thread(ledger_workbook, account, stamp, (), scope.sites)


async def _freeze(  # noqa: PLR0913, PLR0917  what a version is made of
    connection: Connection,
    ledger: Ledger,
    before: Sequence[Frozen],
    scope: LedgerScope,
    keys: Keys,
    now: datetime,
    reason: str | None,
    actor: str | None,
) -> Frozen:
    """Store a version of the ledger, and return it."""
    ended = _has_ended(before, ledger.month, now)
    frozen = Frozen(
        month=ledger.month,
        version=before[0].version + 1 if before else 1,
        hash=ledger.hash,
        reason=reason or (END_REASON if ended else LATER_REASON if before else FIRST_REASON),
        recorded_at=now,
        figures=ledger.as_json(),
    )
    rows = await asyncio.to_thread(parquet, ledger.rows)
    earlier = await _rows_of(connection, before)
    changes = () if earlier is None else await asyncio.to_thread(row_changes, earlier, rows)
    workbook = await asyncio.to_thread(ledger_workbook, ledger, frozen, changes, scope.sites)
    signer = await signing_keys.signer(connection, keys, now)
    signature = signer.sign(signed_content(frozen, workbook, rows))
    frozen = replace(frozen, signature=signature)
    await ledgers.save(connection, frozen, workbook, rows)
    detail = {"month": frozen.month, "version": frozen.version, "hash": frozen.hash}
    who = {} if actor is None else {"actor": actor}
    entry = events.AuditEntry(AuditEvent.LEDGER_FROZEN, detail, **who)
    await events.add(connection, [entry], now)
    return frozen


async def _rows_of(connection: Connection, before: Sequence[Frozen]) -> bytes | None:
    """Return the rows of the version before, if there is one that kept them."""
    if not before:
        return None
    return await ledgers.frozen_rows(connection, before[0].month, before[0].version)


def signed_content(frozen: Frozen, workbook: bytes, rows: bytes) -> dict[str, Any]:
    """Return what the signature of a frozen version covers."""
    return {
        "ledger": frozen.month,
        "version": frozen.version,
        "hash": frozen.hash,
        "reason": frozen.reason,
        "recorded_at": frozen.recorded_at,
        "workbook_sha256": hashlib.sha256(workbook).hexdigest(),
        "rows_sha256": hashlib.sha256(rows).hexdigest(),
        "figures_sha256": frozen.figures_sha256,
    }


def _without(figures: Figures, clock: ClockFigures) -> str:
    """Return the rate without outages of the receiver, where there were some."""
    if not clock.excused:
        return ""
    rate = figures.timely_rate_without(clock).text
    return f"（其中接收方中断 {clock.excused}，不计的及时率 {rate}）"


def ledger_lines(account: Ledger) -> list[str]:
    """Return the figures of 双公示 and of each configured kind: lines by destination and clock."""
    lines = []
    for figures in account.figures:
        own = None if figures.kind is None else KINDS[figures.kind]
        if own is not None and (own.configured is None or not figures.in_scope):
            continue
        head = "（主报平台）" if figures.headline and own is None else ""
        head += f"（{own.title}，另列）" if own is not None else ""
        rates = (
            f"应报 {figures.in_scope}，已报 {figures.handed_over}，有效入库 {figures.accepted}；"
            f"上报率 {figures.reported_rate.text}，合规率 {figures.compliant_rate.text}"
        )
        lines.append(f"{figures.title}{head}：{rates}")
        lines += [
            f"    {clock.title}：及时率 {figures.timely_rate(clock).text}，"
            f"迟报 {clock.late}，漏报 {clock.missed}{_without(figures, clock)}"
            for clock in figures.clocks
        ]
        causes = "，".join(f"{cause} {times}" for cause, times in figures.causes.items())
        lines += [f"    迟报漏报原因：{causes}"] * bool(causes)
        lines += [
            _quality(one)
            for one in account.quality
            if own is None and one.destination == figures.destination
        ]
    excluded = sum(account.excluded.values())
    lines += _others_lines(account)
    lines.append(f"不予报送 {excluded}，拒收 {account.refused}，明细 {len(account.rows)} 条")
    return lines + [f"缺失的来件：{one.told}" for one in account.missing]


def _others_lines(account: Ledger) -> list[str]:
    """Return how complete the data is, and what the last reconciliations say, as text."""
    items = account.items
    asked = f"要求 {items.asked} 项，填写 {items.filled} 项"
    lines = [f"数据项完整率 {items.complete_rate.text}（{asked}）"]
    for side in account.sides:
        shown = "无公示清单" if side.shown is None else f"{side.shown} 条"
        faults = "，".join(
            f"{KIND_TITLES[kind]} {side.faults[kind]}"
            for kind in KIND_TITLES
            if side.faults.get(kind)
        )
        accurate = accurate_rate(side)
        rate = f"，准确率 {accurate.text}" if accurate is not None else ""
        by_source = account.rate_by(side)
        if by_source is not None:
            rate += f"，按登记应报 {by_source.whole}，上报率 {by_source.text}"
        at = f"{side.compared_at.astimezone(SHANGHAI):%m-%d %H:%M}"
        lines.append(f"与{side.title}对账（{at}）：{shown}{rate}；{faults or '无差异'}")
    return [*lines, f"瞒报线索 {account.hints}（hints list）"] if account.hints else lines


def _quality(one: QualityFigures) -> str:
    """Return how decisions fared at a destination, as text."""
    took = ""
    if one.longest_days is not None:
        took = f"（更正用时中位 {one.middle_days} 天，最长 {one.longest_days} 天）"
    rejected = f"被退回 {one.rejected}，更正入库 {one.mended}{took}"
    return f"    一次通过率 {one.first_pass_rate.text}，{rejected}"
