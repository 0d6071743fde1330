"""`sources`: what became of what each source sent, for a day or a month."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from gateway.cli.options import day_of
from gateway.cli.output import (
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.cli.results import named_origin
from gateway.config.clock import system_clock
from gateway.intake.sources import AtDestination, SourceGrouping, SourceReport, report
from gateway.ledger.month import BadMonth, days_of
from gateway.service.app import reading
from schemas.base import today


def sources(
    context: typer.Context,
    by: Annotated[SourceGrouping, typer.Option(help="按来源或按机关")] = SourceGrouping.SOURCE,
    day: Annotated[str | None, typer.Option(help="收到的日期；不写 --month 时默认今天")] = None,
    month: Annotated[str | None, typer.Option(help="收到的月份，如 2026-10")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print what each source sent, and where it stands at each destination."""
    first, end = _span(day, month)

    async def work() -> list[SourceReport]:
        async with reading(settings_of(context)) as built:
            return await report(built.database, by, first, end, built.clock())

    found = run(work)
    for one in found:
        if format_ is Format.JSON:
            print_json({"name": one.source, **asdict(one)})
            continue
        print_line(_line(one, by))
        for name, stands in one.destinations.items():
            print_line(_stands(name, stands))
    if format_ is Format.TEXT and not found:
        print_line("这段时间没有来件")


def _span(day: str | None, month: str | None) -> tuple[date, date]:
    if day and month:
        fail("--day 和 --month 只用一个")
    if month:
        try:
            return days_of(month)
        except BadMonth as error:
            fail(str(error))
    first = day_of(day) if day else today(system_clock())
    return first, date.fromordinal(first.toordinal() + 1)


def _line(one: SourceReport, by: SourceGrouping) -> str:
    nobody = "（拒收，机关不明）" if by is SourceGrouping.AUTHORITY else ""
    parts = [f"收到 {one.items}"]
    more = (
        ("重复", one.repeats),
        ("待补正", one.incomplete),
        ("不予报送", one.excluded),
        ("拒收", one.refused),
    )
    parts += [f"{title} {count}" for title, count in more if count]
    if one.waiting:
        parts.append(f"隔离区未处理 {one.waiting}")
    name = named_origin(one.source, one.file_name)
    return f"{name or nobody}：{'，'.join(parts)}"


def _stands(name: str, one: AtDestination) -> str:
    rate = f"{(one.accepted_rate or 0) * 100:.2f}%"
    parts = [f"应报 {one.owed}", f"送达 {one.handed_over}", f"有效入库 {one.accepted}（{rate}）"]
    more = (("待补正", one.held), ("被退回", one.rejected), ("超期未送达", one.overdue))
    parts += [f"{title} {count}" for title, count in more if count]
    return f"    {name}：{'，'.join(parts)}"
