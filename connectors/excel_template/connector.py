"""The connector `excel-template`: fills the platform's own template, which a person uploads.

Nobody is called: `send` refuses, and what is owed is handed out as a file (`fill`) that a person
carries to the platform's page. What the file cannot express is done there by hand.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import NamedTuple

from connectors.errors import NotSent, refused_for_us
from connectors.excel_template.fill import Row, Unfillable, fill
from connectors.excel_template.settings import (
    ExcelTemplateSettings,
    FilledSheet,
    opened,
    places,
)
from connectors.excel_template.template import LAST_ROW, TemplateSheet
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock, standard
from connectors.shared.amounts import in_unit
from connectors.shared.layout import kind_of, table_of, text_of
from connectors.shared.one_way import OneWay
from connectors.shared.sent_kinds import title_of, title_of_table
from connectors.shared.xlsx import workbook
from schemas.codes import FOLLOW_UPS, RecordKind
from schemas.delivery import Health, Item, Outcome
from schemas.hand_upload import ON_THE_PAGE, FilledFile
from schemas.kinds import KINDS

_MOST_NAMED = 10


class _Written(NamedTuple):
    """The rows of one kind: their sheet, the first of them, and the standard columns they have."""

    sheet: str
    first_row: int
    columns: frozenset[str]

    def place(self, number: int) -> str:
        return f"{self.sheet}!{self.first_row + number}"


class ExcelTemplate(OneWay):
    """The page of one platform, to which a person carries files."""

    def __init__(self, settings: ExcelTemplateSettings, now: Clock) -> None:  # noqa: ARG002 - as all
        self.limits = Limits(
            batch_size=settings.max_rows, concurrency=1, on_unknown=OnUnknown.PERSON
        )
        self.answers = settings.answers
        self._settings = settings

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Send nothing: only a person hands over here."""
        if not items:
            return []
        raise NotSent("这个平台只能由人上报：用 upload make 下载文件，上报后用 upload done 登记")

    async def fill(self, items: Sequence[Item], at: datetime) -> FilledFile:
        """Return the file for a person; the same items and time give the same bytes.

        Of two items with one document number the second has to wait for a later file: platforms
        refuse a whole file in which a number stands twice. Items of kinds without numbers have
        their keys in common, such as their year, and are told apart by their subjects.

        Raises:
            CallRejected: the template cannot be filled, or has no sheet for an item.
        """
        try:
            return await asyncio.to_thread(self._filled, items, at)
        except Unfillable:
            raise refused_for_us(
                "template：模板的写法不能填；用表格软件打开，另存为 xlsx 再用"
            ) from None
        except ValueError as error:
            raise refused_for_us(str(error)) from None

    async def health(self) -> Health:
        """Check the template, and say which of its columns stay empty."""
        try:
            told = await asyncio.to_thread(self._told)
        except ValueError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, detail=f"由人上报；{told}")

    async def close(self) -> None:
        """Nothing stays open between calls."""

    def _told(self) -> str:
        if self._settings.template is None:
            return "没有模板，按标准列名新建工作簿"
        said = []
        for sheet in places(self._settings, opened(self._settings)).values():
            used = set(sheet.columns.values())
            empty = [name for at, name in sorted(sheet.header.items()) if at not in used]
            named = "、".join(empty[:_MOST_NAMED]) + ("等" if len(empty) > _MOST_NAMED else "")
            rest = f"，不填 {named}" if empty else ""
            said.append(f"“{sheet.name}”填 {len(used)} 列{rest}，从第 {sheet.first_row} 行起")
        return "；".join(said)

    def _table(self, item: Item) -> str:
        return table_of(self._settings.sheets, item)

    def _layout(self, table: str) -> FilledSheet:
        if self._settings.template is not None and table not in self._settings.sheets:
            title = title_of(kind_of(table))
            raise ValueError(f"sheets：没有写 {table}（{title}）填在模板的哪张工作表；补上")
        return self._settings.sheets.get(table, FilledSheet())

    def _filled(self, items: Sequence[Item], at: datetime) -> FilledFile:
        rows: dict[str, list[Item]] = {}
        where: list[tuple[str, int] | str | None] = []
        numbers: set[tuple[str, str, str]] = set()
        for item in items:
            table = self._table(item)
            layout = self._layout(table)
            if item.verb in FOLLOW_UPS and layout.status_column is None:
                where.append(ON_THE_PAGE)
                continue
            number = _told_apart_by(item)
            if number in numbers:
                where.append(None)
                continue
            numbers.add(number)
            of_table = rows.setdefault(table, [])
            where.append((table, len(of_table)))
            of_table.append(item)
        if not rows:
            return FilledFile(None, tuple(one for one in where if not isinstance(one, tuple)))
        write = self._anew if self._settings.template is None else self._into_template
        content, written = write(rows, at)
        found = [written[one[0]].place(one[1]) if isinstance(one, tuple) else one for one in where]
        columns = frozenset(name for sheet in written.values() for name in sheet.columns)
        return FilledFile(content, tuple(found), columns)

    def _into_template(
        self, rows: Mapping[str, Sequence[Item]], _: datetime
    ) -> tuple[bytes, dict[str, _Written]]:
        """Return the filled template, and what was written of each kind."""
        file = opened(self._settings)
        sheets = places(self._settings, file)
        written = [
            (sheets[kind], [self._row(sheets[kind], item) for item in some])
            for kind, some in rows.items()
        ]
        for sheet, some in written:
            if sheet.first_row + len(some) - 1 > LAST_ROW:
                raise ValueError(
                    f"{sheet.where}.first_row：从第 {sheet.first_row} 行起放不下 {len(some)} 行，"
                    f"工作表只有 {LAST_ROW} 行；改小行号"
                )
        told = {
            kind: _Written(sheet.name, sheet.first_row, frozenset(sheet.columns))
            for kind, sheet in sheets.items()
            if kind in rows
        }
        return fill(file, written), told

    def _row(self, sheet: TemplateSheet, item: Item) -> Row:
        layout = self._layout(self._table(item))
        values = layout.own(item) | layout.constants
        if layout.status_column is not None:
            values[layout.status_column] = layout.statuses[item.verb]
        return {
            at: text_of(in_unit(name, values[name], sheet.header[at]))
            for name, at in sheet.columns.items()
            if name in values
        }

    def _anew(
        self, rows: Mapping[str, Sequence[Item]], at: datetime
    ) -> tuple[bytes, dict[str, _Written]]:
        """Return a workbook with the columns of the standard, as if there were a template."""
        target, written = BytesIO(), dict[str, _Written]()
        with workbook(target, created=at) as book:
            for table, some in rows.items():
                layout, kind = self._layout(table), kind_of(table)
                status = [layout.status_column] if layout.status_column else []
                names = _standard(kind, layout, status)
                heads = [*names.values(), *layout.constants, *status]
                sheet = book.sheet(layout.sheet or title_of_table(table), [18.0] * len(heads))
                sheet.head(heads)
                for item in some:
                    own = layout.own(item)
                    given = [text_of(in_unit(w, own.get(w, ""), head)) for w, head in names.items()]
                    state = [layout.statuses[item.verb]] if status else []
                    cells = [*given, *layout.constants.values(), *state]
                    sheet.write([(cell, "text") for cell in cells])
                written[table] = _Written(sheet.name, 2, frozenset(names))
        return target.getvalue(), written


def _told_apart_by(item: Item) -> tuple[str, str, str]:
    """Return what stands once in a file: a number, or the keys together with their subject."""
    kind = item.record_kind
    numbered = kind in KINDS and KINDS[RecordKind(kind)].has_number
    return kind, item.document_number or item.key, "" if numbered else item.subject_code


def _standard(kind: str, layout: FilledSheet, status: Sequence[str]) -> dict[str, str]:
    """Return the standard columns of a kind with the names of their heads.

    That of the status is not among them where the platform's own stands in its place.
    """
    names = {
        wire: layout.columns.get(wire, title)
        for wire, title in standard.titles(kind).items()
        if wire not in layout.left_out
    }
    return {wire: head for wire, head in names.items() if head not in status}
