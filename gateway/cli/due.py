"""`due`: print when a time limit ends, and by which calendar."""

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


def _workdays(settings: Settings) -> Workdays:
    """Return the calendar with what was imported, if there is a database of its own to ask."""
    if settings.database_url is None:
        return load_workdays()

    from gateway.service.app import reading  # heavy, and most calls need no database

    async def stored() -> Workdays:
        async with reading(settings) as built:
            return built.workdays

    return run(stored)


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
    workdays = _workdays(settings_of(context))
    end = Exit.DONE
    for number, text in enumerate(lines_of(dates, "决定日期"), 1):
        day = parse_date(text)
        if day is None:
            words = f"“{text}”不是日期，写成 2026-10-01"
            if format_ is Format.JSON:
                print_json({"line": number, "error": words})
            else:
                print_line(f"第{number}个：{words}")
            end = max(end, Exit.PROBLEMS)
            continue
        found = due(clocks[clock], day, workdays)
        end = max(end, Exit.NO_ANSWER if found.provisional else Exit.DONE)
        answer: dict[str, Any] = {
            "decision_date": day.isoformat(),
            "clock": clock,
            "due": None if found.provisional else found.printed,
            "calendar": found.calendar,
        }
        if found.provisional:
            answer["not_before"] = found.printed
        if format_ is Format.JSON:
            print_json(answer)
        elif found.provisional:
            print_line(f"{day} {clock}：工作日历不够，不早于 {found.printed}（{found.calendar}）")
        else:
            print_line(f"{day} {clock}：{found.printed}（{found.calendar or '日历日'}）")
    raise typer.Exit(end)
