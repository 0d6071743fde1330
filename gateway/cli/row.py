"""Print what became of one row of a file, for `check --rows` and `ingest --rows`."""

from collections.abc import Collection
from pathlib import Path

from gateway.check.checked import Checked
from gateway.cli.output import Format, print_json, print_line
from gateway.intake.files.problem_workbook import FaultyRow
from gateway.record.result import Result
from gateway.titles import EXCLUSIONS, VERDICTS


def mend_words(out: Path, faulty: Collection[FaultyRow]) -> str:
    """Return where the rows to mend are; without any the workbook has nothing but its header.

    It is written all the same: rows of an earlier file would be taken for those of this one.
    """
    return f"有问题的行已写到 {out}" if faulty else f"没有有问题的行，{out} 里只有表头"


def print_row(place: str, checked: Checked, format_: Format, result: Result | None = None) -> None:
    """Print a row with its problems and warnings; the result only where it was processed."""
    if format_ is Format.JSON:
        print_json(_as_json(place, checked, result))
        return
    excluded = f"，不予报送：{EXCLUSIONS[checked.excluded]}" if checked.excluded else ""
    again = "（重复）" if result and result.repeat else ""
    verdict = f"{VERDICTS[checked.verdict]}{again}{excluded}"
    print_line(f"{place} {verdict} {checked.shown_key or ''}".rstrip())
    for problem in (*checked.problems, *checked.warnings):
        print_line(f"    {problem.field or '整行'} {problem.message}。{problem.fix}")


def _as_json(place: str, checked: Checked, result: Result | None) -> dict[str, object]:
    processed = {"repeat": result.repeat, "quarantine_id": result.quarantine_id} if result else {}
    return {
        "place": place,
        "line": checked.raw.line,
        "kind": checked.kind,
        "verdict": checked.verdict,
        "excluded": checked.excluded,
        "key": checked.shown_key,
        "problems": [problem.model_dump() for problem in checked.problems],
        "warnings": [problem.model_dump() for problem in checked.warnings],
        **processed,
    }
