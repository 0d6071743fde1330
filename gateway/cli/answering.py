"""Commands that answer a question by themselves: due, code."""

from typing import Annotated, Any

import typer

from gateway.cli.terminal import (
    Exit,
    Format,
    FormatOption,
    fail,
    lines_of,
    print_json,
    print_line,
    settings_of,
)
from gateway.columns import parse_date
from gateway.deadline import due
from gateway.workday_files import load_workdays
from schemas.identifiers import credit_code_problem, fold


def due_command(
    context: typer.Context,
    dates: Annotated[list[str] | None, typer.Argument(help="决定日期；- 读标准输入")] = None,
    clock: Annotated[str, typer.Option(help="时限名，如 calendar-7、working-7")] = "working-7",
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the due time of each decision date, and the calendar it rests on."""
    clocks = settings_of(context).all_clocks
    if clock not in clocks:
        fail(f"没有时限 {clock}；现有：{'、'.join(clocks)}")
    workdays = load_workdays()
    end = Exit.DONE
    for number, text in enumerate(lines_of(dates), 1):
        day = parse_date(text)
        if day is None:
            print_json({"line": number, "error": f"“{text}”不是日期，写成 2026-10-01"})
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


def code(
    codes: Annotated[list[str] | None, typer.Argument(help="代码；- 读标准输入")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print whether each code is a unified social credit code."""
    end = Exit.DONE
    for text in lines_of(codes):
        normalised = fold(text)
        reason = credit_code_problem(normalised)
        if reason is not None:
            end = Exit.PROBLEMS
        if format_ is Format.JSON:
            answer = {"input": text, "normalised": normalised, "valid": reason is None}
            print_json(answer | {"reason": reason})
        else:
            print_line(f"{text} → {normalised} {'有效' if reason is None else f'无效：{reason}'}")
    raise typer.Exit(end)
