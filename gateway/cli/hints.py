"""`hints list|close`: hints of concealed decisions 瞒报线索, and what a person says of them."""

from dataclasses import asdict
from typing import Annotated

import typer

from gateway.cli.options import ByOption, ReasonOption, actor
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    NumberArgument,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.reconcile.concealment import HintKind
from gateway.reconcile.hints import close, look
from gateway.service.app import gateway
from gateway.store.account.hints import StoredHint
from schemas.base import SHANGHAI

_TITLES = {HintKind.HOLE: "缺号", HintKind.SILENCE: "停报"}

_NOTE = "线索只供核对，不是结论：可能在隔离区、作废未用，或不属报送范围"


def hints_list(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="已关闭和不再成立的也列出")] = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Look for hints, and print those that are open."""

    async def work() -> list[StoredHint]:
        async with gateway(settings_of(context)) as built:
            return await look(built.database, built.clock(), every=every)

    found = run(work)
    for hint in found:
        if format_ is Format.JSON:
            print_json(asdict(hint))
        else:
            print_line(hint_line(hint))
    if format_ is Format.TEXT:
        print_line(_NOTE if found else "没有线索")


def hint_line(hint: StoredHint) -> str:
    """Return a hint in one line, with what a person said of it."""
    since = f"{hint.first_seen.astimezone(SHANGHAI):%Y-%m-%d}"
    # One that opened again keeps what was said of it: some of its numbers are settled by that.
    when = "已关闭" if hint.closed_at else "此前关闭过"
    closed = f"；{hint.closed_by} {when}：{hint.reason}" if hint.closed_by else ""
    title = _TITLES[HintKind(hint.kind)]
    return f"{hint.id} {hint.authority} {title} {hint.key}：{hint.words}（{since} 起）{closed}"


def hints_close(
    context: typer.Context,
    number: NumberArgument,
    reason: ReasonOption,
    by: ByOption = None,
) -> None:
    """Close a hint for a reason; it opens again with new evidence, and tells only that."""

    async def work() -> bool:
        async with gateway(settings_of(context)) as built:
            return await close(built.database, number, actor(by), reason, built.clock())

    if not run(work):
        fail(f"没有编号 {number} 的未关闭线索；编号见 hints list", Exit.PROBLEMS)
    print_line(f"{number} 已关闭")
