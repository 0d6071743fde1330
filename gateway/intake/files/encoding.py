"""The encoding of a text file, decided over the whole file and not by one byte."""

import codecs
import re
from pathlib import Path

_BLOCK = 1 << 16
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
#: Encoding → its name for people.
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "gb18030": "GB18030",
    "cp950": "Big5（繁体）",
}
#: A file in UTF-8 may have so many invalid places for each hundred valid characters; a file in
#: GB18030, read as UTF-8, has hardly a valid one.
_MOST_DAMAGE_PERCENT = 25
#: Chinese characters of a line in another encoding, at least.
_LEAST_CHINESE = 6
#: In GB2312 the second byte of a character is high. In Big5 a third of them are low.
_PAIRS = re.compile(rb"[\x81-\xfe](?:([\x40-\x7e])|[\x80-\xfe])")
_LEAST_LOW_PERCENT = 12


def encoding_of(path: Path) -> str:
    """Return the codec of a text file; what it cannot decode is left to the row that has it."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if (wide := wide_encoding(head)) is not None:
        return wide
    valid, damaged = _as_utf_8(path)
    if damaged * 100 <= valid * _MOST_DAMAGE_PERCENT:
        return "utf-8"
    return "cp950" if _is_big5(path) else "gb18030"


def mixed_lines(path: Path, encoding: str) -> tuple[int, int]:
    """Return the first line in the other one of UTF-8 and GB18030, and how many there are; or 0, 0.

    Files that were put together from several may be such ones. A line with a character that was cut
    is none.
    """
    if encoding not in {"utf-8", "gb18030"}:
        return 0, 0
    is_utf_8, first, count = encoding == "utf-8", 0, 0
    with path.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_BLOCK), b""), 1):
            if not line.isascii() and _is_utf_8(line) != is_utf_8 and _has_many(line, is_utf_8):
                first, count = first or number, count + 1
    return first, count


def _is_utf_8(line: bytes) -> bool:
    text = line.decode("utf-8", "replace")
    return text.count("\ufffd") * 100 <= len(text) * _MOST_DAMAGE_PERCENT


def _has_many(line: bytes, is_utf_8: bool) -> bool:
    """Whether a line has so many characters of the other encoding that it cannot be by chance."""
    text = line.decode("gb18030" if is_utf_8 else "utf-8", "replace")
    chinese = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    return chinese >= _LEAST_CHINESE and "\ufffd" not in text


def wide_encoding(head: bytes) -> str | None:
    """Return UTF-16 without its mark: tabs, commas and digits have a zero byte beside them."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 20 < len(head) or min(even, odd) * 20 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _as_utf_8(path: Path) -> tuple[int, int]:
    """Return how many characters beyond ASCII are valid in UTF-8, and how many places are not."""
    valid = damaged = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            text = decoder.decode(block)
            if not text.isascii():
                bad = text.count("\ufffd")
                damaged += bad
                valid += len(text) - len(text.encode("ascii", "ignore")) - bad
    return valid, damaged


def _is_big5(path: Path) -> bool:
    with path.open("rb") as stream:
        block = stream.read(_BLOCK)
    pairs = _PAIRS.findall(block)
    if sum(map(bool, pairs)) * 100 < len(pairs) * _LEAST_LOW_PERCENT:
        return False
    try:
        block[: len(block) - len(block) % 2].decode("cp950")
    except UnicodeDecodeError as error:
        return error.start > len(block) - 2
    return True
