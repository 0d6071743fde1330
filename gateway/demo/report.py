"""The final report of the demo, in Chinese, from the store."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.demo import story, world
from gateway.demo.run import Stage
from gateway.ledger.card_of_month import card_of_month
from gateway.ledger.export import export
from gateway.ledger.freeze import freeze_month, ledger_lines
from gateway.reconcile.difference import KIND_TITLES, DifferenceKind
from gateway.reconcile.run import ReconciledDays, begin, reconcile_platform
from gateway.store.deliver import views
from gateway.store.deliver.worklist import Wanted
from gateway.store.record import decisions, quarantine
from gateway.store.score import grade_changes
from gateway.titles import DIRECTIONS, STATES
from gateway.worklist.look import WorkList, look
from gateway.worklist.rows import Grouping, Late
from schemas.base import SHANGHAI, start_of
from schemas.codes import RecordKind
from schemas.delivery import HANDED_OVER, DeliveryState
from schemas.kinds import KINDS

MONTH_START, MONTH_END = date(2026, 10, 1), date(2026, 11, 1)
#: More than the deliveries of the demo.
EVERY = 100_000
#: Grade changes printed at most; first grades are only counted, if there are others.
SHOWN = 20
#: Rows of the work list printed at most.
OPEN_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Findings:
    """What is printed, read in one transaction."""

    month: Sequence[Any]
    published: Sequence[Any]
    of_month: Sequence[Any]
    of_published: Sequence[Any]
    refused: Sequence[quarantine.Quarantined]
    changes: Sequence[Any]
    to_bank: Sequence[Any]
    work: WorkList


async def find(stage: Stage) -> Findings:
    """Read what the report prints."""
    async with stage.gateway.database.transaction() as connection:
        month = await decisions.decisions_between(connection, MONTH_START, MONTH_END)
        published = await decisions.decisions_between(connection, date(2000, 1, 1), MONTH_START)
        return Findings(
            month=month,
            published=published,
            of_month=await views.of_decisions(connection, [d.id for d in month]),
            of_published=await views.of_decisions(connection, [d.id for d in published]),
            refused=await quarantine.open_quarantine(connection),
            changes=await grade_changes.grade_changes_between(
                connection,
                start_of(MONTH_START),
                datetime.combine(story.LAST_DAY, time.max, SHANGHAI),
            ),
            to_bank=await views.listed(connection, None, world.BANK, EVERY),
            work=await look(
                connection,
                stage.gateway.settings.destinations,
                stage.gateway.settings.all_clocks,
                Wanted(),
                stage.clock(),
                Grouping.ACTOR,
                OPEN_SHOWN,
            ),
        )


def show(console: Console, stage: Stage, found: Findings) -> None:
    """Print everything except the differences and the ledger."""
    _intake(console, stage, found)
    _refused(console, found.refused)
    _changes(console, found.changes)
    _deliveries(console, "报送结果（2026年10月作出的决定）", found.of_month)
    _to_bank(console, found.to_bank)
    _published(console, found)
    _work(console, found.work)
    console.print("平台上发生的事")
    for mishap in stage.diary.mishaps:
        console.print(f"  {mishap}", soft_wrap=True)
    console.print()


def _intake(console: Console, stage: Stage, found: Findings) -> None:
    table = _table("接收", "种类", "决定", "合格", "待补正", "不予报送")
    for kind in KINDS.in_order:
        rows = [d for d in found.month if d.kind == kind]
        verdicts = Counter(d.verdict for d in rows)
        excluded = sum(d.excluded is not None for d in rows)
        table.add_row(
            KINDS[kind].title,
            str(len(rows)),
            str(verdicts["ok"]),
            str(verdicts["incomplete"]),
            str(excluded),
        )
    console.print(table)
    repeats = int(sum(_samples(stage.gateway.metrics.repeats).values()))
    published, refused = stage.diary.published, len(found.refused)
    firsts = len(found.month) + len(found.published)
    console.print(
        f"  共发布 {published} 条消息：{firsts} 条是新的决定，"
        f"{published - firsts - repeats - refused} 条是更正、撤回或信用事件，"
        f"{repeats} 条重复（未产生任何变化），"
        f"拒收 {refused} 条（进入隔离区，可更正后重放；不是 {story.MONTH} 的不计入当月台账）\n",
        soft_wrap=True,
    )


def _samples(counter: Any) -> Mapping[str, float]:
    return {
        str(sample.labels): sample.value
        for metric in counter.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


def _refused(console: Console, refused: Sequence[quarantine.Quarantined]) -> None:
    table = _table("拒收", "编号", "种类", "来源", "原因")
    for one in refused:
        origin = one.origin.rpartition("/topics/")[2].removeprefix("kafka:main/")
        kind = KINDS[RecordKind(one.kind)].title if one.kind else "不明"
        first = one.problems[0]
        table.add_row(str(one.id), kind, origin, f"{first['message']}。{first['fix']}")
    console.print(table)


def _changes(console: Console, changes: Sequence[Any]) -> None:
    table = _table("等级变动（试算：评价办法为征求意见稿）", "编号", "单位", "变动", "方向", "原因")
    moved = [change for change in changes if change.from_grade is not None]
    for change in (moved or changes)[:SHOWN]:
        table.add_row(
            str(change.number),
            change.name or change.code,
            f"{change.from_grade or '—'} → {change.to_grade or '—'}",
            DIRECTIONS[change.body["direction"]],
            "；".join(change.body["reasons"][:3]),
        )
    console.print(table)
    directions = Counter(DIRECTIONS[change.body["direction"]] for change in changes)
    words = "，".join(f"{word} {count}" for word, count in directions.items())
    console.print(f"  等级变动共 {len(changes)} 次：{words}\n")


def _deliveries(console: Console, title: str, rows: Sequence[Any]) -> None:
    table = _table(title, "对象", "报送", "按时入库", "迟报", "被退回待更正", "待补正", "其他")
    for name in (world.CITY, world.NATION, world.PROVINCE):
        mine = [row for row in rows if row.destination == name]
        last = {row.chain_id: row for row in mine if row.state != DeliveryState.SUPERSEDED}
        states = Counter(row.state for row in last.values())
        handed = sum(any(r.submitted_at for r in mine if r.chain_id == c) for c in last)
        timely = sum(_on_time(mine, chain) for chain in last)
        accepted = states[DeliveryState.ACCEPTED]
        other = len(last) - accepted - states["rejected"] - states["held"]
        table.add_row(
            world.TITLES[name],
            str(handed),
            str(timely),
            str(_late(mine, last)),
            str(states["rejected"]),
            str(states["held"]),
            str(other),
        )
    console.print(table)


def _to_bank(console: Console, rows: Sequence[Any]) -> None:
    late = sum(row["breached_at"] is not None for row in rows)
    there = sum(DeliveryState(row["state"]) in HANDED_OVER for row in rows)
    console.print(
        f"  {world.TITLES[world.BANK]}：等级变动应告知 {len(rows)} 次，已送达 {there} 次，"
        f"超过一小时的 {late} 次\n"
    )


def _on_time(rows: Sequence[Any], chain: int) -> bool:
    """Whether the first accepted version was in time, by the platform's time if known."""
    accepted = [r for r in rows if r.chain_id == chain and r.state == DeliveryState.ACCEPTED]
    return bool(accepted) and (accepted[0].platform_at or accepted[0].accepted_at) < _due(
        accepted[0]
    )


