"""Texts that lost their characters on the way 乱码 (pure)."""

import re
from functools import lru_cache

from schemas.identifiers import INVISIBLE

#: Letters of Western Europe, of which texts consist that were read as Latin-1.
_WESTERN = "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff"
#: Characters without a meaning of their own 造字, and what stands for one that a font lacks.
_PRIVATE, _IN_PLACE = "\ue000-\uf8ff", "□▯〓"
_SENT_TO_SLOW = re.compile(f"[{INVISIBLE}{_WESTERN}{_PRIVATE}{_IN_PLACE}\ufffd?？锟#+&\r\n]")


def _usual() -> str:
    """Return the other characters of the first plane, as the ranges of a character class."""
    usual = [code for code in range(0x10000) if not _SENT_TO_SLOW.match(chr(code))]
    starts = [code for code, before in zip(usual, [-2, *usual], strict=False) if code != before + 1]
    ends = [code for code, after in zip(usual, [*usual[1:], -2], strict=True) if code + 1 != after]
    return "".join(
        f"\\u{first:04x}-\\u{last:04x}" for first, last in zip(starts, ends, strict=True)
    )


#: Finds what sends a text to the slow reading: invisible characters, line ends, U+FFFD, question
#: marks and what else stands for a lost character, those of texts that were read in another
#: encoding, and the signs in errors of spreadsheets and in numbers such as 9.1E+17. It is written
#: as what is none of the others: `re` makes a table of a class without characters beyond the first
#: plane, and else compares range by range, which takes ten times as long.
unusual = re.compile(f"[^{_usual()}]").search
_QUESTION_MARKS = re.compile(r"\?{2,}")
#: What may be a lost character: a question mark, which may also be that of a clerk, characters of
#: nobody's font, and those of a web page, such as &amp;.
_DOUBTFUL = re.compile(
    rf"(?P<mark>[?？])|(?P<sign>[{_IN_PLACE}]|&(?:[A-Za-z]{{2,8}}|#\w{{2,7}});)|(?P<own>[{_PRIVATE}])"
)
#: A text up to this length is a name, number or code, where two question marks are lost characters,
#: and one may be; longer ones may ask a question.
_LONGEST_NAME = 255
_QUESTIONS_IN_TEXTS = re.compile(r"\?{4,}")
#: U+FFFD in UTF-8 read as GBK, and UTF-8 read as Windows-1252.
_MISREAD = re.compile(
    "锟斤拷|斤拷锟|(?:[\u00c2-\u00f4][\u00a0-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{1,2}){2}"
)
#: What GBK looks like if it is read as Latin-1: letters and signs, two for a character.
_LATIN = re.compile("[\u00a1-\u00ff]{4,}")
_LETTERS = re.compile(f"[{_WESTERN}]")
_LEAST_LETTERS = 2
#: Numbers of spreadsheets as text, such as 9.1159900E+17.
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}", re.ASCII)


def is_scientific(text: str) -> bool:
    """Whether a text is a number in scientific notation, whose last digits are lost."""
    return _SCIENTIFIC.fullmatch(text) is not None


def lost_characters(text: str, max_length: int | None) -> str | None:
    """Return the part of a text where characters are lost; None if nothing is."""
    if "\ufffd" in text:
        return "\ufffd"
    marks = _QUESTION_MARKS if (max_length or 0) <= _LONGEST_NAME else _QUESTIONS_IN_TEXTS
    found = marks.search(text) or _MISREAD.search(text)
    if found is not None:
        return found[0]
    runs = (run for run in _LATIN.findall(text) if len(_LETTERS.findall(run)) >= _LEAST_LETTERS)
    return next(runs, None)


def doubtful(text: str, max_length: int | None) -> str | None:
    """Return in Chinese what in a name, number or code may be a lost character; None if nothing."""
    found = _DOUBTFUL.search(text) if (max_length or 0) <= _LONGEST_NAME else None
    if found is None:
        return None
    if found["own"]:
        return f"字库里没有的字（U+{ord(found['own']):04X}）"
    return "问号" if found["mark"] else f"“{found['sign']}”"


#: Line ends within a text, and the blanks around them.
_LINE_ENDS = re.compile(r"\s*[\r\n]\s*")
_BETWEEN_LETTERS = re.compile(r"(?<=[A-Za-z])\s*[\r\n]\s*(?=[A-Za-z])")


def in_one_line(text: str, max_length: int | None) -> str:
    """Return a name, number or code without the line ends of its cell; a free text as it is."""
    if (max_length or 0) > _LONGEST_NAME or not _LINE_ENDS.search(text):
        return text
    return _LINE_ENDS.sub("", _BETWEEN_LETTERS.sub(" ", text.strip()))


@lru_cache(maxsize=16_384)
def misread(text: str) -> bool:
    """Whether a name looks like UTF-8 that was read as GBK, such as 鏍蜂緥鍏徃 for 样例公司.

    Bytes of Chinese in GBK are seldom valid UTF-8 by chance: two characters of it happen in names
    of persons, three that cover most of a name do not. Cached, because names repeat.
    """
    try:
        as_gbk = text.encode("gb18030")
    except UnicodeEncodeError:
        return False
    again = as_gbk.decode("utf-8", "ignore")
    if not again or max(again) < "\u3400":
        return False
    chinese = sum("\u3400" <= letter <= "\u9fff" for letter in again)
    foreign = sum(len(letter.encode("gb18030")) for letter in text if not letter.isascii())
    return chinese >= 3 and chinese * 3 * 5 > foreign * 3
