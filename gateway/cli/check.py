"""`check`: print the problems of each record of a file; nothing is taken in or sent."""

from collections import Counter
from pathlib import Path

import typer

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.check.raw import line_of
from gateway.cli.options import FileArgument, KindOption, OutOption, not_the_same
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
from gateway.config.clock import system_clock
from gateway.config.keys import Keys, load_master
from gateway.intake.files import read
from gateway.intake.problem_workbook import FaultyRow, faulty_row, problems_workbook
from gateway.intake.spreadsheets import UnreadableFile
from gateway.titles import EXCLUSIONS, VERDICTS
from schemas.base import today
from schemas.verdict import Verdict


def check(
    context: typer.Context,
    file: FileArgument,
    out: OutOption = None,
    kind: KindOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the problems of each record of a file."""
    not_the_same(out, file)
    settings = settings_of(context)
    keys = Keys(load_master(settings.master_key, settings.state))
    checker = Checker(keys, settings.exclusion_scope)
    day = today(system_clock())
    verdicts: Counter[Verdict] = Counter()
    faulty: list[FaultyRow] = []
    with spooled(file) as path, progress("校验") as advance:
        try:
            for raw in read(path, settings.files, kind):
                checked = checker.check(raw, day)
                verdicts[checked.verdict] += 1
                _print_checked(checked, format_)
                if checked.problems and out is not None:
                    faulty.append(faulty_row(checked))
                advance(1)
        except (UnreadableFile, OSError) as error:
            fail(str(error))
    if out is not None:
        problems_workbook(out, faulty)
    if format_ is Format.TEXT:
        print_line(_summary(verdicts, out))
    if verdicts.keys() - {Verdict.OK}:
        raise typer.Exit(Exit.PROBLEMS)


def _print_checked(checked: Checked, format_: Format) -> None:
    line = line_of(checked.raw)
    if format_ is Format.JSON:
        print_json(
            {
                "line": line,
                "kind": checked.kind,
                "verdict": checked.verdict,
                "excluded": checked.excluded,
                "key": checked.shown_key,
                "problems": [problem.model_dump() for problem in checked.problems],
            }
        )
        return
    excluded = f"，不予报送：{EXCLUSIONS[checked.excluded]}" if checked.excluded else ""
    print_line(
        f"第{line}行 {VERDICTS[checked.verdict]}{excluded} {checked.shown_key or ''}".rstrip()
    )
    for problem in checked.problems:
        print_line(f"    {problem.field or '整行'} {problem.message}。{problem.fix}")


def _summary(verdicts: Counter[Verdict], out: Path | None) -> str:
    counts = "，".join(f"{VERDICTS[verdict]} {verdicts[verdict]}" for verdict in Verdict)
    where = f"；有问题的行已写到 {out}" if out is not None else ""
    return f"共 {verdicts.total()} 条：{counts}{where}"