def _due(row: Any) -> datetime:
    return min(datetime.fromisoformat(due) for due in row.dues.values())


def _late(rows: Sequence[Any], last: Mapping[int, Any]) -> int:
    return sum(
        any(r.submitted_at for r in rows if r.chain_id == chain) and not _on_time(rows, chain)
        for chain in last
    )


def _published(console: Console, found: Findings) -> None:
    """Print the published decisions that were taken, years late, apart from the month."""
    title = (
        f"已公开的十五个真实决定，其中接收的 {len(found.published)} 个（逾期多年，另列；不评分）；"
        "其余见上面的拒收"
    )
    table = _table(title, "文书号", "单位", "对象", "状态")
    numbers = {d.id: d for d in found.published}
    for row in found.of_published:
        if row.state == DeliveryState.SUPERSEDED:
            continue
        decision = numbers[row.chain_id]
        state = STATES[DeliveryState(row.state)]
        late = "，迟报" if DeliveryState(row.state) in HANDED_OVER else ""
        table.add_row(
            decision.document_number,
            decision.subject_name or "",
            world.TITLES[row.destination],
            state + late,
        )
    console.print(table)


def _decision(key: str) -> str:
    """Return a business key for people: the kind in Chinese, the document number, the subject."""
    kind, _, rest = key.partition("|")
    return f"{KINDS[RecordKind(kind)].title} {rest.replace('|', ' ')}"


def _work(console: Console, work: WorkList) -> None:
    table = _table("工作清单（worklist）", "报送对象", "文书号", "状态", "剩余", "由谁处理", "原因")
    for row in work.rows:
        left = "已超期" if row.late is Late.OVERDUE else f"{row.hours_left:g} 小时"
        table.add_row(
            row.destination, row.what, STATES[row.state], left, row.actor.value, row.why[:40]
        )
    console.print(table)
    groups = "，".join(f"{group.name} {group.open} 件" for group in work.groups)
    console.print(f"  未了结的报送：{groups or '没有'}\n", soft_wrap=True)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


async def close_month(console: Console, stage: Stage, state: Path) -> None:
    """Reconcile the platforms, freeze the ledger, and print the results."""
    table = _table("对账差异", "对象", "种类", "决定", "原因")
    span = ReconciledDays(MONTH_START, MONTH_END)
    now = stage.clock()
    for deliverer in stage.deliverers:
        if not deliverer.connector.limits.has_listing:
            continue
        found = await reconcile_platform(
            stage.gateway.database,
            stage.gateway.reconcile_scope,
            deliverer.destination,
            deliverer.connector,
            await begin(stage.gateway.database, deliverer.name, span, now),
        )
        title = world.TITLES[deliverer.name]
        for one in found.differences:
            for flag in one.flags:
                kind = KIND_TITLES[DifferenceKind(flag["kind"])]
                table.add_row(title, kind, _decision(one.key), flag["cause"])
        console.print(
            f"  {title}：我方 {found.run.ours} 条，平台展示 {found.run.shown} 条，"
            f"有差异的 {found.run.found} 条"
        )
    console.print(table)
    workbook = state / f"双公示台账-{story.MONTH}.xlsx"
    built = stage.gateway
    account, frozen, _ = await freeze_month(
        built.database, built.ledger_scope, built.keys, story.MONTH, built.clock()
    )
    await export(built.database, built.keys, frozen, workbook, built.clock())
    console.print(f"台账（{story.MONTH}，第 {frozen.version} 版）")
    for line in ledger_lines(account):
        console.print(f"  {line}")
    console.print(f"  工作簿：{workbook}")
    shown = state / f"双公示成绩单-{story.MONTH}.html"
    _, html = await card_of_month(built.database, built.ledger_scope, story.MONTH, built.clock())
    shown.write_text(html)
    console.print(f"  成绩单：{shown}")
