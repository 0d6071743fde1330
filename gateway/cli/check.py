"""`check`: print what is in a file and what is wrong with it; nothing is taken in or sent."""

from collections.abc import Callable

import typer

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.cli.options import (
    FileArgument,
    KindOption,
    OutOption,
    RowsOption,
    kind_named,
    not_the_same,
)
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    progress,
    settings_of,
    spooled,
)
from gateway.cli.row import mend_words, print_row
from gateway.config.clock import system_clock
from gateway.config.keys import Keys, load_master
from gateway.intake.files.problem_workbook import FaultyRow, faulty_row, problems_workbook
from gateway.intake.files.reading import Reading
from gateway.intake.files.tally import FileTally
from gateway.intake.files.twice import Twice
from gateway.intake.files.unreadable import UnreadableFile
from gateway.rules.rulebook import Rulebook
from schemas.base import today


def check(
    context: typer.Context,
    file: FileArgument,
    out: OutOption = None,
    kind: KindOption = None,
    rows: RowsOption = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print what is in a file and what is wrong with it."""
    not_the_same(out, file)
    settings = settings_of(context)
    named = kind_named(kind)
    keys = Keys(load_master(settings.master_key, settings.state))
    rulebook = Rulebook(settings.scoring)
    checker = Checker(keys, settings.exclusion_scope, settings.input, rulebook)
    tally = FileTally(checker.placeholders)
    faulty: list[FaultyRow] = []

    def each(place: str, checked: Checked) -> None:
        tally.add(place, checked)
        if rows:
            print_row(place, checked, format_)
        if checked.problems and out is not None:
            faulty.append(faulty_row(reading.report, checked))

    with spooled(file) as path:
        reading = Reading(path, settings.files, named, checker.names)
        stopped = _check(reading, checker, each)
    where = ""
    if out is not None and (tally.verdicts or not stopped):
        problems_workbook(out, faulty)
        where = f"；{mend_words(out, faulty)}"
    _print(reading, tally, stopped, format_, where)
    if stopped:
        fail(stopped)
    if tally.faulty:
        raise typer.Exit(Exit.PROBLEMS)


def _print(reading: Reading, tally: FileTally, stopped: str, format_: Format, where: str) -> None:
    if format_ is Format.JSON:
        about = {"file": reading.report.as_json(), **tally.as_json(), "stopped": stopped or None}
        print_json(about)
    elif tally.verdicts or not stopped:
        for line in [*reading.report.words, tally.total_line() + where, *tally.words()]:
            print_line(line)


def _check(reading: Reading, checker: Checker, each: Callable[[str, Checked], None]) -> str:
    """Check the items; return in Chinese why the rest of the file cannot be read, or nothing."""
    day, twice = today(system_clock()), Twice()
    with progress("校验") as advance:
        try:
            for raw in reading:
                checked = twice.judged(checker.check(raw, day), reading.report)
                each(reading.place(raw), checked)
                advance(1)
        except (UnreadableFile, OSError) as error:
            return str(error)
    return ""
