"""`ingest`: process a file, and write its faulty rows to a workbook."""

from collections.abc import Callable
from pathlib import Path

import typer

from gateway.check.checked import Checked
from gateway.cli.options import (
    FileArgument,
    KindOption,
    OutOption,
    RowsOption,
    WholeOption,
    kind_named,
    not_the_same,
)
from gateway.cli.output import (
    STANDARD_INPUT,
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
from gateway.cli.row import mend_words, print_row
from gateway.config.settings import Settings
from gateway.intake.files.problem_workbook import FaultyRow, faulty_row, problems_workbook
from gateway.intake.files.reading import Reading
from gateway.intake.files.taking import Taken, take
from gateway.record.result import Result
from gateway.service.app import gateway
from schemas.codes import RecordKind

#: Told of each item: the file, the place in it, what check says, and the result if it was taken.
Told = Callable[[Reading, str, Checked, Result | None], None]


def ingest(  # noqa: PLR0913, PLR0917  one for each option
    context: typer.Context,
    file: FileArgument,
    out: OutOption = None,
    kind: KindOption = None,
    rows: RowsOption = False,
    whole: WholeOption = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Process a file in the pipeline."""
    not_the_same(out, file)
    settings = settings_of(context)
    named = kind_named(kind)
    faulty: list[FaultyRow] = []

    def told(reading: Reading, place: str, checked: Checked, result: Result | None) -> None:
        if rows:
            print_row(place, checked, format_, result)
        if out is not None and checked.problems:
            faulty.append(faulty_row(reading.report, checked))

    with spooled(file) as path:
        try:
            name = None if file == STANDARD_INPUT else file.name
            taken = run(lambda: _ingest(settings, path, named, told, whole=whole, name=name))
        except OSError as error:
            fail(str(error))
    written = out if taken.tally.verdicts else None
    if written is not None:
        problems_workbook(written, faulty)
    _print(taken, format_, "" if written is None else mend_words(written, faulty))
    if taken.stopped:
        raise typer.Exit(Exit.PROBLEMS if taken.tally.verdicts else Exit.WRONG_USE)
    if taken.tally.faulty:
        raise typer.Exit(Exit.PROBLEMS)


async def _ingest(
    settings: Settings,
    path: Path,
    kind: RecordKind | None,
    told: Told,
    *,
    whole: bool,
    name: str | None,
) -> Taken:
    async with gateway(settings) as built:
        reading = Reading(path, settings.files, kind, built.pipeline.checker.names)
        with progress("接收") as advance:

            def each(place: str, checked: Checked, result: Result | None) -> None:
                told(reading, place, checked, result)
                advance(1)

            return await take(built.pipeline, reading, each, whole=whole, name=name)


def _print(taken: Taken, format_: Format, where: str) -> None:
    if format_ is Format.JSON:
        print_json(taken.as_json())
    elif taken.stopped and not taken.tally.verdicts:
        fail(taken.stopped)
    else:
        for line in taken.words():
            print_line(line)
        if where:
            print_line(where)
