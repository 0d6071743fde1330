"""Texts that lost their characters on the way 乱码 (pure)."""

import re

from schemas.identifiers import INVISIBLE

#: What sends a text to the slow reading: invisible characters, U+FFFD, question marks, and the sign
#: that errors of spreadsheets begin with.
_UNUSUAL = re.compile(f"[{INVISIBLE}\ufffd?#]")
_QUESTION_MARKS = re.compile(r"\?{2,}")
#: A text up to this length is a name or a number, where two question marks are lost characters;
#: longer ones may ask a question.
_LONGEST_NAME = 255
_QUESTIONS_IN_TEXTS = re.compile(r"\?{4,}")
#: Numbers of spreadsheets as text, such as 9.1159900E+17.
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{2,}")


def is_unusual(text: str) -> bool:
    """Whether a text needs a closer look than its length; quick, and true of few texts."""
    return _UNUSUAL.search(text) is not None or "E+" in text


def is_scientific(text: str) -> bool:
    """Whether a text is a number in scientific notation, whose last digits are lost."""
    return _SCIENTIFIC.fullmatch(text) is not None


def lost_characters(text: str, max_length: int | None) -> str | None:
    """Return the part of a text where characters are lost; None if nothing is."""
    if "\ufffd" in text:
        return "\ufffd"
    marks = _QUESTION_MARKS if (max_length or 0) <= _LONGEST_NAME else _QUESTIONS_IN_TEXTS
    found = marks.search(text)
    return found[0] if found else None


def misread(text: str) -> bool:
    """Whether a name looks like UTF-8 that was read as GBK, such as 鏍蜂緥 for 样例.

    Bytes of Chinese in GBK are seldom valid UTF-8 by chance; here at least half must be.
    """
    try:
        as_gbk = text.encode("gb18030")
    except UnicodeEncodeError:
        return False
    again = as_gbk.decode("utf-8", "ignore")
    chinese = sum("\u3400" <= letter <= "\u9fff" for letter in again)
    foreign = sum(len(letter.encode("gb18030")) for letter in text if not letter.isascii())
    return chinese >= 2 and chinese * 3 * 2 > foreign
