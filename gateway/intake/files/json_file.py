"""Read a file of JSON: one record a line, a list of records, or an object with such a list."""

import codecs
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from json import JSONDecodeError
from pathlib import Path
from typing import IO, AnyStr, NamedTuple

from gateway.check.decoding import MAX_KEYS
from gateway.check.envelopes import is_envelope, tells_deletion
from gateway.intake.files.json_parts import DECODER, are_few, elements, end_of, members, skip
from gateway.intake.files.unreadable import UnreadableFile
from schemas.column_names import standard_names
from schemas.faults import of_json
from schemas.kinds import KINDS

_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 16
#: A list is read as a whole; more is sent line by line.
_MOST_LIST_BYTES = 10 * 2**20
#: Objects around a list of records, at most.
_LEVELS = 2

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
    if more:
        return text != "{"
    try:
        return _list_within(text) is None
    except (ValueError, RecursionError):
        return False


def listed(path: Path, encoding: str, longest: int) -> tuple[str, list[bytes]]:
    """Return the records of a list, as they were written, and the field that held it: data.records.

    One of more than `longest` bytes is cut there, and refused as a line that is too long.

    Raises:
        UnreadableFile: too large, not JSON, or an object that has its list of records twice.
    """
    if path.stat().st_size > _MOST_LIST_BYTES:
        raise UnreadableFile("JSON 列表太大：改成一行一条记录（NDJSON）再导入")
    text = codecs.decode(path.read_bytes(), encoding, "replace").strip("\ufeff \t\r\n")
    try:
        if text.startswith("["):
            return "", list(written(text, longest))
        found = _list_within(text)
        if found is None:
            return "", [_cut(text, longest)]
        extents = elements(text, found.start)
        return ".".join(found.way), [_cut(text[start:end], longest) for start, end in extents]
    except UnreadableFile:
        raise
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"不是有效的 JSON：{of_json(error)}；检查引号、逗号和括号") from error


def written(text: str, longest: int = sys.maxsize) -> Iterator[bytes]:
    """Yield the elements of a JSON list as they were written, so that each is checked by itself.

    Raises:
        ValueError: the text is no JSON list.
    """
    return (_cut(text[start:end], longest) for start, end in elements(text, alone=True))


def _cut(text: str, longest: int) -> bytes:
    """Return the bytes of a record; one that is too long ends early, so that it is no JSON."""
    body = text.encode()
    return body if len(body) <= longest else body[:longest].decode(errors="ignore").encode()


class _Found(NamedTuple):
    """A list of records within an object: the names that lead to it, and where it begins."""

    way: tuple[str, ...]
    start: int
    is_empty: bool = False


def _list_within(text: str) -> _Found | None:
    """Return the only list of records in an answer.

    Raises:
        ValueError: the text is no JSON.
        UnreadableFile: a name on the way to the list stands twice.
    """
    if are_few(text, 0, len(text)):
        DECODER.decode(text)
        return _within(text, 0, _LEVELS)
    found = _within(text, 0, _LEVELS)
    end = end_of(text, 0)
    if skip(text, end) != len(text):
        raise JSONDecodeError("Extra data", text, end)
    return found


def _within(text: str, start: int, levels: int) -> _Found | None:
    """Return the only list of records in the value at a place.

    A record may have lists of its own: it has columns of a standard. What has more names than a
    record may have is no answer, nor is the envelope of a change, whose rows may be deleted ones.
    An empty list is one of records where there is no other.
    """
    if not levels or not text.startswith("{", start):
        return None
    names: list[str] = []
    here: list[_Found] = []
    deeper: list[_Found] = []
    objects: list[int] = []
    for name, at in islice(members(text, start), MAX_KEYS + 1):
        names.append(name)
        if _says_deletion(text, name, at):
            return None
        if _is_list(text, at):
            here.append(_Found((name,), at, _is_empty(text, at)))
        elif (one := _within(text, at, levels - 1)) is not None:
            deeper.append(_Found((name, *one.way), one.start, one.is_empty))
        elif text.startswith("{", at):
            objects.append(at)
    if _is_one_record(names):
        return None
    found = _filled(here) or _filled(deeper)
    _refuse_several(found, names)
    return next(iter(found or _unless_record(text, names, objects, [*here, *deeper])), None)


def _unless_record(
    text: str, names: Iterable[str], objects: Iterable[int], empty: list[_Found]
) -> list[_Found]:
    """Return empty lists, but none of an object that has a record itself."""
    if any(map(standard_names().knows, names)) or any(_is_known(text, at) for at in objects):
        return []
    return empty


def _is_one_record(names: Sequence[str]) -> bool:
    """Whether names are those of a record, with or without an envelope."""
    if len(names) > MAX_KEYS or "specversion" in names or is_envelope(names):
        return True
    return KINDS.of_columns(names) is not None


def _says_deletion(text: str, name: str, start: int) -> bool:
    if not text.startswith('"', start):
        return False
    return tells_deletion(name, DECODER.raw_decode(text, start)[0])


def _refuse_several(found: Sequence[_Found], names: Sequence[str]) -> None:
    """Refuse lists of which nobody knows whether both are meant."""
    for one in found:
        if names.count(one.way[0]) > 1:
            raise UnreadableFile(
                f"“{one.way[0]}”写了不止一次，各有内容：把几个列表合成一个，再导入"
            )
    if len(found) > 1:
        named = "”和“".join(".".join(one.way) for one in found)
        raise UnreadableFile(
            f"“{named}”各是一个记录列表，只能有一个：合成一个列表，或分成几个文件，再导入"
        )


def _filled(found: Iterable[_Found]) -> list[_Found]:
    return [one for one in found if not one.is_empty]


def _is_list(text: str, start: int) -> bool:
    """Whether the value at a place is a list of records, or an empty one."""
    if not text.startswith("[", start):
        return False
    return all(_is_record(text, first, end) for first, end in elements(text, start))


def _is_empty(text: str, start: int) -> bool:
    return text.startswith("]", skip(text, start + 1))


def _is_known(text: str, start: int, levels: int = _LEVELS) -> bool:
    """Whether an object, or one within it, has a name of a column of a standard."""
    for name, at in islice(members(text, start), MAX_KEYS):
        within = levels > 1 and text.startswith("{", at)
        if standard_names().knows(name) or (within and _is_known(text, at, levels - 1)):
            return True
    return False


def _is_record(text: str, start: int, end: int) -> bool:
    return text.startswith("{", start) and KINDS.of_columns(_names(text, start, end)) is not None


def _names(text: str, start: int, end: int) -> Iterable[str]:
    """Return the names in the object at a place; of very many values, the first ones."""
    if are_few(text, start, end):
        return dict(DECODER.raw_decode(text, start)[0])
    return (name for name, _ in islice(members(text, start), MAX_KEYS))
