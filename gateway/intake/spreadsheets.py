"""Read CSV and XLSX files as rows by wire column."""

import csv
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from gateway.check.raw import SHEET_STRIDE
from gateway.config.settings import FileLimits
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.kinds import REPORTED_KINDS
from schemas.record import RECORD_KINDS

_SNIFF_BYTES = 1 << 20
_NO_XLSX = "不是有效的 XLSX 文件：用表格软件打开它，另存为 .xlsx；旧的 .xls 和加了密码的也要这样"


class UnreadableFile(ValueError):
    """The file as a whole cannot be read; the message says why, in Chinese."""


SheetRow = tuple[int, RecordKind | None, dict[str, Any]]


def csv_rows(path: Path, limits: FileLimits, kind: RecordKind | None) -> Iterator[SheetRow]:
    """Yield the rows of a CSV file, line by line; raises UnreadableFile."""
    csv.field_size_limit(limits.max_line_bytes)
    encoding = _encoding(path)
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as stream:
        # Strict, so that a quote without its end is an error and not a cell of many rows.
        reader = csv.reader(stream, strict=True)
        start = 1
        try:
            header = _Header(next(reader, []), kind)
            start = reader.line_num + 1
            for cells in reader:
                if reader.line_num > start and any(map(header.is_row, cells)):
                    raise UnreadableFile(_unpaired(start))
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, header.kind, header.row(cells)
                start = reader.line_num + 1
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise UnreadableFile(_unpaired(start)) from error
            raise UnreadableFile(f"第{start}行不是有效的 CSV：{_of_csv(error)}") from error


def _of_csv(error: csv.Error) -> str:
    if "field larger" in str(error):
        return "一格太长；查看引号是否配对"
    return "引号的后面只能是逗号；格里的引号写成两个"


def _unpaired(line: int) -> str:
    return f"第{line}行的引号没有配对，它后面的行都读成了一格：补上引号或删去它，再导入"


def _encoding(path: Path) -> str:
    """Return UTF-8 if the start of the file is valid; else GB18030, which fits nearly any bytes."""
    with path.open("rb") as stream:
        start = stream.read(_SNIFF_BYTES)
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_character = len(start) == _SNIFF_BYTES and error.start > len(start) - 4
        return "utf-8-sig" if cut_character else "gb18030"
    return "utf-8-sig"


def xlsx_rows(path: Path, limits: FileLimits, kind: RecordKind | None) -> Iterator[SheetRow]:
    """Yield the rows of all sheets of an XLSX file; raises UnreadableFile beyond the limits."""
    _check_zip(path, limits)
    try:
        with path.open("rb") as stream:  # not by name, which may be of any bytes
            workbook = CalamineWorkbook.from_filelike(stream)
        sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
    except CalamineError as error:
        raise UnreadableFile(_NO_XLSX) from error
    total = sum(sheet.total_height for sheet in sheets)
    if total > limits.max_xlsx_rows + len(sheets):
        raise UnreadableFile(
            f"XLSX 共{total}行，超过上限{limits.max_xlsx_rows}行：请分成几个文件，或改用 CSV"
        )
    tables = [(index, sheet) for index, sheet in enumerate(sheets) if sheet.total_height > 0]
    if not tables:
        raise UnreadableFile("XLSX 里没有数据")
    for index, sheet in tables:
        rows = iter(sheet.iter_rows())
        header = _Header([str(cell) for cell in next(rows)], kind)
        start = index * SHEET_STRIDE + 1
        for number, cells in enumerate(rows, start + 1):
            if any(cell not in ("", None) for cell in cells):
                yield number, header.kind, header.row([_cell(cell) for cell in cells])


def _check_zip(path: Path, limits: FileLimits) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise UnreadableFile(_NO_XLSX) from error
    if unpacked > limits.max_unpacked_bytes:
        raise UnreadableFile(
            f"XLSX 解压后{unpacked}字节，超过上限{limits.max_unpacked_bytes}字节：请改用 CSV"
        )


def _cell(value: Any) -> str:
    """Return a cell as text: whole numbers without `.0`, days without a time."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).removesuffix(" 00:00:00")


class _Header:
    """A header row: wire codes or Chinese names turned into wire codes, and the kind they show."""

    def __init__(self, cells: Sequence[str], kind: RecordKind | None) -> None:
        names = [cell.strip().lstrip("\ufeff") for cell in cells]
        self.kind = kind or _kind_of(names)
        titles = _titles(self.kind) if self.kind else {}
        self.names = [titles.get(name, name) for name in names]
        if not any(self.names):
            raise UnreadableFile("第一行没有列名：请写明列的中文名或代码（如 CF_WSH）")

    def is_row(self, cell: str) -> bool:
        """Whether a cell contains a whole row of the table, by its separators."""
        lines = cell.splitlines()
        separators = len(self.names) - 1
        return separators > 1 and any(line.count(",") >= separators for line in lines)

    def row(self, cells: Sequence[str]) -> dict[str, Any]:
        """Return the cells that are not empty, by wire code; cells without a column are dropped."""
        named = zip(self.names, cells, strict=False)
        return {name: cell for name, cell in named if name and cell != ""}


def _titles(kind: RecordKind) -> dict[str, str]:
    return {column.title: column.wire for column in columns_of(RECORD_KINDS[kind])}


def _kind_of(names: Sequence[str]) -> RecordKind | None:
    """Return the kind with the most columns in the header; None if it has none."""
    known = {
        kind: sum(name in _titles(kind) or name in _titles(kind).values() for name in names)
        for kind in REPORTED_KINDS
    }
    best = max(known, key=lambda kind: known[kind])
    return best if known[best] else None
