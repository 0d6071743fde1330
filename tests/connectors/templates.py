"""Templates as platforms have them: a title, marked names, hints, a list to choose from."""

import re
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import openpyxl
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.worksheet.datavalidation import DataValidation

HEADS = [
    "序号",
    "行政相对人名称*",
    "行政相对人代码_1\n(统一社会信用代码)",
    "行政处罚决定书文号（必填）",
    "处罚内容",
    "罚款金额（元）",
    "上报人",
    "办理状态",
]
#: The first row below the names and the hints.
FIRST = 4


def template(folder: Path, heads: Sequence[str] = HEADS, name: str = "template.xlsx") -> Path:
    """Write the template of a platform: names in row 2, hints in row 3, a list on another sheet."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "行政处罚"
    sheet["A1"] = "行政处罚信息填报模板"
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(heads))
    thin = Side(style="thin")
    border = Border(left=thin, right=thin, top=thin, bottom=thin)
    for at, head in enumerate(heads, 1):
        named = sheet.cell(2, at, head)
        named.font, named.fill = Font(bold=True, color="FF0000"), PatternFill("solid", "DDEBF7")
        sheet.cell(3, at, "按实填写").font = Font(italic=True, size=8)
        for row in range(FIRST, FIRST + 3):
            sheet.cell(row, at).border = border
            sheet.cell(row, at).number_format = "0.00"
    chosen = book.create_sheet("字典")
    for at, word in enumerate(["在办", "办结"], 1):
        chosen.cell(at, 1, word)
    words = DataValidation(type="list", formula1="字典!$A$1:$A$2")
    sheet.add_data_validation(words)
    words.add("H4:H5000")
    path = folder / name
    book.save(path)
    return path


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Change the parts of a workbook by their names."""
    target = BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    path.write_bytes(target.getvalue())
    return path


def prefixed(name: str, part: bytes) -> bytes:
    """Write the main XML with a prefix, as the library of Microsoft does."""
    if not name.startswith(("xl/worksheets/", "xl/styles", "xl/workbook.xml")):
        return part
    text = part.decode()
    text = re.sub(r"<(/?)(?=[A-Za-z])(?!\w+:)", r"<\1x:", text)
    return text.replace('xmlns="', 'xmlns:x="').encode()


def parts(content: bytes) -> dict[str, bytes]:
    """Return the parts of a workbook by their names."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_list_of_excel(name: str, part: bytes) -> bytes:
    """Add a list of another sheet as Excel 2010 and later write it, in an extension."""
    if name != "xl/worksheets/sheet1.xml":
        return part
    main = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
    formula = "http://schemas.microsoft.com/office/excel/2006/main"
    added = (
        '<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" xmlns:x14="' + main + '">'
        f'<x14:dataValidations count="1" xmlns:xm="{formula}"><x14:dataValidation type="list">'
        "<x14:formula1><xm:f>字典!$A$1:$A$2</xm:f></x14:formula1><xm:sqref>G4:G99</xm:sqref>"
        "</x14:dataValidation></x14:dataValidations></ext></extLst></worksheet>"
    )
    return part.replace(b"</worksheet>", added.encode())
