"""`audit list|export`: who did what, and a file of it that proves itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from gateway.audit.export import exported
from gateway.audit.record import link_events
from gateway.cli.options import LimitOption, day_of, writable
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    at_most,
    fail,
    print_json,
    print_line,
    progress,
    run,
    settings_of,
)
from gateway.service.app import gateway, reading
from gateway.store.audit import events
from gateway.store.audit.events import WantedEvents
from gateway.telemetry.audit_events import AuditEvent
from gateway.titles import AUDIT_EVENTS
from schemas.base import SHANGHAI, end_of, start_of
from schemas.identifiers import masked

FromOption = Annotated[str | None, typer.Option("--from", help="从哪天起，默认最早")]
ToOption = Annotated[str | None, typer.Option("--to", help="到哪天止，含当天，默认现在")]
#: Before anything of ours, and after it.
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=SHANGHAI), timedelta(days=2)


def audit_list(  # noqa: PLR0913, PLR0917  one for each option
    context: typer.Context,
    first: FromOption = None,
    last: ToOption = None,
    event: Annotated[AuditEvent | None, typer.Option(help="只看一种事件")] = None,
    by: Annotated[str, typer.Option(help="只看谁做的")] = "",
    limit: LimitOption = 100,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print what was done and by whom, the newest first."""

    async def work() -> list[Any]:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            wanted = WantedEvents(*_span(first, last, built.clock()), event or "", by)
            return await events.latest(c, wanted, limit + 1)

    for row in at_most(run(work), limit):
        if format_ is Format.JSON:
            told = {"at": row.at, "event": row.event, "actor": row.actor, "from": row.source}
            print_json({**told, "detail": row.detail})
        else:
            at = f"{row.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
            title, where = AUDIT_EVENTS.get(row.event, row.event), row.source or "来处未记"
            print_line(f"{at} {row.actor}（{where}）{title} {masked(_words(row.detail))}".rstrip())


def audit_export(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(callback=writable, help="写到哪个文件")],
    first: FromOption = None,
    last: ToOption = None,
) -> None:
    """Write the audit trail to a file that can be checked without us: `verify --audit`."""

    async def work() -> int:
        count = 0
        async with gateway(settings_of(context)) as built:
            while await link_events(built.database):
                pass
            now = built.clock()
            with out.open("wb") as file, progress("导出") as advance:
                async with built.database.transaction() as connection:
                    span = _span(first, last, now)
                    async for line in exported(connection, built.keys, span, now):
                        file.write(orjson.dumps(line) + b"\n")
                        count += "digest" in line
                        advance(1)
        return count

    count = run(work)
    if not count:
        out.unlink()
        fail("这段时间没有审计事件", Exit.PROBLEMS)
    print_line(f"导出 {count} 条审计事件到 {out}；核对：credit-gateway verify --audit {out}")


def _span(first: str | None, last: str | None, now: datetime) -> tuple[datetime, datetime]:
    start = _FIRST if first is None else start_of(day_of(first))
    end = now + _LAST if last is None else end_of(day_of(last))
    if end <= start:
        fail("--to 早于 --from：先写早的")
    return start, end


def _words(detail: Mapping[str, Any]) -> str:
    """Return the details in one line."""
    return "，".join(
        f"{name} {value if isinstance(value, str) else orjson.dumps(value).decode()}"
        for name, value in detail.items()
    )
