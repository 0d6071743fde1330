"""`quarantine list|show|replay`: list, show and replay quarantined items 隔离区."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.options import LimitOption
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
from gateway.intake.quarantine import AlreadyResolved, NoSuchItem, OnlyStartKept, Overtaken, replay
from gateway.record.result import Result
from gateway.service.app import gateway, reading
from gateway.store.record import quarantine
from gateway.titles import VERDICTS
from schemas.base import SHANGHAI
from schemas.codes import RecordKind
from schemas.kinds import KINDS
from schemas.verdict import Verdict


def quarantine_list(
    context: typer.Context, limit: LimitOption = 200, format_: FormatOption = Format.TEXT
) -> None:
    """Print the quarantined input that is not resolved."""

    async def work() -> Any:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            return await quarantine.open_quarantine(c, limit=limit + 1)

    for one in at_most(run(work), limit):
        if format_ is Format.JSON:
            print_json(_quarantined(one))
        else:
            kind = KINDS[RecordKind(one.kind)].title if one.kind else "种类不明"
            problems = "；".join(problem["message"] for problem in one.problems)
            print_line(f"{one.id} {kind} {one.origin} {problems}")


def _quarantined(one: quarantine.Quarantined) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "origin": one.origin,
        "problems": one.problems,
        "recorded_at": one.recorded_at,
        "replays": one.replays,
        "resolved_at": one.resolved_at,
    }


def _resolution(one: quarantine.Quarantined) -> str:
    if one.resolved_at is None:
        return "尚未解决"
    return f"已于 {one.resolved_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 解决"


def quarantine_show(
    context: typer.Context,
    number: NumberArgument,
    raw: Annotated[
        bool, typer.Option("--bytes", help="同时显示原始内容（可能含个人信息）")
    ] = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print where a quarantined item came from and what is wrong with it."""

    async def work() -> Any:
        async with reading(settings_of(context)) as built, built.database.transaction() as c:
            one = await quarantine.quarantined(c, number)
            return one and (one, built.keys.decrypt(one.sealed, one.key_version))

    found = run(work)
    if found is None:
        fail(f"隔离区没有编号 {number}", Exit.PROBLEMS)
    one, content = found
    text = content.decode("utf-8", "backslashreplace")
    if format_ is Format.JSON:
        print_json(_quarantined(one) | ({"bytes": text} if raw else {}))
        return
    print_line(f"{one.id} 来自 {one.origin}，重放 {one.replays} 次，{_resolution(one)}")
    for problem in one.problems:
        print_line(f"    {problem['field'] or '整行'} {problem['message']}。{problem['fix']}")
    if raw:
        print_line(text)


def quarantine_replay(
    context: typer.Context,
    number: NumberArgument,
    corrected: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="更正后的记录（JSON 文件）；不给则原样重放"),
    ] = None,
    despite_later: Annotated[
        bool, typer.Option("--despite-later", help="这个决定已有更新的版本，仍以这一条为准")
    ] = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Replay a quarantined item, corrected or as it was."""
    body = corrected.read_bytes() if corrected else None

    async def work() -> Result:
        async with gateway(settings_of(context)) as built:
            try:
                return await replay(
                    built.pipeline,
                    built.keys,
                    built.clock,
                    number,
                    body,
                    despite_later=despite_later,
                )
            except (NoSuchItem, AlreadyResolved, OnlyStartKept, Overtaken) as error:
                fail(str(error), Exit.PROBLEMS)

    result = run(work)
    if format_ is Format.JSON:
        print_json({"id": number, "verdict": result.verdict, "key": result.key})
    else:
        print_line(f"{number} {VERDICTS[result.verdict]} {result.key or ''}".rstrip())
        for problem in result.problems:
            print_line(f"    {problem.message}。{problem.fix}")
    if result.verdict is Verdict.REFUSED:
        raise typer.Exit(Exit.PROBLEMS)
