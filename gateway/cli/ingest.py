"""`ingest`: process a file, and write its faulty rows to a workbook."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from gateway.check.checked import Checked
from gateway.cli.options import (
    FileArgument,
    KindOption,
    OutOption,
    RowsOption,
    WholeOption,
    actor,
    edition_name,
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
from gateway.intake.editions import (
    AskedEdition,
    EditionRefused,
    TakenEdition,
    edition_of,
    edition_words,
    take_edition,
)
from gateway.intake.files.problem_workbook import FaultyRow, faulty_row, problems_workbook
from gateway.intake.files.reading import Reading
from gateway.intake.files.taking import take
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
    edition: Annotated[
        str | None,
        typer.Option(
            callback=edition_name, help="期次：文件是整份名单，如 2026年第3季度；名单里没有的，撤回"
        ),
    ] = None,
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
            asked = _Asked(named, whole, edition, name)
            done = run(lambda: _ingest(settings, path, asked, told))
        except (EditionRefused, OSError) as error:
            fail(str(error))
    taken = done.taken
    written = out if taken.tally.verdicts else None
    if written is not None:
        problems_workbook(written, faulty)
    _print(done, format_, "" if written is None else mend_words(written, faulty))
    if taken.stopped:
        raise typer.Exit(Exit.PROBLEMS if taken.tally.verdicts else Exit.WRONG_USE)
    if taken.tally.faulty or done.stopped:
        raise typer.Exit(Exit.PROBLEMS)


class _Asked(NamedTuple):
    """How a file is to be taken."""

    kind: RecordKind | None
    whole: bool
    edition: str | None
    name: str | None


async def _ingest(settings: Settings, path: Path, asked: _Asked, told: Told) -> TakenEdition:
    async with gateway(settings) as built:
        pipeline = built.pipeline
        names, edition = pipeline.checker.names, None
        if asked.edition is not None:
            edition = AskedEdition(asked.edition, actor(), asked.name)
        taking = "" if edition is None else edition_of(edition)
        reading = Reading(path, settings.files, asked.kind, names, edition=taking)
        with progress("接收") as advance:

            def each(place: str, checked: Checked, result: Result | None) -> None:
                told(reading, place, checked, result)
                advance(1)

            if edition is None:
                taken = await take(pipeline, reading, each, whole=asked.whole, name=asked.name)
                return TakenEdition(taken, None)
            return await take_edition(pipeline, built.keys, reading, each, edition)


def _print(done: TakenEdition, format_: Format, where: str) -> None:
    taken, edition = done.taken, done.edition
    if format_ is Format.JSON:
        listed = None if edition is None else asdict(edition)
        print_json(taken.as_json() | ({"edition": listed} if listed else {}))
    elif taken.stopped and not taken.tally.verdicts:
        fail(taken.stopped)
    else:
        for line in taken.words():
            print_line(line)
        if edition is not None:
            print_line(edition_words(edition))
        if where:
            print_line(where)
    if done.stopped:
        sys.stderr.write(f"错误：{done.stopped}\n")
