"""What was recognised in a file: its type, tables and headers, and the rows that are no records."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from gateway.check.amount_units import WAN
from gateway.check.raw import SHEET_STRIDE, Raw
from gateway.intake.files import above
from gateway.intake.files.almost import Almost, almost_header
from gateway.intake.files.header import Header, is_blank
from gateway.intake.files.units import told
from gateway.intake.files.unseen import Unseen
from schemas.codes import RecordKind
from schemas.column_names import ColumnNames, unit_in_name
from schemas.columns import columns_of
from schemas.identifiers import masked
from schemas.kinds import KINDS
from schemas.legacy import own_beside

#: Skipped rows that are named; the others are only counted.
_NAMED = 5
#: Columns without a meaning that are named in one screen.
_COLUMNS_NAMED = 10
#: The head of the sheet 填写说明 of our own templates.
RULES_HEAD = ["代码", "名称", "必填", "最多字数", "怎样填写"]
#: A page of notes has one or two filled cells in a row.
_CELLS_OF_DATA = 3
#: Rows that begin with the name of a column, in a form that goes downwards, at least.
_LEAST_VERTICAL = 3


@dataclass(slots=True)
class TableReport:
    """One table: a sheet of a workbook, or the whole of a text file."""

    name: str = ""  #: of the sheet; empty for a text file
    index: int = 0
    hidden: bool = False
    empty: bool = False
    rules: bool = False  #: the sheet of our templates that says how they are filled
    header: Header | None = None
    records: int = 0
    refused: str = ""  #: why a table that has a header is not read
    above: list[int] = field(default_factory=list)  #: rows above the header that may be records
    almost: Almost | None = None  #: of a table without a header: the row that is like one
    width: int = 0  #: of a table that is not read: the most filled cells of a row
    skipped: dict[str, list[int]] = field(default_factory=dict)
    #: Names that are no column, with the title of the most similar one.
    unknown: dict[str, str | None] = field(default_factory=dict)
    deciding: list[str] = field(default_factory=list)  #: names of columns of exclusion 不予报送
    unnamed: set[str] = field(default_factory=set)  #: letters of columns without a name
    longer: list[int] = field(default_factory=list)  #: rows of a text with more cells, all empty
    #: Rows in which a merged cell of a column is not read, since it counts for its first row only.
    merged: dict[str, list[int]] = field(default_factory=dict)
    vertical: int = 0  #: skipped rows that begin with the name of a column
    #: Columns of amounts whose unit stands beside the table, with it.
    units: dict[str, str] = field(default_factory=dict)
    unseen: Unseen | None = None  #: hidden rows and columns, once a header is found

    def read_by(self, header: Header, names: ColumnNames) -> None:
        """Note the header of the table, and what its unknown names may mean."""
        self.header = header
        kind = header.kind
        if kind is None:
            return
        self.deciding = [n for n in header.unknown if kind in KINDS.reported and names.decides(n)]
        unknown = (name for name in header.unknown if name not in self.deciding)
        self.unknown = {masked(name): names.nearest(kind, name) for name in unknown}

    def unread(
        self,
        first: Sequence[tuple[int, Sequence[Any]]],
        names: ColumnNames,
        kind: RecordKind | None,
    ) -> None:
        """Note a table without a header, by its first rows."""
        self.empty = not first
        head = [str(cell) for cell in first[0][1]] if first else []
        self.rules = head[: len(RULES_HEAD)] == RULES_HEAD
        self.almost = almost_header(first, names, kind)
        self.width = max((sum(not is_blank(c) for c in cells) for _, cells in first), default=0)

    def refuse(self, header: Header, rows: Sequence[int]) -> None:
        """Note a table that is not read, since these rows above its header look like records."""
        self.refused = above.told(header, rows)

    def add(self, row: int, unread: Iterable[str] = ()) -> None:
        """Count a record, and note the columns whose merged cells are not filled into its row."""
        self.records += 1
        if self.unseen is not None:
            self.unseen.read(row)
        for name in unread:
            self.merged.setdefault(name, []).append(row)

    def skip(self, row: int, reason: str) -> None:
        """Note a row that is no record."""
        self.skipped.setdefault(reason, []).append(row)

    @property
    def looks_like_data(self) -> bool:
        """Whether a visible table that is not read has rows of several cells."""
        unread = self.header is None and not self.hidden and not self.rules
        return unread and self.width >= _CELLS_OF_DATA

    @property
    def words(self) -> list[str]:
        """What was recognised here, in Chinese, line by line."""
        return [
            self._first_line(),
            *self._above(),
            *self._skipped(),
            *self._vertical(),
            *self._unknown(),
            *(self.unseen.words() if self.unseen is not None else ()),
            *self._notes(),
        ]

    def _first_line(self) -> str:
        place = f"“{self.name}”表：" if self.name else ""
        if self.hidden:
            return f"{place}隐藏，不读"
        if self.empty:
            return f"{place}空的，不读"
        if self.rules:
            return f"{place}模板的填写说明，不读"
        if self.refused:
            return f"{place}{self.refused}"
        if self.header is None:
            return f"{place}前20行里没有认识的列名，不读"
        kind = f"{KINDS[self.header.kind].title}，" if self.header.kind else ""
        return f"{place}{kind}表头在第{self.header.row}行，{self.records} 条"

    def _above(self) -> list[str]:
        if not self.above:
            return []
        named = "、".join(map(str, self.above[:_NAMED]))
        more = f"等 {len(self.above)} 行" if len(self.above) > _NAMED else "行"
        return [f"    第{named}{more}在表头上面，没有读"]

    def _skipped(self) -> list[str]:
        lines = []
        for reason, rows in self.skipped.items():
            named = "、".join(map(str, rows[:_NAMED]))
            more = f"等 {len(rows)} 行" if len(rows) > _NAMED else "行"
            lines.append(f"    第{named}{more}不是记录：{reason}")
        return lines

    def _vertical(self) -> list[str]:
        if self.records or self.vertical < _LEAST_VERTICAL:
            return []
        return [
            "    像是竖着填的表：第一列是项目，第二列是内容。"
            "改成第一行写列名，下面一个决定写一行，再导入"
        ]

    def _unknown(self) -> list[str]:
        if self.header is None:
            return []
        lines = [
            f"    不认识的列“{name}”"
            + (f"，最接近的是“{_with_unit(nearest, name)}”" if nearest else "")
            for name, nearest in islice(self.unknown.items(), _COLUMNS_NAMED)
        ]
        if len(self.unknown) > _COLUMNS_NAMED:
            lines.append(f"    另有 {len(self.unknown) - _COLUMNS_NAMED} 列不认识")
        for address, name in self.header.struck.items():
            lines.append(f"    {address} 的列名“{masked(name)}”划掉了，这一列没有读")
        if self.unnamed:
            letters = sorted(self.unnamed, key=lambda one: (len(one), one))
            more = f"等 {len(letters)} " if len(letters) > _COLUMNS_NAMED else ""
            named = "、".join(letters[:_COLUMNS_NAMED])
            lines.append(f"    {named}{more}列有内容，但没有列名，没有读")
        return lines

    def _notes(self) -> list[str]:
        lines = [f"    “{name}”列决定一条记录是否不予报送" for name in self.deciding]
        if self.longer:
            named = "、".join(map(str, self.longer[:_NAMED]))
            more = f"等 {len(self.longer)} 行" if len(self.longer) > _NAMED else "行"
            lines.append(
                f"    第{named}{more}比表头多出空格：核对前面有没有多余的分隔符，内容可能错了位"
            )
        told_beside = (*self._not_filled(), *self._own_beside(), *told(self.units, self.header))
        return [*lines, *(f"    {line}" for line in told_beside)]

    def _not_filled(self) -> Iterator[str]:
        for name, rows in self.merged.items():
            named = "、".join(map(str, rows[:_NAMED]))
            more = f"等 {len(rows)} 行" if len(rows) > _NAMED else "行"
            yield f"“{name}”列的合并单元格只算第一行，第{named}{more}没有读：取消合并，逐行填写"

    def _own_beside(self) -> Iterator[str]:
        header = self.header
        if header is None or header.kind is None:
            return
        titles = {one.wire: one.title for one in columns_of(KINDS[header.kind].model)}
        for own, old, wire in own_beside(header.kind, header.names):
            beside, place = old or titles[wire], f"作为“{titles[wire]}”" if old else ""
            yield (
                f"“{own}”列与“{beside}”列都有：两列都填而不一致的，{place}报“{beside}”，"
                f"“{own}”当作自己的列，不报送"
            )

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        header = self.header
        return {
            "name": self.name,
            "hidden": self.hidden,
            "read": header is not None,
            "refused": self.refused or None,
            "kind": header.kind if header else None,
            "header_row": header.row if header else None,
            "records": self.records,
            "above_header": self.above,
            "skipped": {reason: rows[:1000] for reason, rows in self.skipped.items()},
            "unknown_columns": self.unknown,
            "exclusion_columns": self.deciding,
            "struck_columns": dict(header.struck) if header else {},
            "unnamed_columns": sorted(self.unnamed),
            "longer_rows": self.longer[:1000],
            "units": self.units,
            "hidden_rows": self.unseen.rows[:1000] if self.unseen is not None else [],
            "hidden_columns": list(self.unseen.columns) if self.unseen is not None else [],
            "merged": {name: rows[:1000] for name, rows in self.merged.items()},
        }


def _with_unit(title: str, name: str) -> str:
    """Return the title of an amount in the unit that a name says; in both, if it says none."""
    in_yuan = title.replace(WAN, "元")
    unit = unit_in_name(name)
    if title == in_yuan or unit == WAN:
        return title
    return in_yuan.replace("元", unit) if unit else f"{title}”或“{in_yuan}"


@dataclass(slots=True)
class FileReport:
    """A file: what it is, and its tables."""

    type: str = ""
    encoding: str = ""
    separator: str = ""
    mixed: tuple[int, int] = (0, 0)  #: the first line in another encoding, and how many there are
    quotes_kept: bool = False  #: the quotes of a text table are not those of CSV
    tables: list[TableReport] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """What was recognised, in Chinese, line by line."""
        quotes = "引号不是 CSV 的写法，照原样读" if self.quotes_kept else ""
        form = "，".join(filter(None, [self.type, self.encoding, self.separator, quotes]))
        return [
            form,
            *([f"  {self.mixture}"] if self.mixture else []),
            *(f"  {line}" for table in self.tables for line in table.words),
        ]

    @property
    def mixture(self) -> str:
        """What is said of lines in another encoding; empty if there are none."""
        first, count = self.mixed
        if not count:
            return ""
        other = "GB18030" if self.encoding == "UTF-8" else "UTF-8"
        return (
            f"从文本的第{first}行起有 {count} 行是另一种编码（{other}）：几个文件拼成了一个，"
            "分开导入，或都另存为“CSV UTF-8”再拼"
        )

    def sheet(self, raw: Raw) -> str:
        """Return the name of the sheet that an item is from; empty outside of workbooks."""
        index = raw.position // SHEET_STRIDE
        return self.tables[index].name if index < len(self.tables) else ""

    def place(self, raw: Raw) -> str:
        """Return where an item is from: 第3行, or “行政处罚”表第3行 in a workbook."""
        sheet = self.sheet(raw)
        return f"“{sheet}”表第{raw.line}行" if sheet else f"第{raw.line}行"

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {
            "type": self.type,
            "encoding": self.encoding or None,
            "lines_in_another_encoding": self.mixed[1],
            "separator": self.separator or None,
            "quotes_kept": self.quotes_kept,
            "tables": [table.as_json() for table in self.tables],
        }
