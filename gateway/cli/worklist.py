"""`worklist`: what is open, by hours left, who must act on it, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from connectors.shared.xlsx import workbook
from gateway.cli.options import LimitOption
from gateway.cli.options import workbook as workbook_name
from gateway.cli.output import (
    Format,
    FormatOption,
    at_most,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.cli.selection import (
    AuthorityOption,
    DestinationOption,
    Selection,
    StateOption,
    WithinOption,
)
from gateway.cli.tasks import task_words
from gateway.ledger.monthly import standings
from gateway.ledger.sending import sending_words
from gateway.service.app import Gateway, reading
from gateway.store.account import differences, ledger_sendings, reconcile_runs
from gateway.store.base.engine import Connection
from gateway.store.deliver import bulk_tasks
from gateway.titles import STATES
from gateway.worklist.look import WorkList, look
from gateway.worklist.rows import Grouping, Late, OpenGroup, WorkRow
from schemas.base import SHANGHAI, last_moment, today

_BY = {
    Grouping.DESTINATION: "报送对象",
    Grouping.AUTHORITY: "机关",
    Grouping.STATE: "状态",
    Grouping.ACTOR: "由谁处理",
}
_TITLES = (
    "编号",
    "报送对象",
    "文书号或对象",
    "决定机关",
    "相对人",
    "状态",
    "期限",
    "剩余小时",
    "会否超期",
    "由谁处理",
    "原因",
)
#: A running task whose last batch is older has nobody who goes on with it.
_STEPPING = timedelta(minutes=5)
_WIDTHS = (10, 18, 26, 24, 26, 12, 18, 10, 16, 12, 60)


def worklist(  # noqa: PLR0913, PLR0917  the options of a command
    context: typer.Context,
    destination: DestinationOption = None,
    state: StateOption = None,
    authority: AuthorityOption = None,
    within: WithinOption = None,
    by: Annotated[Grouping, typer.Option(help="按什么汇总")] = Grouping.DESTINATION,
    limit: LimitOption = 50,
    out: Annotated[
        Path | None, typer.Option(callback=workbook_name, help="把清单写到这个 xlsx")
    ] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print what is open, the earliest due first, with what will be late, why, and who must act."""

    selection = Selection(None, destination, state, authority, within)

    async def work() -> tuple[WorkList, list[str]]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            now = built.clock()
            choice = await selection.wanted(c, built)
            known = built.settings.destinations, built.settings.all_clocks
            found = await look(c, *known, choice, now, by, limit + 1)
            return found, await _notes(c, built, now)

    found, notes = run(work)
    rows = at_most(found.rows, limit)
    if out is not None:
        _write(out, rows)
    if format_ is Format.JSON:
        for row in rows:
            print_json(asdict(row))
    else:
        _print(rows, found.groups, by)
        for note in notes:
            print_line(note)


async def _notes(connection: Connection, built: Gateway, now: datetime) -> list[str]:
    """Return what else is to be done: ledgers of past months, differences, tasks, a calendar."""
    months = await standings(connection, built.settings.ledger, now)
    notes = [month.words for month in months]
    sendings = await ledger_sendings.unfinished(connection)
    notes += sending_words(sendings, built.settings.ledger.recipients)
    for side, at, words in await reconcile_runs.failed(connection, built.ledger_scope.sides):
        when = f"{at.astimezone(SHANGHAI):%m-%d %H:%M}"
        notes.append(f"与 {side} 的对账没有做成（{when}）：{words}")
    open_ = await differences.open_by_side(connection)
    if open_:
        sides = "、".join(f"{side} {count}" for side, count in open_.items())
        notes.append(f"对账差异未了结 {sum(open_.values())} 条（{sides}）：differences list")
    notes += [task_words(one) for one in await bulk_tasks.unfinished(connection, now - _STEPPING)]
    lacking = built.workdays.lacking(today(now))
    if lacking is not None:
        notes.append(f"没有 {lacking} 年的工作日历：放假通知发布后用 calendar import 导入")
    return notes


def _print(rows: Sequence[WorkRow], groups: Iterable[OpenGroup], by: Grouping) -> None:
    for row in rows:
        print_line(_line(row))
    print_line(f"按{_BY[by]}：" if rows else "没有未了结的报送")
    for group in groups:
        print_line(_group(group))


def _due(at: datetime) -> str:
    return f"{last_moment(at):%Y-%m-%d %H:%M}"


def _bound(row: WorkRow) -> str:
    return "（期限未定，不早于此）" if row.provisional else ""


def _line(row: WorkRow) -> str:
    left = (
        f"{'已过' if row.provisional else '超期'} {-row.hours_left:g} 小时"
        if row.late in {Late.OVERDUE, Late.UNSETTLED}
        else f"剩 {row.hours_left:g} 小时"
    )
    who = f"{row.authority} " if row.authority else ""
    what = f"{row.id} {row.destination} {who}{row.what} {STATES[row.state]}"
    when = f"期限 {_due(row.due_at)}{_bound(row)}，{left}，{row.late.value}"
    return f"{what} {when}；{row.actor.value}：{row.why}"


def _group(group: OpenGroup) -> str:
    overdue = f"，其中已超期 {group.overdue}" if group.overdue else ""
    return f"  {group.name}：{group.open} 件{overdue}，最早期限 {_due(group.due_at)}"


def _write(out: Path, rows: Iterable[WorkRow]) -> None:
    with workbook(out) as book:
        sheet = book.sheet("工作清单", _WIDTHS)
        sheet.head(_TITLES)
        for row in rows:
            late = row.late is not Late.IN_TIME
            sheet.write(
                [
                    (row.id, "number"),
                    (row.destination, "text"),
                    (row.what, "text"),
                    (row.authority, "text"),
                    (row.subject_name, "text"),
                    (STATES[row.state], "centred"),
                    (last_moment(row.due_at), "moment"),
                    (row.hours_left, "centred"),
                    (f"{row.late.value}{_bound(row)}", "marked" if late else "text"),
                    (row.actor.value, "centred"),
                    (row.why, "text"),
                ]
            )
