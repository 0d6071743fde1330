"""`ingest`: process a file, and write its faulty rows to a workbook."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import typer

from gateway.check.raw import Raw, line_of
from gateway.cli.options import FileArgument, KindOption, OutOption, not_the_same
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    progress,
    run,
    settings_of,
    spooled,
)
from gateway.config.settings import Settings
from gateway.intake.files import batches, read
from gateway.intake.problem_workbook import FaultyRow, faulty_row, problems_workbook
from gateway.intake.spreadsheets import UnreadableFile
from gateway.record.result import Result
from gateway.service.app import gateway
from gateway.titles import VERDICTS
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
    """Process a file in the pipeline."""
    not_the_same(out, file)
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
    elif result.verdict is not Verdict.OK:
        problems = "；".join(problem.message for problem in result.problems)
        again = "（重复）" if result.repeat else ""
        print_line(f"第{line_of(raw)}行 {VERDICTS[result.verdict]}{again}：{problems}")
