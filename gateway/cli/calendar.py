"""`calendar list|import`: the working-day calendars 工作日历 by year."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.options import ByOption, actor, there
from gateway.cli.output import Format, FormatOption, print_json, print_line, run, settings_of
from gateway.due.import_year import ChangedDay, changes, doubt, ignored, read_year
from gateway.due.workdays import SATURDAY, Workdays, Year
from gateway.schedule.due_times import Moves, foreseen, renew_all
from gateway.service import calendar
from gateway.service.app import gateway, reading
from gateway.store.deliver import calendar_years
from schemas.base import SHANGHAI

_WEEKDAYS = "一二三四五六日"


def calendar_list(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print the known years, their notices and hashes, and who imported them."""

    async def work() -> tuple[Workdays, dict[str, Any]]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            imported = {
                Year.model_validate_json(one.content).hash: one
                for one in await calendar_years.latest(c)
            }
            return built.workdays, imported

    workdays, imported = run(work)
    for year in sorted(workdays.years.values(), key=lambda one: one.year):
        numbers = [notice.number for notice in year.notices]
        by = imported.get(year.hash)
        if format_ is Format.JSON:
            print_json(
                {
                    "year": year.year,
                    "notices": numbers,
                    "hash": year.hash,
                    "imported_at": by and by.imported_at,
                    "imported_by": by and by.imported_by,
                }
            )
            continue
        source = "随软件发布"
        if by is not None:
            when = by.imported_at.astimezone(SHANGHAI)
            source = f"{by.imported_by} {when:%Y-%m-%d %H:%M} 导入"
        print_line(f"{year.year} 年 {'、'.join(numbers)}（{year.hash[:8]}，{source}）")


def calendar_import(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(callback=there, help="一年的日历：CSV（日期、类型、名称）或 JSON")
    ],
    notice: Annotated[
        str | None, typer.Option(help="通知文号，如 国办发明电〔2025〕7号；CSV 须写明")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="导入；不写只说明会改变什么")] = False,
    by: ByOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print what the calendar of a year changes; with --apply, import it."""
    year, names = read_year(file.read_bytes(), notice)

    async def look() -> tuple[list[ChangedDay], Moves]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            found = changes(built.workdays, year, names)
            built.workdays.take([year])
            return found, await foreseen(
                c, built.settings.all_clocks, built.workdays, built.clock()
            )

    async def do() -> tuple[list[ChangedDay], Moves]:
        async with gateway(settings_of(context)) as built:
            found, now = changes(built.workdays, year, names), built.clock()
            await calendar.import_year(built.database, built.workdays, year, actor(by), now)
            clocks = built.settings.all_clocks
            moves, _ = await renew_all(built.database, clocks, built.workdays, now)
            return found, moves

    found, moves = run(do if apply else look)
    if format_ is Format.JSON:
        more = {"ignored": ignored(year, names), "doubt": doubt(year)}
        print_json(_json(year, found, moves, applied=apply) | more)
        return
    _print(year, found, moves)
    for line in _ignored(ignored(year, names)):
        print_line(line)
    if (words := doubt(year)) is not None:
        print_line(f"请核对：{words}")
    print_line("已导入" if apply else "还没有导入：核对无误后加 --apply")


def _print(year: Year, found: list[ChangedDay], moves: Moves) -> None:
    numbers = "、".join(notice.number for notice in year.notices)
    print_line(f"{year.year} 年工作日历，{numbers}（{year.hash[:8]}）")
    for change in found:
        what = "上班" if change.is_working else "放假"
        weekday = _WEEKDAYS[change.day.weekday()]
        print_line(f"  {change.day}（周{weekday}）{what} {change.name}".rstrip())
    if not found:
        print_line("  与现有的日历相同")
    print_line(
        f"重新计算期限的报送 {moves.count} 件：推迟 {moves.later}，提前 {moves.earlier}，"
        f"不变 {moves.same}" + _most(moves)
    )


def _ignored(days: list[date]) -> Iterator[str]:
    """Yield what was not taken: a weekday at work, most often mistyped, is named one by one."""
    usual = [day for day in days if day.weekday() >= SATURDAY]
    for day in days:
        if day.weekday() < SATURDAY:
            yield f"  没有采用：{day}（周{_WEEKDAYS[day.weekday()]}）写上班，本来就上班；核对日期"
    if usual:
        yield f"  没有采用：周末写放假的 {len(usual)} 天，本来就休：{'、'.join(map(str, usual))}"


def _most(moves: Moves) -> str:
    most = [
        f"{words}最多 {days} 天"
        for words, days in (("推迟", moves.most_later), ("提前", moves.most_earlier))
        if days
    ]
    return f"（{'，'.join(most)}）" if most else ""


def _json(year: Year, found: list[ChangedDay], moves: Moves, *, applied: bool) -> dict[str, Any]:
    return {
        "year": year.year,
        "notices": [notice.number for notice in year.notices],
        "hash": year.hash,
        "changes": [
            {"date": one.day, "kind": "workday" if one.is_working else "holiday", "name": one.name}
            for one in found
        ],
        "provisional": {
            "later": moves.later,
            "earlier": moves.earlier,
            "same": moves.same,
            "most_days_later": moves.most_later,
            "most_days_earlier": moves.most_earlier,
        },
        "applied": applied,
    }
