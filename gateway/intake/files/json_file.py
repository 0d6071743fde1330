"""Read a file of JSON: one record a line, a list of records, or an object with such a list."""

import codecs
import json
import re
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import IO, Any, AnyStr

from gateway.intake.files.unreadable import UnreadableFile
from schemas.faults import of_json
from schemas.kinds import kind_of_columns

_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 16
#: A list is read as a whole; more is sent line by line.
_MOST_LIST_BYTES = 10 * 2**20
#: Objects around a list of records, at most.
_LEVELS = 2
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)
_BETWEEN = re.compile(r"[\s]*")

Item = tuple[int, bytes]


def lines(path: Path, encoding: str, max_line_bytes: int) -> Iterator[Item]:
    """Yield the lines that are not blank with their numbers, in UTF-8, in constant memory."""
    if encoding.startswith("utf-16"):
        yield from _wide_lines(path, encoding, max_line_bytes)
        return
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(max_line_bytes + 1):
            number += 1
            if not line.endswith(b"\n") and len(line) > max_line_bytes:
                _skip_line(stream, b"\n")
            if number == 1:
                line = line.removeprefix(_BOM)
            if line.strip():
                yield number, _utf_8(line.rstrip(b"\r\n"), encoding)


def _utf_8(line: bytes, encoding: str) -> bytes:
    return line if encoding == "utf-8" else line.decode(encoding, "replace").encode()


def _wide_lines(path: Path, encoding: str, longest: int) -> Iterator[Item]:
    with path.open(encoding=encoding, errors="replace", newline="\n") as stream:
        number = 0
        while line := stream.readline(longest + 1):
            number += 1
            if not line.endswith("\n") and len(line) > longest:
                _skip_line(stream, "\n")
            if text := line.strip("\ufeff \t\r\n"):
                yield number, text.encode()


def _skip_line(stream: IO[AnyStr], end: AnyStr) -> None:
    """Skip the rest of a line that is too long; its start is refused, because it is not JSON."""
    while (part := stream.readline(_BLOCK)) and not part.endswith(end):
        pass


def is_lines(path: Path, encoding: str) -> bool:
    """Whether each line is a record; else the file is one list, or one object over many lines."""
    with path.open("rb") as stream:
        first = stream.readline(_MOST_LIST_BYTES + 1)
        more = bool(stream.read(_BLOCK).strip(b"\x00 \t\r\n"))
    text = codecs.decode(first, encoding, "replace").strip("\ufeff \t\r\n")
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return more and text != "{"
    return more or not isinstance(row, dict) or not _list_within(row)


def listed(path: Path, encoding: str) -> tuple[str, list[bytes]]:
    """Return the records of a list, as they were written, and the field that held it: data.records.

    Raises:
        UnreadableFile: too large, not JSON, or an object that holds no list of records.
    """
    if path.stat().st_size > _MOST_LIST_BYTES:
        raise UnreadableFile("JSON 列表太大：改成一行一条记录（NDJSON）再导入")
    text = codecs.decode(path.read_bytes(), encoding, "replace").strip("\ufeff \t\r\n")
    try:
        if text.startswith("["):
            return "", list(elements(text))
        within = _list_within(_DECODER.decode(text))
        if not within:
            return "", [text.encode()]
        return ".".join(within), list(elements(reduce(_member, within, text)))
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"不是有效的 JSON：{of_json(error)}；检查引号、逗号和括号") from error


def _list_within(row: Any, levels: int = _LEVELS) -> list[str]:
    """Return the way to the only list of records in an answer, such as data, records; or nothing.

    A record may have lists of its own: it has columns of a standard.
    """
    if not isinstance(row, dict) or "specversion" in row or _has_columns(row):
        return []
    here = [[name] for name, value in row.items() if _is_list(value)]
    if not here and levels > 1:
        deeper = ((name, _list_within(value, levels - 1)) for name, value in row.items())
        here = [[name, *way] for name, way in deeper if way]
    return here[0] if len(here) == 1 else []


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_has_columns, value))


def _has_columns(row: Any) -> bool:
    return isinstance(row, dict) and kind_of_columns(row) is not None


def _member(text: str, name: str) -> str:
    """Return a member of the object that a text is, as it was written."""
    position = _skip(text, 1)
    while True:
        key, position = _DECODER.raw_decode(text, position)
        start = _skip(text, _skip(text, position) + 1)
        _, position = _DECODER.raw_decode(text, start)
        if key == name:
            return text[start:position]
        position = _skip(text, _skip(text, position) + 1)


def elements(text: str) -> Iterator[bytes]:
    """Yield the elements of a JSON list as they were written, so that each is checked by itself.

    Raises:
        ValueError: the text is no JSON list.
    """
    position = _skip(text, 1)
    while text[position : position + 1] != "]":
        start = position
        _, position = _DECODER.raw_decode(text, start)
        yield text[start:position].encode()
        position = _skip(text, position)
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
        elif position >= len(text):
            raise ValueError("列表没有结束，文件可能没有传完")
        elif text[position] != "]":
            raise ValueError(f"“{text[position]}”前面缺少逗号")
    if position != len(text) - 1:
        raise ValueError("列表的后面还有别的内容")


def _skip(text: str, position: int) -> int:
    match = _BETWEEN.match(text, position)
    return match.end() if match else position
