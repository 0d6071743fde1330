"""Whether a workbook may say a unit of amounts beside its tables: its shared texts tell it fast.

Reading all rows a second time for it takes longer than all else that is done in the process that
reads a workbook.
"""

import re
import zipfile

_BLOCK = 1 << 20
#: Bytes of the block before that are looked at again.
_OVERLAP = 256
#: 单位 and 元 in one text without a number between them, or 元 behind a sign: （元）, ：元, 以元.
_UNIT = re.compile(
    r"单\s*位[^<\d零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖万亿]{0,12}[元圆]"
    r"|[（(:：以按为](?:人民币)?[十百千]?[元圆]"
)
_INLINE = b"inlineStr"


def has_inline_texts(archive: zipfile.ZipFile, part: str) -> bool:
    """Whether a sheet has texts of its own, beside the shared ones; they are not looked at."""
    with archive.open(part) as sheet:
        return _INLINE in sheet.read(_BLOCK)


def has_unit(archive: zipfile.ZipFile, part: str) -> bool:
    """Whether one of the shared texts may be a unit."""
    before = b""
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            if _UNIT.search((before + block).decode("utf-8", "ignore")):
                return True
            before = block[-_OVERLAP:]
    return False
