"""What a file is, told by its content and never by its name."""

import zipfile
from enum import StrEnum
from pathlib import Path

from gateway.intake.files.encoding import wide_encoding
from gateway.intake.files.unreadable import UnreadableFile

_HEAD_BYTES = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE_AS = "用 WPS 或 Excel 打开它，另存为 .xlsx（不设密码），再导入"
_UNPACK = "解压以后，导入里面的文件"
_COPY = "把里面的表格录入或粘贴到 Excel，另存为 .xlsx，再导入"
#: First bytes → what the file is, and what to do. None of them is a table.
_OTHERS = (
    (b"%PDF", "PDF 文件", f"要来原来的表格文件；没有的，{_COPY}"),
    (b"\x89PNG", "图片", _COPY),
    (b"\xff\xd8\xff", "图片", _COPY),
    (b"GIF8", "图片", _COPY),
    (b"Rar!", "RAR 压缩包", _UNPACK),
    (b"7z\xbc\xaf", "7z 压缩包", _UNPACK),
    (b"\x1f\x8b", "gzip 压缩包", _UNPACK),
    (b"{\\rtf", "RTF 文档", _COPY),
)
#: What an XML Spreadsheet of 2003 says of itself.
_XML_2003 = (b'progid="excel.sheet"', b"urn:schemas-microsoft-com:office:spreadsheet")


#: Bytes that no text has.
_CONTROLS = [bytes([code]) for code in range(1, 9)]


class FileType(StrEnum):
    """The types that are read; each with its name for people."""

    WORKBOOK = "工作簿"
    OLDER_WORKBOOK = (
        "工作簿（xls、et 或 ods：出错的公式读作空；数字格式不读，格式里的“元”不算；"
        "删除线看不出，划掉的字照读；xls、et 里隐藏的行和列看不出，照样读入）"
    )
    TABLE = "文本表格"
    JSON_LIST = "JSON 列表"
    JSON_LINES = "JSON，一行一条"


_UTF_32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")


def file_type(path: Path, max_unpacked_bytes: int) -> FileType:
    """Return the type of a file; raises UnreadableFile, with what it is and how to save it."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise UnreadableFile("文件是空的，没有数据：检查是否导出成功")
    if head.startswith(_UTF_32):
        raise UnreadableFile("编码是 UTF-32，读不了：用原来的程序另存为“CSV UTF-8”，再导入")
    if head.startswith(b"PK"):
        return _zip_type(path, max_unpacked_bytes)
    if head.startswith(_OLE):
        return _ole_type(head)
    for start, what, fix in _OTHERS:
        if head.startswith(start):
            raise UnreadableFile(f"这是{what}，不是表格：{fix}")
    return _text_type(head)


def _zip_type(path: Path, max_unpacked_bytes: int) -> FileType:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise UnreadableFile(
            f"工作簿已损坏或没有传完，读不出来：重新保存一份；{_SAVE_AS}"
        ) from error
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max_unpacked_bytes:
        words = f"工作簿解压后{unpacked}字节，超过上限{max_unpacked_bytes}字节"
        raise UnreadableFile(f"{words}：请分成几个文件，或另存为 CSV")
    names = {entry.filename for entry in entries}
    if any(name.lower() == "xl/workbook.bin" for name in names):
        raise UnreadableFile(f"这是 .xlsb 工作簿，单元格的格式读不出来：{_SAVE_AS}")
    if any(name.startswith("xl/") for name in names):
        return FileType.WORKBOOK
    if "content.xml" in names:
        return FileType.OLDER_WORKBOOK
    if any(name.startswith("word/") for name in names):
        raise UnreadableFile("这是 Word 文档，不是表格：把其中的表格粘贴到 Excel，另存为 .xlsx")
    raise UnreadableFile(f"这是压缩包，不是表格：{_UNPACK}")


def _ole_type(head: bytes) -> FileType:
    if "EncryptedPackage".encode("utf-16-le") in head:
        raise UnreadableFile(f"工作簿加了密码，读不出来：{_SAVE_AS}")
    if "WordDocument".encode("utf-16-le") in head:
        raise UnreadableFile("这是 Word 文档，不是表格：把其中的表格粘贴到 Excel，另存为 .xlsx")
    return FileType.OLDER_WORKBOOK


def _text_type(head: bytes) -> FileType:
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    start = plain[:512].lower()
    if start.startswith(b"<") and any(mark in start for mark in _XML_2003):
        raise UnreadableFile(f"这是“XML 电子表格 2003”，只是名字像 .xls：{_SAVE_AS}")
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<meta")) or b"<table" in start:
        raise UnreadableFile(f"这是网页（HTML），只是名字像表格：{_SAVE_AS}")
    if start.startswith((b"<?xml", b"<workbook")):
        raise UnreadableFile(f"这是 XML 文件，不是 .xlsx 工作簿：{_SAVE_AS}")
    if start.startswith(b"["):
        return FileType.JSON_LIST
    if start.startswith(b"{"):
        return FileType.JSON_LINES
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff")) or wide_encoding(head) is not None
    if not wide and sum(map(plain.count, _CONTROLS)) * 100 > len(plain):
        raise UnreadableFile(f"这是二进制文件，不是表格：{_SAVE_AS}")
    return FileType.TABLE
