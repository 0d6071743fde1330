"""Read the list of results 平台结果 that a platform exports of what was uploaded by hand.

It is no register: of a decision it has the number, what became of it and why, often nothing else.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from gateway.check.dates import parse_date
from gateway.config.settings import FileLimits
from gateway.deliver.hand_answers import RowAnswer, answer
from gateway.intake.files.encoding import encoding_of
from gateway.intake.files.file_type import FileType, file_type
from gateway.intake.files.header import SEARCHED_ROWS
from gateway.intake.files.header_cells import text_of
from gateway.intake.files.text_table import SEPARATORS, TextTable
from gateway.intake.files.unreadable import UnreadableFile
from gateway.intake.files.workbook import Workbook
from schemas.codes import RecordKind
from schemas.column_names import name_key, standard_names
from schemas.columns import ColumnType, columns_of
from schemas.hand_upload import AnswerColumns
from schemas.identifiers import credit_code_problem, fold_once, identity_card_problem
from schemas.kinds import KINDS

_Row = tuple[int, Sequence[Any]]
_WORKBOOKS = frozenset({FileType.WORKBOOK, FileType.OLDER_WORKBOOK})


class _Header(NamedTuple):
    row: int
    names: tuple[str, ...]
    numbers: tuple[int, ...]  #: the columns of the number, or of every key
    kind: str | None


class _Wanted(NamedTuple):
    """What is looked for in a list: names of columns, and the kinds that it is most likely of."""

    how: AnswerColumns
    kinds: Collection[str]


def result_list(
    path: Path, limits: FileLimits, how: AnswerColumns, kinds: Collection[str] = ()
) -> list[RowAnswer]:
    """Return the results in a file; columns that several kinds have are those of `kinds`.

    Raises:
        UnreadableFile: it cannot be read, or has no columns of numbers and results.
    """
    wanted = _Wanted(how, kinds)
    type_ = file_type(path, limits.max_unpacked_bytes)
    found: list[RowAnswer] | None = None
    if type_ in _WORKBOOKS:
        with Workbook(path, limits) as workbook:
            for _, table in workbook.tables():
                if (some := _results(table.rows, wanted)) is not None:
                    found = [*(found or ()), *some]
    elif type_ is FileType.TABLE:
        text = TextTable(path, encoding_of(path), limits.max_line_bytes)
        for text.separator in SEPARATORS:
            if (found := _results(text.rows(), wanted)) is not None:
                break
    else:
        raise UnreadableFile(f"是{type_.value}，不是表格：请平台导出为 xlsx 或 csv")
    if found is None:
        raise UnreadableFile(
            f"前 {SEARCHED_ROWS} 行里找不到文书号和结果（{'、'.join(how.status)}）两列；"
            "列名不同的写在配置 answers.number 和 answers.status 里"
        )
    return found


def _results(rows: Iterable[_Row], wanted: _Wanted) -> list[RowAnswer] | None:
    """Return the results in a table; None if it is no list of results."""
    every = iter(rows)
    first = list(islice(every, SEARCHED_ROWS))
    header = next((found for row in first if (found := _header(row, wanted))), None)
    if header is None:
        return None
    below = [row for row in first if row[0] > header.row]
    return list(_answers(header, [*below, *every], wanted.how))


def _header(row: _Row, wanted: _Wanted) -> _Header | None:
    """Return the columns of results and of what tells items apart; None if they are not there.

    A document number comes before the keys of a kind without one, which other kinds have, too;
    of keys the most.
    """
    names = tuple(map(_text, row[1]))
    results = set(map(name_key, wanted.how.status))
    if not any(name_key(name) in results for name in names if name):
        return None
    found = [
        (_Header(row[0], names, at, kind), _rank(kind, at, wanted))
        for kind, at in (
            *((kind, _places(kind, names)) for kind in KINDS.in_order),
            (None, _plain(names, wanted.how)),
        )
        if at
    ]
    return min(found, key=itemgetter(1))[0] if found else None


def _rank(kind: str | None, places: Sequence[int], wanted: _Wanted) -> tuple[bool, int, int, int]:
    """Return how far from likely it is that a list is of a kind; None: of one with numbers."""
    has_number = kind is None or KINDS[RecordKind(kind)].has_number
    meant = {kind} if kind else {one for one in KINDS if KINDS[one].has_number}
    strange = bool(wanted.kinds) and meant.isdisjoint(wanted.kinds)
    return strange, 0 if has_number else 1, -len(places), places[0]


def _places(kind: RecordKind, names: Sequence[str]) -> tuple[int, ...]:
    """Return the columns of every key of a kind; none if one is not there."""
    keys = [KINDS[kind].column(key) for key in KINDS[kind].keys]
    at = _columns_of(kind, names)
    return tuple(at[key] for key in keys) if at.keys() >= set(keys) else ()


def _columns_of(kind: RecordKind, names: Sequence[str]) -> dict[str, int]:
    """Return the places of the columns of a kind, the first of each."""
    found: dict[str, int] = {}
    for at, name in enumerate(names):
        if name and (wire := standard_names().wire(kind, name)):
            found.setdefault(wire, at)
    return found


def _plain(names: Sequence[str], how: AnswerColumns) -> tuple[int, ...]:
    """Return the column of a number that says no kind."""
    plain = set(map(name_key, how.number))
    return tuple(at for at, name in enumerate(names) if name and name_key(name) in plain)[:1]


def _answers(header: _Header, rows: Iterable[_Row], how: AnswerColumns) -> Iterator[RowAnswer]:
    codes = _codes(header, how)
    for _, cells in rows:
        texts = list(map(_text, cells)) + [""] * len(header.names)
        given = [texts[at] for at in header.numbers]
        if all(given):
            named = zip(header.names, texts, strict=False)
            told = answer(header.kind, _number(header, given), named, how)
            yield replace(told, code=next(filter(None, (_code(texts[at]) for at in codes)), None))


def _number(header: _Header, given: Sequence[str]) -> str:
    """Return the document number, or the keys as a record has them: a day in one way only."""
    if header.kind is None or KINDS[RecordKind(header.kind)].has_number:
        return given[0]
    kind = KINDS[RecordKind(header.kind)]
    types = {column.wire: column.type for column in columns_of(kind.model)}
    days = [types[kind.column(key)] is ColumnType.DATE for key in kind.keys]
    read = [
        str(parse_date(text) or text) if is_day else text
        for text, is_day in zip(given, days, strict=True)
    ]
    return kind.number_of(dict(zip(kind.keys, read, strict=True)))


def _codes(header: _Header, how: AnswerColumns) -> list[int]:
    """Return the columns of what identifies the subject."""
    plain = set(map(name_key, how.code))
    found = {at for at, name in enumerate(header.names) if name and name_key(name) in plain}
    kinds = [RecordKind(header.kind)] if header.kind else KINDS.in_order
    wanted = {
        KINDS[kind].column(field)
        for kind in kinds
        for field in ("credit_code", "identity_number")
        if field in KINDS[kind].model.model_fields
    }
    for kind in kinds:
        found |= {at for wire, at in _columns_of(kind, header.names).items() if wire in wanted}
    return sorted(found)


def _code(text: str) -> str | None:
    """Return the code of a subject; None of what is none, such as one that is masked."""
    code = fold_once(text)
    valid = credit_code_problem(code) is None or identity_card_problem(code) is None
    return code if valid else None


def _text(cell: Any) -> str:
    said = text_of(cell)
    return "" if said is None else str(said).strip()
