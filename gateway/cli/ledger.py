"""`ledger` 台账: freeze a month, print it, and write its workbook."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import ByOption, ReasonOption, actor, told_if_given, writable
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.config.signing import SIGNATURE_SUFFIX
from gateway.ledger.export import LedgerFormat, NoRows, Tampered, export
from gateway.ledger.freeze import draft_month, freeze_month, ledger_lines
from gateway.ledger.month import BadMonth, Ledger, days_of
from gateway.ledger.monthly import hold_month, release_month
from gateway.ledger.sending import ended, sending_words
from gateway.service.app import gateway, reading
from gateway.store.account import ledger_sendings, ledgers
from gateway.store.account.ledger_holds import LedgerHold
from gateway.store.account.ledger_sendings import Sending, SendingState
from gateway.store.account.ledgers import Frozen
from schemas.base import today


def _named(out: Path | None) -> Path | None:
    """Refuse a path that cannot be written, or whose name says no known form."""
    if out is not None and out.suffix.lower() not in set(LedgerFormat):
        known = "、".join(LedgerFormat)
        raise typer.BadParameter(f"{out}：文件名应以 {known} 之一结尾")
    return writable(out)


def ledger(  # noqa: PLR0913, PLR0917  one for each option
    context: typer.Context,
    month: Annotated[str, typer.Argument(help="月份，如 2026-10")],
    out: Annotated[
        Path | None,
        typer.Option(callback=_named, help="写到 xlsx、csv、json、parquet，附签名"),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(callback=told_if_given, help="与上一版不同的原因")
    ] = None,
    by: ByOption = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="只算出来核对，不冻结；--out 只写 xlsx")
    ] = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Freeze the ledger of a month and print it; with --draft, only print it."""
    if draft:
        _draft(context, month, out, format_)
        return

    async def work() -> tuple[Ledger, Frozen, bool, list[str]]:
        async with gateway(settings_of(context)) as built:
            account, frozen, made = await freeze_month(
                built.database,
                built.ledger_scope,
                built.keys,
                month,
                built.clock(),
                reason,
                actor(by),
            )
            if out is not None:
                await export(built.database, built.keys, frozen, out, built.clock())
            async with built.database.transaction() as connection:
                sendings = await ledger_sendings.of_month(connection, month)
            recipients = built.settings.ledger.recipients
            return account, frozen, made, sending_words(sendings, recipients)

    with _told(month):
        account, frozen, made, sendings = run(work)
    _print(account, frozen, made, out, format_)
    if format_ is Format.TEXT:
        if days_of(month)[1] > today(frozen.recorded_at):
            print_line("这个月还没有结束：月末之后会再冻结一版，报送的是那一版")
        for line in sendings:
            print_line(line)


@contextmanager
def _told(month: str) -> Iterator[None]:
    """Exit with a sentence where a ledger cannot be given."""
    try:
        yield
    except BadMonth as error:
        fail(str(error))
    except Tampered:
        fail(f"{month} 存下的台账与冻结时的签名不符：数据库里被改动过，查审计和备份", Exit.PROBLEMS)
    except NoRows:
        fail(f"{month} 的台账由旧版本冻结，只有工作簿：--out 写 .xlsx", Exit.NO_ANSWER)


def _draft(context: typer.Context, month: str, out: Path | None, format_: Format) -> None:
    """Print the ledger of a month as it is now, and write its workbook without a signature."""
    if out is not None and out.suffix.lower() != LedgerFormat.XLSX:
        fail(f"--out {out}：草稿只写 .xlsx；冻结后才有其他格式")

    async def work() -> tuple[Ledger, bytes]:
        async with reading(settings_of(context)) as built:
            scope, now = built.ledger_scope, built.clock()
            return await draft_month(built.database, scope, month, now)

    with _told(month):
        account, workbook = run(work)
    if format_ is Format.JSON:
        print_json({"name": month, "draft": True, **account.as_json()})
    else:
        for line in ledger_lines(account):
            print_line(line)
        print_line(f"{month} 台账草稿，没有冻结；冻结用 ledger {month}")
    if out is not None:
        out.write_bytes(workbook)
        print_line(f"草稿写到 {out}，没有签名")


def received(
    context: typer.Context,
    month: Annotated[str, typer.Argument(help="月份，如 2026-10")],
    recipient: Annotated[str, typer.Argument(help="接收方的名字，如配置里的 name")],
    by: ByOption = None,
) -> None:
    """Note that a recipient has received the newest version of a month."""

    async def work() -> Sending | None:
        async with gateway(settings_of(context)) as built:
            async with built.database.transaction() as connection:
                found = await ledger_sendings.of_month(connection, month)
            one = next((each for each in found if each.recipient == recipient), None)
            if one is not None:
                now = built.clock()
                await ended(built.database, one, SendingState.RECEIVED, actor(by), now)
            return one

    one = run(work)
    if one is None:
        fail(
            f"{month} 没有要送给 {recipient} 的台账；接收方见配置 ledger.recipients", Exit.PROBLEMS
        )
    print_line(f"{month} 台账第 {one.version} 版：{recipient} 已确认收到")


def _print(account: Ledger, frozen: Frozen, made: bool, out: Path | None, format_: Format) -> None:
    if format_ is Format.JSON:
        print_json(
            {"name": account.month, "version": frozen.version, "hash": frozen.hash, "made": made}
        )
        for figures in account.as_json()["figures"]:
            print_json({"name": figures["destination"], **figures})
        return
    for line in ledger_lines(account):
        print_line(line)
    state = "新冻结" if made else "与上次相同"
    print_line(
        f"{account.month} 台账第 {frozen.version} 版（{state}，{frozen.reason}），"
        f"校验值 {frozen.hash[:16]}"
    )
    if out is not None:
        print_line(f"写到 {out}，签名在 {out}{SIGNATURE_SUFFIX}；核对用 verify --signed {out}")


def hold(
    context: typer.Context,
    month: Annotated[str, typer.Argument(help="月份，如 2026-10")],
    reason: ReasonOption,
    release: Annotated[bool, typer.Option("--release", help="解除暂缓，照常自动冻结")] = False,
    by: ByOption = None,
) -> None:
    """Keep the ledger of a month from being frozen by itself, or let it be frozen again."""
    try:
        days_of(month)
    except BadMonth as error:
        fail(str(error))

    async def work() -> tuple[bool, Frozen | None]:
        async with gateway(settings_of(context)) as built:
            held = LedgerHold(month, actor(by), reason, built.clock())
            act = release_month if release else hold_month
            done = await act(built.database, held)
            async with built.database.transaction() as connection:
                return done, (await ledgers.newest(connection, [month])).get(month)

    done, frozen = run(work)
    if not done:
        told = "没有暂缓" if release else f"已经暂缓；解除用 hold {month} --release"
        fail(f"{month} {told}", Exit.PROBLEMS)
    print_line(f"{month} 台账{'照常' if release else '暂缓'}自动冻结")
    if frozen is not None and not release:
        print_line(f"它已冻结到第 {frozen.version} 版，暂缓不撤销这一版，也不停止报送")
