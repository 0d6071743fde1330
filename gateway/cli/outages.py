"""`outages …`: the register of receivers' outages 接收方中断登记, and notes on late deliveries."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import (
    ByOption,
    EvidenceOption,
    ReasonOption,
    actor,
    moment_of,
    writable,
)
from gateway.cli.output import (
    STANDARD_INPUT,
    Exit,
    Format,
    FormatOption,
    Made,
    NumberArgument,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.config.clock import system_clock
from gateway.deliver.outages import SELF
from gateway.deliver.register import (
    Times,
    add_evidence,
    close_outage,
    open_outage,
    void_outage,
)
from gateway.service.app import Gateway, gateway, reading
from gateway.store.account import evidence, outages
from gateway.store.account.evidence import About, Evidence, Statement
from gateway.store.account.outages import Outage
from schemas.base import SHANGHAI

#: Bytes of a file that is kept as evidence, at most.
LARGEST_FILE = 20 * 2**20

DestinationOption = Annotated[str | None, typer.Option(help="只看这个对象")]
SinceOption = Annotated[str, typer.Option(help="从何时起，如 “2026-10-01 09:30”（北京时间）")]
UntilOption = Annotated[str | None, typer.Option(help="到何时止；不写：还没恢复")]
ClosedOption = Annotated[str | None, typer.Option("--until", help="何时恢复；不写：现在")]


def outages_list(
    context: typer.Context,
    destination: DestinationOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the outages, the oldest first."""

    async def work() -> list[Outage]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            return await outages.listed(c, destination)

    found = run(work)
    for one in found:
        if format_ is Format.JSON:
            print_json(asdict(one))
        else:
            print_line(_line(one))
    if format_ is Format.TEXT and not found:
        print_line("没有登记接收方中断")


