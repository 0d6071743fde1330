"""Examine what goes wrong slowly: certificates, disk, clock, long transactions, open work."""

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from gateway.config.clock import system_clock
from gateway.config.keys import KeyPurpose
from gateway.config.settings import Settings
from gateway.service.app import Gateway
from gateway.service.certificates import certificates
from gateway.service.clock_check import ClockCheck
from gateway.service.finding import Unwell
from gateway.store.account import differences, hints, signing_keys
from gateway.store.audit import chain
from gateway.store.base.condition import condition, server_version
from gateway.store.base.installation import key_use
from gateway.store.record import quarantine
from schemas.base import SHANGHAI

#: As in the alert rules of deploy/prometheus.
ENDS_SOON = timedelta(days=14)
LEAST_FREE = 0.1
OLDEST_POSTGRES = 150_000  #: as PostgreSQL numbers its versions
LINKED_WITHIN = timedelta(minutes=30)
LONGEST_TRANSACTION = timedelta(minutes=10)


async def certificates_end(settings: Settings) -> str:
    """Return which certificate ends first."""
    found = await asyncio.to_thread(certificates, settings)
    if not found:
        return "没有配置证书文件"
    now = system_clock()
    ends: list[tuple[datetime, str]] = []
    faults: list[str] = []
    for name, end in found:
        if isinstance(end, str):
            faults.append(f"{name} 读不出来：{end}")
            continue
        ends.append((end, name))
        if end - now < ENDS_SOON:
            word = "已于" if end <= now else "将于"
            faults.append(f"{name} {word} {end.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 到期，换新的")
    if faults:
        raise Unwell("；".join(faults))
    end, name = min(ends)
    return f"最早到期的是 {name}（{end.astimezone(SHANGHAI):%Y-%m-%d}）"


def free_part(state: Path) -> float:
    """Return which part of the disk of the state folder is free, also where it is not there yet."""
    place = state.absolute()
    while not place.exists():
        place = place.parent
    found = shutil.disk_usage(place)
    return found.free / found.total


async def disk_free(settings: Settings) -> str:
    """Return how much of the disk of the state folder is free."""
    free = await asyncio.to_thread(free_part, settings.state)
    told = f"{settings.state} 所在磁盘剩余 {free:.0%}"
    if free < LEAST_FREE:
        raise Unwell(f"{told}；清理，或换大的磁盘，写满以后停止收件")
    return told


async def database_version(built: Gateway) -> str:
    """Return the version of PostgreSQL, if it is one that we know."""
    async with built.database.transaction() as connection:
        number = await server_version(connection)
    told = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number < OLDEST_POSTGRES:
        raise Unwell(f"{told} 太旧，要 {OLDEST_POSTGRES // 10_000} 或更新的")
    return told


async def keys_fit(built: Gateway) -> str:
    """Return which master key is in use, and what is still encrypted with older keys."""
    async with built.database.transaction() as connection:
        found = await key_use(connection)
        signing = await signing_keys.names(connection)
    newest = max((one.version for one in found if one.purpose is KeyPurpose.ENCRYPTION), default=1)
    old = sum(one.rows for one in found if one.version < newest)
    later = f"，{old} 行待用它重新加密（schedule 自动进行）" if old else ""
    masters = {master for one in found for master in one.masters}
    two = "；有两把主密钥，各主机都换好后 keys drop-master" if len(masters) > 1 else ""
    signed = f"；签名密钥 {signing[-1][0]}" if signing else "；还没有签过名"
    return f"主密钥 {built.keys.master.fingerprint}；加密密钥第 {newest} 版{later}{two}{signed}"


async def clock_agrees(built: Gateway) -> str:
    """Return that the clock agrees with that of the database."""
    check = ClockCheck(built.database, built.clock, built.metrics)
    await check.look()
    wrong = check.wrong()
    if wrong is not None:
        raise Unwell(wrong)
    return "与数据库一致"


async def transactions_end(built: Gateway) -> str:
    """Return how long the longest transaction in the database is open."""
    async with built.database.transaction() as connection:
        found = await condition(connection)
    told = f"最久的事务 {found.longest_seconds:.0f} 秒"
    if found.longest_seconds > LONGEST_TRANSACTION.total_seconds():
        raise Unwell(f"{told}，没有结束，清理停了，报送会越来越慢；在 pg_stat_activity 里找到它")
    return told


async def audit_goes_on(built: Gateway) -> str:
    """Return that audit events are linked to their chain."""
    async with built.database.transaction() as connection:
        count, oldest = await chain.waiting(connection)
    if oldest is not None and built.clock() - oldest > LINKED_WITHIN:
        raise Unwell(f"{count} 条审计事件还没有接入审计链；角色 schedule 在运行吗？看它的日志")
    return "审计事件都已接入审计链" if not count else f"{count} 条审计事件将接入审计链"


async def waiting(built: Gateway) -> str:
    """Return what waits for a person; to wait is no fault of the machine."""
    async with built.database.transaction() as connection:
        counts = {
            "隔离区 {} 条（quarantine list）": await quarantine.count_open(connection),
            "对账差异 {} 条（differences list）": sum(
                (await differences.open_by_side(connection)).values()
            ),
            "瞒报线索 {} 条（hints list）": await hints.count_open(connection),
        }
    found = [words.format(count) for words, count in counts.items() if count]
    return "；".join(found) if found else "没有"
