"""`due`: print when a time limit ends, and by which calendar."""

from datetime import date
from typing import Annotated, Any

import typer

from gateway.check.dates import parse_date
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    lines_of,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.config.settings import Settings
from gateway.due.calendars import load_workdays
from gateway.due.deadline import due
from gateway.due.workdays import Workdays
from schemas.destination import CountedDays, TimeLimit
from schemas.licence import LONG_TERM
from schemas.obligation import DueTime


def _workdays(settings: Settings, clock: TimeLimit) -> Workdays:
    """Return the calendar with what was imported; say it if that could not be looked at."""
    if clock.counts is CountedDays.CALENDAR or not _may_be_asked(settings):
        return load_workdays()

    from gateway.service.app import reading  # heavy, and most calls need no database

    async def stored() -> Workdays:
        async with reading(settings) as built:
            return built.workdays

    return run(stored)


def _may_be_asked(settings: Settings) -> bool:
    """Whether there is a database to ask; an embedded one is not started for a question."""
    if settings.database_url is not None:
        return True

    from gateway.embedded.postgres import EmbeddedPostgres  # as above

    server = EmbeddedPostgres(settings.state)
    if not server.data.exists():
        return False
    if not server.runs():
        typer.echo(f"没有查看导入过的工作日历：{settings.state} 里的自带数据库没有运行", err=True)
        return False
    return True


def due_command(
    context: typer.Context,
    dates: Annotated[list[str] | None, typer.Argument(help="决定日期；- 读标准输入")] = None,
    clock: Annotated[str, typer.Option(help="时限名，如 calendar-7、working-7")] = "working-7",
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the due time of each decision date, and its calendar."""
    clocks = settings_of(context).all_clocks
    if clock not in clocks:
        fail(f"没有时限 {clock}；现有：{'、'.join(clocks)}")
    workdays = _workdays(settings_of(context), clocks[clock])
    end = Exit.DONE
    for number, text in enumerate(lines_of(dates, "决定日期"), 1):
        day = parse_date(text)
        if day is None or day == LONG_TERM:  # 9999-12-31 and 长期 are no day of a decision
            _print_wrong(number, text, format_)
            end = max(end, Exit.PROBLEMS)
            continue
        found = due(clocks[clock], day, workdays)
        end = max(end, Exit.NO_ANSWER if found.provisional else Exit.DONE)
        _print(day, clock, found, format_)
    raise typer.Exit(end)


def _print_wrong(number: int, text: str, format_: Format) -> None:
    words = f"“{text}”不是决定日期，写成 2026-10-01"
    if format_ is Format.JSON:
        print_json({"line": number, "error": words})
    else:
        print_line(f"第{number}个：{words}")


def _print(day: date, clock: str, found: DueTime, format_: Format) -> None:
    if format_ is Format.JSON:
        answer: dict[str, Any] = {
            "decision_date": day.isoformat(),
            "clock": clock,
            "due": None if found.provisional else found.printed,
            "calendar": found.calendar,
        }
        print_json(answer | ({"not_before": found.printed} if found.provisional else {}))
    elif found.provisional:
        print_line(f"{day} {clock}：工作日历不够，不早于 {found.printed}（{found.calendar}）")
    else:
        print_line(f"{day} {clock}：{found.printed}（{found.calendar or '日历日'}）")