def _line(one: Outage) -> str:
    since = f"{one.since.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    until = f"{one.until.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if one.until else "未恢复"
    by = "系统" if one.opened_by == SELF else one.opened_by
    void = f"；{one.void_by} 已作废：{one.void_reason}" if one.void_by else ""
    return f"{one.id} {one.destination} {since} 至 {until}（{by}登记）：{one.reason}{void}"


def outages_show(
    context: typer.Context, number: NumberArgument, format_: FormatOption = Format.TEXT
) -> None:
    """Print an outage and all its evidence in the order of time."""

    async def work() -> tuple[Outage | None, Sequence[Evidence]]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            found = await evidence.of(c, About.OUTAGE, [number])
            return await outages.one(c, number), found.get(number, ())

    one, said = run(work)
    if one is None:
        fail(f"没有编号 {number} 的中断；编号见 outages list", Exit.PROBLEMS)
    if format_ is Format.JSON:
        print_json({**asdict(one), "evidence": [asdict(each) for each in said]})
        return
    print_line(_line(one))
    for line in evidence_lines(said):
        print_line(line)


def evidence_lines(said: Sequence[Evidence]) -> list[str]:
    """Return what was said in Chinese, line by line."""
    lines = []
    for one in said:
        by = "系统" if one.actor == SELF else one.actor
        file = f"［附件 {one.id} {one.file_name}，SHA-256 {one.sha256}］" if one.sha256 else ""
        lines.append(f"    {one.at.astimezone(SHANGHAI):%m-%d %H:%M:%S} {by}：{one.words}{file}")
    return lines


def outages_open(  # noqa: PLR0913, PLR0917  one for each option
    context: typer.Context,
    destination: Annotated[str, typer.Argument(help="报送对象的名字")],
    since: SinceOption,
    reason: ReasonOption,
    until: UntilOption = None,
    file: EvidenceOption = None,
    by: ByOption = None,
) -> None:
    """Enter an outage that nobody noticed by calls, or that a notice announces."""
    now = system_clock()
    times = Times(moment_of(since, now), moment_of(until, now) if until else None)
    if times.until is not None and times.until < times.since:
        fail("--until 早于 --since：先写开始，再写结束")
    names = [one.name for one in settings_of(context).destinations]
    if destination not in names:
        fail(f"没有报送对象 {destination}；现有：{'、'.join(names) or '无'}")
    said = _said(by, reason, file)
    number = _acted(context, lambda g: open_outage(g.database, destination, times, said, g.clock()))
    if number is None:
        fail(f"{said.actor} 登记的 {destination} 中断还没结束：先用 outages close", Exit.PROBLEMS)
    print_line(f"已登记，编号 {number}；期限不变，台账并列计与不计中断的及时率")


def outages_close(
    context: typer.Context,
    number: NumberArgument,
    reason: ReasonOption,
    until: ClosedOption = None,
    file: EvidenceOption = None,
    by: ByOption = None,
) -> None:
    """Enter the end of an outage."""
    now = system_clock()
    at = moment_of(until, now) if until else now
    said = _said(by, reason, file)
    if not _acted(context, lambda g: close_outage(g.database, number, at, said, g.clock())):
        fail(f"没有编号 {number}、那时还没恢复的中断；见 outages list", Exit.PROBLEMS)
    print_line(f"{number} 已登记恢复")


def outages_void(
    context: typer.Context,
    number: NumberArgument,
    reason: ReasonOption,
    file: EvidenceOption = None,
    by: ByOption = None,
) -> None:
    """Say that an outage was none of the receiver's; it stays readable and counts no more."""
    said = _said(by, reason, file)
    if not _acted(context, lambda g: void_outage(g.database, number, said, g.clock())):
        fail(f"没有编号 {number}、尚未作废的中断；见 outages list", Exit.PROBLEMS)
    print_line(f"{number} 已作废，不再计入")


def outages_add(
    context: typer.Context,
    number: NumberArgument,
    words: ReasonOption,
    file: EvidenceOption = None,
    by: ByOption = None,
) -> None:
    """Add evidence to an outage."""
    _add(context, About.OUTAGE, number, _said(by, words, file), "outages list")


def deliveries_note(
    context: typer.Context,
    number: NumberArgument,
    words: ReasonOption,
    file: EvidenceOption = None,
    by: ByOption = None,
) -> None:
    """Add a note or evidence to a delivery; the ledger shows it beside the computed cause."""
    _add(context, About.DELIVERY, number, _said(by, words, file), "deliveries list")


def _add(context: typer.Context, about: About, id_: int, said: Statement, where: str) -> None:
    if not _acted(context, lambda g: add_evidence(g.database, about, id_, said, g.clock())):
        fail(f"没有编号 {id_}；编号见 {where}", Exit.PROBLEMS)
    print_line(f"{id_} 已补充")


def outages_file(
    context: typer.Context,
    number: NumberArgument,
    out: Annotated[Path, typer.Option(callback=writable, help="写到这个文件")],
) -> None:
    """Write the file of a piece of evidence, by the number that `show` gives."""

    async def work() -> tuple[str, bytes] | None:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            return await evidence.file(c, number)

    found = run(work)
    if found is None:
        fail(f"没有编号 {number} 的附件；编号见 outages show", Exit.PROBLEMS)
    out.write_bytes(found[1])
    print_line(f"{found[0]} 写到 {out}")


def _said(by: str | None, words: str, file: Path | None) -> Statement:
    """Return what a person says; exits with wrong use for a file that is too large."""
    if file is None:
        return Statement(actor(by), words)
    if file == STANDARD_INPUT:
        fail("--evidence 写文件名，不能用 -")
    if file.stat().st_size > LARGEST_FILE:
        fail(f"{file} 超过 {LARGEST_FILE // 2**20} MB：附件只留要紧的几页")
    return Statement(actor(by), words, (file.name, file.read_bytes()))


def _acted(context: typer.Context, act: Callable[[Gateway], Awaitable[Made]]) -> Made:
    async def work() -> Made:
        async with gateway(settings_of(context)) as built:
            return await act(built)

    return run(work)
