"""Read the list of results 平台结果 that a platform exports of what was uploaded by hand.

It is no register: of a decision it has the number, what became of it and why, often nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from gateway.config.settings import FileLimits
from gateway.deliver.hand_answers import RowAnswer, answer
from gateway.intake.files.encoding import encoding_of
from gateway.intake.files.file_type import FileType, file_type
from gateway.intake.files.header import SEARCHED_ROWS
from gateway.intake.files.header_cells import text_of
from gateway.intake.files.text_table import SEPARATORS, TextTable
from gateway.intake.files.unreadable import UnreadableFile
from gateway.intake.files.workbook import Workbook
from schemas.column_names import name_key, standard_names
from schemas.hand_upload import AnswerColumns
from schemas.kinds import KINDS

_Row = tuple[int, Sequence[Any]]
_WORKBOOKS = frozenset({FileType.WORKBOOK, FileType.OLDER_WORKBOOK})


class _Header(NamedTuple):
    row: int
    names: tuple[str, ...]
    number: int  #: the column
    kind: str | None


def result_list(path: Path, limits: FileLimits, how: AnswerColumns) -> list[RowAnswer]:
    """Return the results in a file.

    Raises:
        UnreadableFile: it cannot be read, or has no columns of numbers and results.
    """
    type_ = file_type(path, limits.max_unpacked_bytes)
    found: list[RowAnswer] | None = None
    if type_ in _WORKBOOKS:
        with Workbook(path, limits) as workbook:
            for _, table in workbook.tables():
                if (some := _results(table.rows, how)) is not None:
                    found = [*(found or ()), *some]
    elif type_ is FileType.TABLE:
        text = TextTable(path, encoding_of(path), limits.max_line_bytes)
        for text.separator in SEPARATORS:
            if (found := _results(text.rows(), how)) is not None:
                break
    else:
        raise UnreadableFile(f"是{type_.value}，不是表格：请平台导出为 xlsx 或 csv")
    if found is None:
        raise UnreadableFile(
            f"前 {SEARCHED_ROWS} 行里找不到文书号和结果（{'、'.join(how.status)}）两列；"
            "列名不同的写在配置 answers.number 和 answers.status 里"
        )
    return found


def _results(rows: Iterable[_Row], how: AnswerColumns) -> list[RowAnswer] | None:
    """Return the results in a table; None if it is no list of results."""
    every = iter(rows)
    first = list(islice(every, SEARCHED_ROWS))
    header = next((found for row in first if (found := _header(row, how))), None)
    if header is None:
        return None
    below = [row for row in first if row[0] > header.row]
    return list(_answers(header, [*below, *every], how))


def _header(row: _Row, how: AnswerColumns) -> _Header | None:
    names = tuple(map(_text, row[1]))
    results = set(map(name_key, how.status))
    if not any(name_key(name) in results for name in names if name):
        return None
    plain = set(map(name_key, how.number))
    for at, name in enumerate(names):
        for kind in KINDS.in_order:
            if name and standard_names().wire(kind, name) == KINDS[kind].number_column:
                return _Header(row[0], names, at, kind)
        if name and name_key(name) in plain:
            return _Header(row[0], names, at, None)
    return None


def _answers(header: _Header, rows: Iterable[_Row], how: AnswerColumns) -> Iterator[RowAnswer]:
    for _, cells in rows:
        texts = list(map(_text, cells))
        if header.number < len(texts) and texts[header.number]:
            columns = dict(zip(header.names, texts, strict=False))
            yield answer(header.kind, texts[header.number], columns, how)


def _text(cell: Any) -> str:
    said = text_of(cell)
    return "" if said is None else str(said).strip()
