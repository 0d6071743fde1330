"""Read a file as raw items, whatever it is; `Reading.report` says what was recognised.

Lines and text tables are read in constant memory, workbooks in a process of their own. Nothing in
a file is ever evaluated.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import orjson

from gateway.check.raw import SHEET_STRIDE, Raw, portion
from gateway.config.settings import FileLimits
from gateway.intake.files import json_file
from gateway.intake.files.encoding import ENCODINGS, encoding_of, mixed_lines
from gateway.intake.files.file_type import FileType, file_type
from gateway.intake.files.report import FileReport, TableReport
from gateway.intake.files.table import FileTable, records
from gateway.intake.files.text_table import SEPARATORS, TextTable
from gateway.intake.files.unreadable import UnreadableFile
from gateway.intake.files.workbook import Sheet, Workbook
from schemas.codes import RecordKind
from schemas.column_names import ColumnNames, standard_names

_HASH_BLOCK = 1 << 20
#: Items of a batch at most.
BATCH = 1000
_GARBLED = "；文字显示成乱码的，用表格软件打开，另存为“CSV UTF-8”"


class Reading:
    """A file that is read once, from its start; iterate over it for its items.

    Raises, while iterating:
        UnreadableFile: the file cannot be read, or its rest cannot: items may have come before.
    """

    def __init__(
        self,
        path: Path,
        limits: FileLimits,
        kind: RecordKind | None = None,
        names: ColumnNames | None = None,
        edition: str = "",
    ) -> None:
        """Take the file; `edition` tells one taking of the same file from another."""
        self._edition = edition
        self._path = path
        self._limits = limits
        self._kind = kind  #: for files that do not show it themselves
        self._names = names or standard_names()
        self.report = FileReport()
        self.origin = ""  #: where its items come from, once it is read

    def __iter__(self) -> Iterator[Raw]:
        """Yield the items."""
        self.report = FileReport()
        origin = self.origin = f"file:{file_hash(self._path)}{self._edition}"
        type_ = file_type(self._path, self._limits.max_unpacked_bytes)
        self.report.type = type_.value
        match type_:
            case FileType.WORKBOOK | FileType.OLDER_WORKBOOK:
                yield from self._workbook(origin)
            case FileType.TABLE:
                yield from self._text_table(origin)
            case _:
                yield from self._json(origin, type_)

    def place(self, raw: Raw) -> str:
        """Return in Chinese where an item is in the file."""
        return self.report.place(raw)

    def _json(self, origin: str, type_: FileType) -> Iterator[Raw]:
        encoding = encoding_of(self._path)
        self.report.encoding = ENCODINGS[encoding]
        longest, within = self._limits.max_line_bytes, ""
        if type_ is FileType.JSON_LINES and json_file.is_lines(self._path, encoding):
            items = json_file.lines(self._path, encoding, longest)
        else:
            self.report.type = FileType.JSON_LIST.value
            within, found = json_file.listed(self._path, encoding, longest)
            if within:
                self.report.type += f"（在 {within} 里）"
            items = iter(enumerate(found, 1))
        number = 0
        for number, body in items:
            yield Raw(origin, number, body, self._kind)
        if not number:
            where = f"“{within}”的列表是空的，" if within else ""
            raise UnreadableFile(f"{where}文件里没有记录：检查查询条件，以及是否导出成功")

    def _text_table(self, origin: str) -> Iterator[Raw]:
        encoding = encoding_of(self._path)
        table = TextTable(self._path, encoding, self._limits.max_line_bytes)
        table.choose_form(self._names, self._kind)
        self.report.encoding = ENCODINGS[encoding]
        self.report.separator = SEPARATORS.get(table.separator, f"“{table.separator}”分隔")
        self.report.quotes_kept = not table.quoted
        report = TableReport()
        self.report.tables.append(report)
        given = FileTable(table.rows(), notes=table.notes(), is_text=True)
        yield from self._rows(origin, given, report)
        if table.is_damaged or report.header is None:
            self.report.mixed = mixed_lines(self._path, encoding)
        self._require_header()

    def _workbook(self, origin: str) -> Iterator[Raw]:
        with Workbook(self._path, self._limits) as workbook:
            self._check_size(workbook.sheets)
            self.report.tables = [
                TableReport(sheet.name, sheet.place, sheet.hidden) for sheet in workbook.sheets
            ]
            for sheet, table in workbook.tables():
                yield from self._rows(origin, table, self.report.tables[sheet.place])
        self._require_header()

    def _check_size(self, sheets: Iterable[Sheet]) -> None:
        total = sum(max(0, sheet.rows - 1) for sheet in sheets)
        if total > self._limits.max_xlsx_rows:
            raise UnreadableFile(
                f"工作簿共{total}条，超过上限{self._limits.max_xlsx_rows}条："
                "请分成几个文件，或另存为 CSV"
            )

    def _rows(self, origin: str, table: FileTable, report: TableReport) -> Iterator[Raw]:
        start = report.index * SHEET_STRIDE
        for number, kind, row in records(table, self._names, self._kind, report):
            yield Raw(origin, start + number, orjson.dumps(row), kind)

    def _require_header(self) -> None:
        """Refuse a file of which no table has a header, or one has records above it."""
        shown = [table for table in self.report.tables if not table.hidden]
        refused = [f"{_of_sheet(table)}{table.refused}" for table in shown if table.refused]
        if refused:
            raise UnreadableFile("；".join(refused))
        if any(table.header for table in shown):
            return
        if all(table.empty for table in shown):
            raise UnreadableFile("文件里没有数据：检查是否导出成功，数据是否在隐藏的表里")
        if self.report.mixture:
            raise UnreadableFile(self.report.mixture)
        encoding = f"（按 {self.report.encoding} 读）" if self.report.encoding else ""
        for table in shown:
            if table.almost is not None:
                raise UnreadableFile(f"{_of_sheet(table)}{table.almost.words}{encoding}{_GARBLED}")
        fix = f"在第一行写明列的中文名或代码（如 CF_WSH）{_GARBLED}"
        raise UnreadableFile(f"前20行里找不到认识的列名{encoding}：{fix}")


def _of_sheet(table: TableReport) -> str:
    return f"“{table.name}”表" if table.name else ""


def file_hash(path: Path) -> str:
    """Return the SHA-256 of the file, which is its origin."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


async def batches(items: Iterable[Raw]) -> AsyncIterator[list[Raw]]:
    """Yield batches that a thread reads, so that heartbeats and deliveries go on."""
    iterator = iter(items)
    while batch := await asyncio.to_thread(lambda: portion(iterator, BATCH)):
        yield batch
