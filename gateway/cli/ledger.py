"""`ledger` 台账: freeze a month, print it, and write its workbook."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import workbook
from gateway.cli.output import (
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.ledger.freeze import freeze_month, frozen_workbook, ledger_lines
from gateway.ledger.month import BadMonth, Ledger
from gateway.service.app import gateway
from gateway.store.account.ledgers import Frozen


def ledger(
    context: typer.Context,
    month: Annotated[str, typer.Argument(help="月份，如 2026-10")],
    out: Annotated[
        Path | None, typer.Option(callback=workbook, help="把台账工作簿写到这个 xlsx")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="与上一版不同的原因")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Freeze the ledger of a month and print it."""

    async def work() -> tuple[Ledger, Frozen, bool]:
        async with gateway(settings_of(context)) as built:
            account, frozen, made = await freeze_month(
                built.database, built.ledger_scope, month, built.clock(), reason
            )
            if out is not None:
                content = await frozen_workbook(built.database, frozen)
                await asyncio.to_thread(out.write_bytes, content)
            return account, frozen, made

    try:
        account, frozen, made = run(work)
    except BadMonth as error:
        fail(str(error))
    if format_ is Format.JSON:
        print_json({"name": month, "version": frozen.version, "hash": frozen.hash, "made": made})
        for figures in account.as_json()["figures"]:
            print_json({"name": figures["destination"], **figures})
        return
    for line in ledger_lines(account):
        print_line(line)
    state = "新冻结" if made else "与上次相同"
    print_line(
        f"{month} 台账第 {frozen.version} 版（{state}，{frozen.reason}），校验值 {frozen.hash[:16]}"
    )
    if out is not None:
        print_line(f"工作簿：{out}")
