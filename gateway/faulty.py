"""Faulty rows as they were given, for the workbook in which a clerk mends them."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.check import Checked
from gateway.intake.files import line_of
from gateway.normalise import Candidate, normalise
from gateway.workbook_problems import FaultyRow

STANDARD_INPUT = Path("-")


def faulty_row(checked: Checked) -> FaultyRow:
    """The row of a checked item under its wire columns; its raw text where it does not parse."""
    candidate = normalise(checked.raw)
    if isinstance(candidate, Candidate):
        row = {name: _text(value) for name, value in candidate.row.items()}
    else:
        row = {"原文": (checked.raw.body or b"").decode("utf-8", "replace")}
    return FaultyRow(line_of(checked.raw), checked.kind, row, checked.problems)


def _text(value: object) -> str:
    if isinstance(value, list):
        return "、".join(map(str, value))
    return "" if value is None else str(value)


@contextmanager
def spooled(file: Path) -> Iterator[Path]:
    """The file, or standard input laid down in a temporary one (a file is read twice)."""
    if file != STANDARD_INPUT:
        yield file
        return
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool)
        spool.flush()
        yield Path(spool.name)
