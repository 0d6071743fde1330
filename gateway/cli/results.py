"""`results`: what became of the items of a file, or of another origin."""

from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from connectors.shared.xlsx import WrittenSheet, workbook
from gateway.cli.options import OutOption, RowsOption
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.intake.files.reading import file_hash
from gateway.intake.results import ItemResult, ResultCounts, results, results_of_number
from gateway.service.app import reading
from gateway.store.base.engine import Database
from gateway.titles import STATES, VERDICTS

_TITLES = ("位置", "结果", "文书号", "版本", "去向", "问题")
_WIDTHS = (16, 10, 26, 8, 40, 60)


def results_command(  # noqa: PLR0913, PLR0917  one for each option
    context: typer.Context,
    origin: Annotated[
        str | None, typer.Argument(help="接收过的文件、它的 SHA-256，或来源名")
    ] = None,
    number: Annotated[str | None, typer.Option(help="文书号：它的全部来件")] = None,
    position: Annotated[int | None, typer.Option(min=0, help="只看这一行或这个偏移")] = None,
    rows: RowsOption = False,
    out: OutOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print what became of what came from an origin, or for a decision."""
    name, found = _wanted(origin, number, position)
    settings, counts = settings_of(context), ResultCounts()

    async def work(sheet: WrittenSheet | None) -> None:
        async with reading(settings) as built:
            async for one in found(built.database):
                counts.add(one)
                one_by_one = rows or number is not None or position is not None
                _tell(one, one_by_one, format_, named=number is not None)
                if sheet is not None:
                    _write(sheet, one)

    if out is None:
        run(lambda: work(None))
    else:
        with workbook(out) as book:
            sheet = book.sheet("来件去向", _WIDTHS)
            sheet.head(_TITLES)
            run(lambda: work(sheet))
    if not counts.verdicts:
        fail(_nothing(name, position), Exit.PROBLEMS)
    if format_ is Format.TEXT:
        _summary(counts)


def _wanted(
    origin: str | None, number: str | None, position: int | None
) -> tuple[str, Callable[[Database], AsyncIterator[ItemResult]]]:
    """Return what is asked for in words, and what reads it; exits with wrong use if it is none."""
    if (origin is None) == (number is None):
        fail("写来源（文件、SHA-256 或来源名），或者 --number 文书号，只写一种")
    if number is not None:
        return f"文书号 {number}", lambda database: results_of_number(database, number)
    name = _origin(origin or "")
    return name, lambda database: results(database, name, position)


def _origin(given: str) -> str:
    """Return the name of the origin that a file, a hash or a name stands for."""
    if Path(given).is_file():
        return f"file:{file_hash(Path(given))}"
    is_hash = len(given) == 64 and all(letter in "0123456789abcdef" for letter in given.lower())
    return f"file:{given.lower()}" if is_hash else given


def _nothing(name: str, position: int | None) -> str:
    """Say what was not found: a name without a colon is no source, so it was meant as a path."""
    if ":" not in name and not name.startswith("文书号 "):
        return f"没有文件 {name}，也没有叫这个名字的来源；来源名见 sources"
    place = "" if position is None else f"、位置 {position}"
    return f"没有收到过来自 {name}{place} 的来件"


def _tell(one: ItemResult, rows: bool, format_: Format, *, named: bool) -> None:
    if format_ is Format.JSON:
        print_json(asdict(one))
    elif rows:
        origin = f"{named_origin(one.origin, one.file_name)} " if named else ""
        problems = f"：{'；'.join(one.problems)}" if one.problems else ""
        print_line(f"{origin}{one.place} {one.document_number} {one.words}{problems}")


def named_origin(origin: str, file_name: str | None) -> str:
    """Return where something came from; of a file with its name."""
    return f"{file_name}（{origin}）" if file_name else origin


def _summary(counts: ResultCounts) -> None:
    verdicts = "，".join(f"{VERDICTS[v]} {times}" for v, times in sorted(counts.verdicts.items()))
    files = f"{'、'.join(sorted(counts.file_names))}：" if counts.file_names else ""
    print_line(f"{files}共 {counts.verdicts.total()} 条：{verdicts}")
    for name in dict.fromkeys(name for name, _ in counts.deliveries):
        states = "，".join(
            f"{STATES[state]} {times}"
            for (destination, state), times in sorted(counts.deliveries.items())
            if destination == name
        )
        print_line(f"  {name}：{states}")


def _write(sheet: WrittenSheet, one: ItemResult) -> None:
    sheet.write(
        [
            (one.place, "text"),
            (VERDICTS[one.verdict], "centred"),
            (one.document_number, "text"),
            (one.version or "", "centred"),
            (one.words, "text"),
            ("；".join(one.problems), "text"),
        ]
    )
