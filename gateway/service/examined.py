"""What is examined of a gateway: through its database, and of its machine; each part by name."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

from gateway.config.settings import Settings
from gateway.ledger.monthly import standings
from gateway.rules.activation import changed_texts
from gateway.service.app import Gateway
from gateway.service.finding import Unwell
from gateway.service.machine import (
    audit_goes_on,
    certificates_end,
    clock_agrees,
    database_version,
    disk_free,
    keys_fit,
    transactions_end,
    waiting,
)
from gateway.store.deliver import mass_changes
from gateway.store.deliver.destinations import owed_to_dropped
from gateway.store.deliver.worklist import down
from gateway.store.record.authorities import authority_conflicts
from gateway.store.record.missing import missing_found
from schemas.base import today

#: How long missing messages are told.
MISSING_TOLD = timedelta(days=90)

#: The end of a rule set is told so long before it.
_BEFORE_AN_END = timedelta(days=31)

#: Says what is well, or raises what is not.
Part = Callable[[], Awaitable[str]]


def machine_parts(settings: Settings) -> Mapping[str, Part]:
    """Return what is examined of the machine."""
    return {
        "证书": partial(certificates_end, settings),
        "磁盘": partial(disk_free, settings),
    }


def stored_parts(built: Gateway) -> Mapping[str, Part]:
    """Return what is examined through the database."""
    return {
        "数据库版本": partial(database_version, built),
        "密钥": partial(keys_fit, built),
        "工作日历": partial(_calendar, built),
        "月度台账": partial(_ledger, built),
        "评价办法文本": partial(_rule_texts, built),
        "机关名称": partial(_authorities, built),
        "已删除的报送对象": partial(_dropped, built),
        "报送中断": partial(_down, built),
        "批量变更": partial(_mass_changes, built),
        "缺失的来件": partial(_missing, built),
        "时钟": partial(clock_agrees, built),
        "数据库事务": partial(transactions_end, built),
        "审计": partial(audit_goes_on, built),
        "待人处理": partial(waiting, built),
    }


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


async def _rule_texts(built: Gateway) -> str:
    """Whether the files say what is in force, and for how long it is.

    A changed file waits for its activation. Behind the end of a text its grades stand, and nobody
    is scored.
    """
    rulebook, day = built.rulebook, today(built.clock())
    wrong = []
    if changed := changed_texts(rulebook, day):
        names = "、".join(changed)
        wrong.append(f"{names} 的文件与在用文本不同，尚未启用：rules diff、rules activate")
    texts = [rulebook.in_force(name, day) for name in rulebook.bound_names]
    ends = [one for one in texts if one.effective_to and one.effective_to <= day + _BEFORE_AN_END]
    wrong += [
        f"{one.name} 有效期至 {one.effective_to}，以后不再评价，已有的等级照旧："
        "有新办法的，用 rules activate 启用"
        for one in ends
    ]
    if wrong:
        raise Unwell("；".join(wrong))
    begins = [one for one in texts if one.effective_from and one.effective_from > day]
    waiting_ = "".join(f"；{one.name} 自 {one.effective_from} 起评价" for one in begins)
    return f"与文件一致{waiting_}"


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


async def _mass_changes(built: Gateway) -> str:
    """What was parked because too much of what a destination shows would change."""
    async with built.database.transaction() as connection:
        waits = await mass_changes.waiting(connection)
    if waits:
        found = "；".join(
            f"{name} {count} 条：deliveries list --destination {name} --state parked"
            for name, count in waits.items()
        )
        raise Unwell(f"更正或撤回超过平日，等人核对后再报送：{found}")
    return "没有待确认的"


async def _missing(built: Gateway) -> str:
    """What the bus deleted unread stays a finding for a while: somebody has to send it again."""
    now = built.clock()
    async with built.database.transaction() as connection:
        found = await missing_found(connection, now - MISSING_TOLD, now + timedelta(days=1))
    if found:
        raise Unwell("；".join(one.told for one in found[:20]))
    return "没有"
