"""`reconcile` 对账: compare what a platform shows with our records."""

from datetime import date
from typing import Annotated

import typer

from connectors.errors import ConnectorError
from gateway.cli.options import day_of
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
from gateway.config.clock import system_clock
from gateway.deliver.connect import build_connector
from gateway.reconcile import run as reconcile_step
from gateway.reconcile.compare import KIND_TITLES, DifferenceKind
from gateway.reconcile.run import Reconciled, ReconciledDays, month_before
from gateway.service.app import gateway
from schemas.base import SHANGHAI, today


def reconcile(
    context: typer.Context,
    destination: Annotated[str, typer.Argument(help="报送对象的名字")],
    since: Annotated[str | None, typer.Option(help="决定日期从这天起，默认上月1日")] = None,
    until: Annotated[str | None, typer.Option(help="到这天止（含），默认今天")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the differences between our records and what a platform shows."""
    day = today(system_clock())
    first = day_of(since) if since else month_before(day)
    last = day_of(until) if until else day
    found = run(lambda: _reconcile(context, destination, first, last))
    for one in found.differences:
        if format_ is Format.JSON:
            print_json(
                {
                    "id": one.id,
                    "destination": one.destination,
                    "kind": one.kind,
                    "key": one.key,
                    "cause": one.cause,
                    "since": one.since,
                    "detail": dict(one.detail),
                }
            )
        else:
            kind = KIND_TITLES[DifferenceKind(one.kind)]
            print_line(
                f"{kind} {one.key}：{one.cause}（自 {one.since.astimezone(SHANGHAI):%Y-%m-%d}）"
            )
    if format_ is Format.TEXT:
        shown = "该平台不提供公示清单" if found.shown is None else f"平台展示 {found.shown} 条"
        print_line(
            f"{destination}：我方 {found.ours} 条，{shown}，差异 {len(found.differences)} 处"
        )
    if found.differences:
        raise typer.Exit(Exit.PROBLEMS)


async def _reconcile(context: typer.Context, name: str, first: date, last: date) -> Reconciled:
    settings = settings_of(context)
    configured = {one.name: one for one in settings.destinations}
    if name not in configured:
        fail(f"没有报送对象 {name}；现有：{'、'.join(configured) or '无'}")
    async with gateway(settings) as built:
        connector = build_connector(configured[name], built.clock)
        span = ReconciledDays(first, date.fromordinal(last.toordinal() + 1))
        try:
            return await reconcile_step.run(
                built.database, name, connector, built.keys, span, built.clock()
            )
        except ConnectorError as error:
            fail(f"不能读取 {name} 的展示内容：{error}", Exit.NO_ANSWER)
        finally:
            await connector.close()
