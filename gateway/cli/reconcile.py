"""`reconcile` 对账 and `differences …`: compare the sides, and explain the differences."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.errors import ConnectorError
from gateway.cli.options import ByOption, LimitOption, ReasonOption, actor, day_of, there
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    NumberArgument,
    at_most,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.config.clock import system_clock
from gateway.deliver.connect import build_connector
from gateway.intake.registers import Unread
from gateway.reconcile.daily import failed
from gateway.reconcile.difference import KIND_TITLES, DifferenceKind
from gateway.reconcile.keep import Reconciled, explain
from gateway.reconcile.register import RegisterUnread
from gateway.reconcile.run import ReconciledDays, begin, month_before, reconcile_platform
from gateway.service.app import Gateway, gateway, reading
from gateway.service.reconciling import Compared, compare_register
from gateway.store.account import differences
from gateway.store.account.differences import DifferenceState, StoredDifference
from schemas.base import SHANGHAI, today
from schemas.destination import Destination
from schemas.identifiers import masked
from schemas.kinds import KINDS
from schemas.reconciled import FoundDifference
from schemas.register import Register

_STATES = {
    DifferenceState.OPEN: "未了结",
    DifferenceState.EXPLAINED: "已说明",
    DifferenceState.MENDED: "已消除",
}
#: The side of a register that is given by --file and not configured.
_BY_FILE = "register"

SideOption = Annotated[str | None, typer.Option(help="只看这个报送对象或案件登记")]


def reconcile(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="报送对象或案件登记的名字，不写则逐个全部对账")
    ] = None,
    since: Annotated[str | None, typer.Option(help="决定日期从这天起，默认上月1日")] = None,
    until: Annotated[str | None, typer.Option(help="到这天止（含），默认今天")] = None,
    file: Annotated[
        Path | None, typer.Option(callback=there, help="案件登记的文件，不用配置里的来源")
    ] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the differences between our records and what another side has."""
    day = today(system_clock())
    first = day_of(since) if since else month_before(day)
    last = day_of(until) if until else day
    if last < first:
        fail(f"--until {last} 早于 --since {first}")
    span = ReconciledDays(first, date.fromordinal(last.toordinal() + 1))
    sides = _sides(context, name, file)

    async def work() -> list[Compared | str]:
        async with gateway(settings_of(context)) as built:
            return [await _compared(built, side, span) for side in sides]

    done = run(work)
    for side, one in zip(sides, done, strict=True):
        if isinstance(one, str):
            typer.echo(f"不能读取 {side.name} 的内容：{one}", err=True)
        else:
            _print(side, one, format_)
    if any(isinstance(one, str) for one in done):
        raise typer.Exit(Exit.NO_ANSWER)
    if any(one.done.differences for one in done if isinstance(one, Compared)):
        raise typer.Exit(Exit.PROBLEMS)


def _sides(
    context: typer.Context, name: str | None, file: Path | None
) -> Sequence[Destination | Register]:
    """Return the sides to compare; exits with wrong use if there is none of this name."""
    settings = settings_of(context)
    registers = {one.name: one for one in settings.reconcile.registers}
    if file is not None:
        if name is not None and name not in registers:
            fail(f"没有案件登记 {name}；现有：{'、'.join(registers) or '无'}")
        known = registers.get(name or "") or Register(
            name=_BY_FILE, title="案件登记", file=str(file)
        )
        return [known.model_copy(update={"file": str(file), "sql": None, "topic": None})]
    sides: dict[str, Destination | Register] = dict(registers)
    sides |= {one.name: one for one in settings.destinations}
    if name is None:
        takers = [one for one in settings.destinations if one.takes & KINDS.reported]
        return [*registers.values(), *takers]
    if name not in sides:
        fail(f"没有报送对象或案件登记 {name}；现有：{'、'.join(sides) or '无'}")
    return [sides[name]]


