"""Where the parts of a JSON text begin and end, found by its brackets and strings.

Values are decoded one at a time and only if they are few, so that no text takes many times its size
in memory.
"""

import json
import re
from collections.abc import Iterator
from json import JSONDecodeError

from gateway.check.decoding import MAX_VALUES

DECODER = json.JSONDecoder(parse_float=str, parse_int=str)
#: For the ends of strings: what is wrong within one is told by the other.
_LOOSE = json.JSONDecoder(strict=False)
#: A cut may make a fault of so many characters before it, such as half of an escape.
_AT_THE_CUT = 16
_BETWEEN = re.compile(r"\s*")
#: An opening bracket, a closing one, a string, and one that needs the decoder: it has escapes.
_MARK = re.compile(r'([\[{])|([\]}])|"[^"\\]*+(?:"|(\\|\Z))')
_DEPTHS = {1: 1, 2: -1, None: 0}
_WITH_ESCAPES = 3


def skip(text: str, place: int) -> int:
    """Return the place of the next character that is not blank."""
    match = _BETWEEN.match(text, place)
    return match.end() if match else place


def are_few(text: str, start: int, end: int) -> bool:
    """Whether a part of a text has no more values than a record may have."""
    if end - start <= MAX_VALUES:
        return True
    return sum(text.count(sign, start, end) for sign in "{[,") <= MAX_VALUES


def end_of(text: str, start: int) -> int:
    """Return where a value ends; of too many values, only the first ones are read.

    Raises:
        ValueError: the value is no JSON.
    """
    end = _closed(text, start) if text.startswith(("[", "{"), start) else start
    if are_few(text, start, end):
        return DECODER.raw_decode(text, start)[1]
    cut = start + MAX_VALUES
    try:
        DECODER.raw_decode(text[:cut], start)
    except JSONDecodeError as error:
        if error.pos < cut - _AT_THE_CUT and not error.msg.startswith("Unterminated"):
            raise JSONDecodeError(error.msg, text, error.pos) from error
    return end


def _closed(text: str, start: int) -> int:
    """Return where the bracket at a place is closed, of whatever kind; else the end of the text."""
    depth, place = 0, start
    while place < len(text):
        for mark in _MARK.finditer(text, place):
            if mark.lastindex == _WITH_ESCAPES:
                place = _end_of_string(text, mark.start())
                break
            depth += _DEPTHS[mark.lastindex]
            if not depth:
                return mark.end()
        else:
            break
    return len(text)


def _end_of_string(text: str, start: int) -> int:
    try:
        return _LOOSE.raw_decode(text, start)[1]
    except JSONDecodeError:
        return len(text)


def members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Yield the name of each member of the object at a place, and where its value begins.

    Raises:
        ValueError: the object is no JSON.
    """
    place = skip(text, start + 1)
    while not text.startswith("}", place):
        if not text.startswith('"', place):
            raise JSONDecodeError("Expecting property name", text, place)
        name, place = DECODER.raw_decode(text, place)
        place = skip(text, place)
        if not text.startswith(":", place):
            raise JSONDecodeError("Expecting ':' delimiter", text, place)
        place = skip(text, place + 1)
        yield name, place
        place = skip(text, end_of(text, place))
        if text.startswith(",", place):
            place = skip(text, place + 1)
        elif not text.startswith("}", place):
            raise JSONDecodeError("Expecting ',' delimiter", text, place)


def elements(text: str, start: int = 0, *, alone: bool = False) -> Iterator[tuple[int, int]]:
    """Yield start and end of each element of the list at a place; `alone`: nothing stands behind.

    Raises:
        ValueError: the list is no JSON.
    """
    place = skip(text, start + 1)
    while not text.startswith("]", place):
        first, place = place, end_of(text, place)
        yield first, place
        place = skip(text, place)
        if text.startswith(",", place):
            place = skip(text, place + 1)
        elif place >= len(text):
            raise ValueError("列表没有结束，文件可能没有传完")
        elif text[place] != "]":
            raise ValueError(f"“{text[place]}”前面缺少逗号")
    if alone and place != len(text) - 1:
        raise ValueError("列表的后面还有别的内容")
