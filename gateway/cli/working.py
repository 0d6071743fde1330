"""Commands that change something: ingest, replay, retry, reconcile, ledger, verify, db."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from gateway.app import Gateway, gateway
from gateway.audit import AuditEvent
from gateway.cli.arguments import FileArgument, KindOption, OutOption
from gateway.cli.terminal import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    progress,
    run,
    settings_of,
)
from gateway.faulty import faulty_row, spooled
from gateway.intake.files import UnreadableFile, batches, line_of, read
from gateway.normalise import Raw
from gateway.results import Result
from gateway.settings import Settings
from gateway.store.audit import events
from gateway.store.deliver import deliveries
from gateway.verify import verify_assessments
from gateway.words import VERDICTS
from gateway.workbook_problems import FaultyRow, problems_workbook
from schemas.codes import RecordKind
from schemas.verdict import Verdict

BATCH = 1000


def ingest(
    context: typer.Context,
    file: FileArgument,
    out: OutOption = None,
    kind: KindOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Put a file into the pipeline."""
    settings = settings_of(context)
    faulty: list[FaultyRow] = []
    with spooled(file) as path:
        keep = faulty.append if out else None
        counts = _run_ingest(lambda: _ingest(settings, path, kind, format_, keep))
    if out is not None:
        problems_workbook(out, faulty)
    if format_ is Format.TEXT:
        words = "，".join(f"{VERDICTS[v]} {counts[v.value]}" for v in Verdict)
        print_line(f"共 {counts['total']} 条：{words}，其中重复 {counts['repeat']}")
    if counts[Verdict.INCOMPLETE.value] or counts[Verdict.REFUSED.value]:
        raise typer.Exit(Exit.PROBLEMS)


def _run_ingest(work: Callable[[], Awaitable[Counter[str]]]) -> Counter[str]:
    try:
        return run(work)
    except (UnreadableFile, OSError) as error:
        fail(str(error))


async def _ingest(
    settings: Settings,
    path: Path,
    kind: RecordKind | None,
    format_: Format,
    keep: Callable[[FaultyRow], None] | None,
) -> Counter[str]:
    counts: Counter[str] = Counter()
    async with gateway(settings) as built:
        with progress("接收") as advance:
            for batch in batches(read(path, settings.files, kind), BATCH):
                checked = await built.pipeline.check(batch)
                results = await built.pipeline.commit(checked)
                for raw, result in zip(batch, results, strict=True):
                    _count(counts, raw, result, format_)
                for one in checked:
                    if keep is not None and one.problems:
                        keep(faulty_row(one))
                advance(len(batch))
    return counts


def _count(counts: Counter[str], raw: Raw, result: Result, format_: Format) -> None:
    counts.update(["total", result.verdict.value])
    counts["repeat"] += result.repeat
    if format_ is Format.JSON:
        print_json(
            {
                "line": line_of(raw),
                "verdict": result.verdict,
                "repeat": result.repeat,
                "key": result.key,
                "excluded": result.excluded,
                "problems": [problem.model_dump() for problem in result.problems],
                "quarantine_id": result.quarantine_id,
            }
        )
    elif result.verdict is not Verdict.OK and not result.repeat:
        problems = "；".join(problem.message for problem in result.problems)
        print_line(f"第{line_of(raw)}行 {VERDICTS[result.verdict]}：{problems}")


def verify(
    context: typer.Context,
    assessments: Annotated[bool, typer.Option("--assessments", help="重算全部评价结果")] = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Compute stored assessments again and print those that differ."""
    if not assessments:
        fail("请写明 --assessments")

    async def work() -> tuple[int, list[dict[str, object]]]:
        async with gateway(settings_of(context)) as built:
            with progress("重算") as advance:
                return await verify_assessments(built.database, advance)

    count, wrong = run(work)
    for one in wrong:
        print_json(one)
    if format_ is Format.JSON:
        print_json({"name": "assessments", "verified": count, "different": len(wrong)})
    else:
        print_line(f"重算 {count} 个评价结果，{len(wrong)} 个不符")
    if wrong:
        raise typer.Exit(Exit.PROBLEMS)


def db_upgrade(context: typer.Context) -> None:
    """Migrate the database."""

    async def work() -> None:
        async with gateway(settings_of(context)):  # which migrates before it gives anything
            pass

    run(work)
    print_line("数据库已是最新结构")


async def retry_all(built: Gateway, ids: list[int], actor: str) -> set[int]:
    """Make deliveries ready by a person's word, on the record."""
    async with built.database.transaction() as connection:
        retried = await deliveries.retry(connection, ids)
        entries = [
            events.AuditEntry(AuditEvent.DELIVERY_RETRIED, {"delivery": id_}, actor)
            for id_ in sorted(retried)
        ]
        await events.add(connection, entries, built.clock())
    return retried