async def _compared(
    built: Gateway, side: Destination | Register, span: ReconciledDays
) -> Compared | str:
    """Compare a side; return why it could not be read."""
    run_ = await begin(built.database, side.name, span, built.clock())
    try:
        if isinstance(side, Register):
            return await compare_register(built, side, run_)
        connector = build_connector(built.settings, side, built.clock)
        try:
            done = await reconcile_platform(
                built.database, built.reconcile_scope, side, connector, run_
            )
        finally:
            await connector.close()
    except (ConnectorError, RegisterUnread) as error:
        await failed(built.database, run_, error)
        return str(error)
    return Compared(done, Unread())


def _print(side: Destination | Register, compared: Compared, format_: Format) -> None:
    done = compared.done
    for one in done.differences:
        if format_ is Format.JSON:
            told = asdict(one)
            del told["identity"]
            print_json({"side": side.name, "name": one.key, **told})
        else:
            print_line(f"{_titles(one.flags)} {one.key}{_told(one)}")
    if format_ is Format.TEXT:
        for line in _summary(side, done, compared.unread):
            print_line(line)


def _told(one: FoundDifference | StoredDifference) -> str:
    """Return the causes with what mends them."""
    parts = [f"{flag['cause']}；办法：{flag['action']}" for flag in one.flags]
    return f"：{'｜'.join(parts)}（自 {one.since.astimezone(SHANGHAI):%Y-%m-%d}）"


def _titles(flags: Sequence[Mapping[str, Any]]) -> str:
    return "、".join(KIND_TITLES[DifferenceKind(flag["kind"])] for flag in flags)


def _summary(side: Destination | Register, done: Reconciled, unread: Unread) -> list[str]:
    run_ = done.run
    what = "登记" if isinstance(side, Register) else "平台展示"
    shown = "该平台不提供公示清单" if run_.shown is None else f"{what} {run_.shown} 条"
    lines = [f"{side.name}：我方 {run_.ours} 条，{shown}，有差异的 {run_.found} 条"]
    if done.changes is None:
        lines[0] += "；同时有更晚的一次对账，差异以那一次为准"
    else:
        lines[0] += f"（新增 {done.changes.opened}，已消除 {done.changes.mended}）"
    if run_.unproven:
        lines.append(f"    已送达无回执、未能核实的 {run_.unproven} 条")
    if unread.count:
        places = "、".join(unread.places)
        lines.append(f"    登记中 {unread.count} 行没有文书号，没有比较：{places} 等")
    if unread.meant:
        named = "、".join(f"“{masked(name)}”像是“{title}”" for name, title in unread.meant.items())
        lines.append(
            f"    登记中有不认识的列，没有比较：{named}；改列名，或写在配置 input.columns 里"
        )
    return lines


def differences_list(
    context: typer.Context,
    side: SideOption = None,
    kind: Annotated[DifferenceKind | None, typer.Option(help="只看这一种差异")] = None,
    every: Annotated[bool, typer.Option("--all", help="已说明和已消除的也列出")] = False,
    limit: LimitOption = 200,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the differences as the last runs left them, those of one decision together."""

    async def work() -> list[StoredDifference]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            return await differences.listed(c, side, kind, every=every, limit=limit + 1)

    found = at_most(run(work), limit)
    for one in found:
        if format_ is Format.JSON:
            print_json({**asdict(one), "state": one.state})
        else:
            print_line(_line(one))
    if format_ is Format.TEXT and not found:
        print_line("没有未了结的差异")


def _line(one: StoredDifference) -> str:
    seen = f"{one.first_seen.astimezone(SHANGHAI):%Y-%m-%d} 首次发现"
    state = _STATES[one.state]
    said = f"，{one.explained_by} 说明：{one.reason}" if one.explained_at else ""
    return f"{one.id} {one.side} {_titles(one.flags)} {one.key}{_told(one)} {seen}，{state}{said}"


def differences_explain(
    context: typer.Context, number: NumberArgument, reason: ReasonOption, by: ByOption = None
) -> None:
    """Explain a difference, so that it counts as open no more while it stays the same."""

    async def work() -> bool:
        async with gateway(settings_of(context)) as built:
            return await explain(built.database, number, actor(by), reason, built.clock())

    if not run(work):
        fail(f"没有编号 {number} 的差异，或者它已经消除；见 differences list", Exit.PROBLEMS)
    print_line(f"{number} 已说明；内容有变化时会重新列出")
