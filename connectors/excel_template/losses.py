"""What of a template the rows that are filled in would take away or hide: it is refused."""

from connectors.excel_template.tables import TableOfExcel, tables_of
from connectors.excel_template.template import TemplateSheet, rows_of

#: Characters of a note that are quoted.
_QUOTED = 20


def refuse_losses(sheet: TemplateSheet) -> None:
    """Refuse a template that would lose something; raises ValueError with setting and fix."""
    for number, cells in sheet.rows.items():
        if number >= sheet.first_row and any(cell.is_formula for cell in cells.values()):
            raise _loss(sheet, f"第 {number} 行有公式，填进去会丢；请平台给没有公式的模板")
    for one in sheet.merged:
        if rows_of(one)[1] >= sheet.first_row:
            fix = "在模板里取消合并，或从它下面填起"
            raise _loss(sheet, f"要填的行里有合并的单元格 {one}，填进去的会看不见；{fix}")
    if (note := _note(sheet)) is not None:
        number, said = note
        fix = "是说明就移到列名之上，是示例就从模板里删去"
        raise _loss(sheet, f"第 {number} 行的“{said[:_QUOTED]}”不像示例，填进去会丢；{fix}")
    for table in tables_of(sheet):
        _refuse_table(sheet, table)


def _refuse_table(sheet: TemplateSheet, table: TableOfExcel) -> None:
    if table.first_row >= sheet.first_row:
        raise _loss(sheet, f"要填的行里有另一个表 {table.range}；把它移到别的工作表")
    if table.totals and table.holds(sheet.first_row):
        raise _loss(sheet, f"表 {table.range} 有汇总行，填进去会丢；在模板里去掉汇总行")


def _note(sheet: TemplateSheet) -> tuple[int, str] | None:
    """Return the row and the words of what is no example: alone in its row, or after a gap."""
    expected = sheet.first_row
    for number in sorted(sheet.rows):
        texts = [cell.text.strip() for cell in sheet.rows[number].values() if cell.text.strip()]
        if number < sheet.first_row or not texts:
            continue
        if number > expected or (len(texts) == 1 and not texts[0].isdecimal()):
            return number, texts[0]
        expected = number + 1
    return None


def _loss(sheet: TemplateSheet, words: str) -> ValueError:
    return ValueError(f"{sheet.where}.first_row：模板{words}")
