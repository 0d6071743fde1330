"""`results`: what became of the items of a file, or of another origin."""

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
from gateway.intake.results import ItemResult, ResultCounts, results
from gateway.service.app import reading
from gateway.titles import STATES, VERDICTS

_TITLES = ("位置", "结果", "文书号", "版本", "去向", "问题")
_WIDTHS = (16, 10, 26, 8, 40, 60)


def results_command(
    context: typer.Context,
    origin: Annotated[str, typer.Argument(help="接收过的文件、它的 SHA-256，或来源名")],
    rows: RowsOption = False,
    out: OutOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print what became of what came from an origin."""
    name, settings, counts = _origin(origin), settings_of(context), ResultCounts()

    async def work(sheet: WrittenSheet | None) -> None:
        async with reading(settings) as built:
            async for one in results(built.database, name):
                counts.add(one)
                _tell(one, rows, format_)
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
        fail(f"没有收到过来自 {name} 的来件", Exit.PROBLEMS)
    if format_ is Format.TEXT:
        _summary(counts)


def _origin(given: str) -> str:
    """Return the name of the origin that a file, a hash or a name stands for."""
    if Path(given).is_file():
        return f"file:{file_hash(Path(given))}"
    is_hash = len(given) == 64 and all(letter in "0123456789abcdef" for letter in given.lower())
    return f"file:{given.lower()}" if is_hash else given


def _tell(one: ItemResult, rows: bool, format_: Format) -> None:
    if format_ is Format.JSON:
        print_json(asdict(one))
    elif rows:
        problems = f"：{'；'.join(one.problems)}" if one.problems else ""
        print_line(f"{one.place} {one.document_number} {one.words}{problems}")


def _summary(counts: ResultCounts) -> None:
    verdicts = "，".join(f"{VERDICTS[v]} {times}" for v, times in sorted(counts.verdicts.items()))
    print_line(f"共 {counts.verdicts.total()} 条：{verdicts}")
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
