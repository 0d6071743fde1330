"""Whether a workbook may say a unit of amounts beside its tables: its shared texts tell it fast.

Reading all rows a second time for it takes longer than all else that is done in the process that
reads a workbook.
"""

import re
import zipfile

from gateway.intake.files.office_xml import book_of

_BLOCK = 1 << 20
#: Bytes of the block before that are looked at again.
_OVERLAP = 256
#: 单位 and 元 in one text without a number between them, or 元 behind a sign: （元）, ：元, 以元.
_UNIT = re.compile(
    r"单\s*位[^<\d零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖万亿]{0,12}[元圆]"
    r"|[（(:：以按为](?:人民币)?[十百千]?[元圆]"
)
_INLINE = b"inlineStr"


def may_say_a_unit(path: str, name: str) -> bool:
    """Whether a text of a workbook may be a unit; True for what is no workbook of Office."""
    if not zipfile.is_zipfile(path):
        return True
    archive = zipfile.ZipFile(path)
    book = book_of(archive)
    part = book.sheets.get(name)
    if part is None or book.strings is None:
        return True
    with archive.open(part) as sheet:
        if _INLINE in sheet.read(_BLOCK):
            return True
    before = b""
    with archive.open(book.strings) as stream:
        while block := stream.read(_BLOCK):
            if _UNIT.search((before + block).decode("utf-8", "ignore")):
                return True
            before = block[-_OVERLAP:]
    return False
