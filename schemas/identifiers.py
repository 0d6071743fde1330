"""Identifiers 标识: the check of codes, and the normal form of codes and document numbers."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from functools import lru_cache, wraps

#: GB 32100-2015, 4.2: digits and capital letters without I, O, Z, S, V.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: GB 32100-2015, 5.2: weight i is 3^(i-1) mod 31.
USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_USCC_VALUE = {letter: value for value, letter in enumerate(USCC_ALPHABET)}

#: GB 11643-1999 (ISO 7064 MOD 11-2).
IDENTITY_WEIGHTS = tuple(pow(2, 17 - i, 11) for i in range(17))
IDENTITY_CHECKS = "10X98765432"

_BRACKETS = str.maketrans(
    dict.fromkeys("([{【〔［〖（", "〔") | dict.fromkeys(")]}】〕］〗）", "〕")
)
#: Signs in document numbers that are typed for brackets of the year and for a hyphen.
_NUMBER_SIGNS = _BRACKETS | str.maketrans("<《〈「>》〉」‐‑‒–—―−號", "〔〔〔〔〕〕〕〕-------号")
_OTHER_SIGNS = "".join(sign for sign in map(chr, _NUMBER_SIGNS) if sign not in "〔〕")
_HAS_SIGN = re.compile(f"[{re.escape(_OTHER_SIGNS)}]").search
#: What people write or leave out between the year and the number; the store has the same pattern.
_AROUND_THE_YEAR = re.compile("年?〕第?0*")
_IDENTITY = re.compile(r"\d{17}[\dX]")


_D = "[0-9]"


def _identity_within(gap: str, narrow: str) -> str:
    """Return a pattern of identity numbers within a text, with their first six digits and last two.

    `gap` is what may stand between the digits of one, `narrow` between the parts of one of 15
    digits: so few digits are often something else.
    """
    long = [_D] * 6, [_D] * 2, [f"({_D}", f"(?:[Xx]|{_D}(?!{_D})))"]
    places, order, check = map(gap.join, long)
    birth = gap.join(["[12]", "[90]", _D, _D, _month_day(gap)])
    old = narrow.join([f"({_D * 6})", _D * 2, _month_day(narrow), f"{_D}({_D * 2})(?!{_D})"])
    return rf"(?<!{_D})(?:({places}){gap}{birth}{gap}{order}{gap}{check}|{old})"


def _month_day(gap: str) -> str:
    month = rf"(?:0{gap}[1-9]|1{gap}[0-2])"
    return rf"{month}{gap}(?:0{gap}[1-9]|[12]{gap}{_D}|3{gap}[01])"


#: Between digits stand blanks and signs, eight at most, which bounds the time; no letters, and no
#: colons, which times of the day have.
_IDENTITY_WITHIN = re.compile(_identity_within(r"(?:[^\w:：]|_){0,8}", r"[\s\-－–]{0,2}"))
#: Digits of full width, of Arabic and of mathematics, each a character for a character.
_DIGITS_OF_ASCII = {
    start + digit: str(digit)
    for start in (0xFF10, 0x0660, 0x06F0, *range(0x1D7CE, 0x1D800, 10))
    for digit in range(10)
} | {ord(letter): "X" for letter in "Ｘｘ"}


#: Characters that nobody sees: format characters (Unicode Cf), fillers, variation selectors, and
#: control characters but for tabs and line ends. Copying from chats and web pages brings them.
#: U+E5E5 is what is read of A3A0, a blank of GBK without a place in Unicode.
INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ue5e5\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def visible(text: str) -> str:
    """Return the text without the characters that nobody sees."""
    return _INVISIBLE.sub("", text)


#: What people call the invisible characters that they meet.
_NAMES = {
    "\u00ad": "软连字符",
    "\u200b": "零宽空格",
    "\u200c": "零宽不连字",
    "\u200d": "零宽连字",
    "\u200e": "从左到右标记",
    "\u200f": "从右到左标记",
    "\u2060": "零宽不换行",
    "\ufeff": "字节顺序标记",
} | dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "方向符")


def changed_by_fold(text: str) -> list[str]:
    """Return in Chinese what `fold` changes in a text, each kind of change once."""
    hidden = dict.fromkeys(_INVISIBLE.findall(text))
    found = [f"去掉看不见的{_NAMES.get(c, '字符')}（U+{ord(c):04X}）" for c in hidden]
    seen = visible(text)
    narrow = half_width(seen)
    closed = "".join(narrow.split())
    steps = ((narrow != seen, "全角改半角"), (closed != narrow, "去掉空格"))
    found += [words for changed, words in steps if changed]
    return [*found, "小写改大写"] if closed != closed.upper() else found


#: What stands for the hidden digits of an identity number.
MASK = "*" * 10


def masked(text: str) -> str:
    """Return a text with the resident identity numbers in it masked, those of 15 digits too.

    A number of one of these forms that is something else is masked as well.
    """
    seen = text if text.isascii() else text.translate(_DIGITS_OF_ASCII)
    shown, end = [], 0
    for found in _IDENTITY_WITHIN.finditer(seen):
        first, last = (1, 2) if found[1] else (3, 4)
        shown += [text[end : found.start()], _digits(text, found, first)]
        shown += [MASK, _digits(text, found, last)]
        end = found.end()
    return "".join([*shown, text[end:]])


def _digits(text: str, found: re.Match[str], group: int) -> str:
    """Return a part of a number as it stands in a text, without what is between its digits."""
    return "".join(filter(str.isalnum, text[found.start(group) : found.end(group)]))


#: Longer texts are no codes or names, and are not kept in memory.
_LONGEST_NAME = 128


def _cached(function: Callable[[str], str]) -> Callable[[str], str]:
    """Keep the results of codes and names, which repeat."""
    kept = lru_cache(maxsize=2048)(function)

    @wraps(function)
    def of(text: str) -> str:
        return kept(text) if len(text) <= _LONGEST_NAME else function(text)

    return of


@_cached
def fold(text: str) -> str:
    """Return the text in NFKC (half-width), without spaces and invisible characters, in capitals.

    Cached: use it for codes and names, which repeat.
    """
    return fold_once(text)


def fold_once(text: str) -> str:
    """Like `fold`, without a cache: for document numbers and for identity numbers."""
    if text.isascii() and text.isprintable():
        return "".join(text.split()).upper()
    return "".join(visible(half_width(text)).split()).upper()


#: Characters that are normalised at once.
_PIECE = 256


def half_width(text: str) -> str:
    """Return the text in NFKC, piece by piece.

    A run of combining characters takes time that grows with the square of its length. At the border
    of two pieces characters are not combined.
    """
    if len(text) <= _PIECE:
        return unicodedata.normalize("NFKC", text)  # noqa: TID251
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return "".join(unicodedata.normalize("NFKC", piece) for piece in pieces)  # noqa: TID251


def note_sign(text: str) -> str | None:
    """Return the first character that NFKC makes digits of, though it is none, such as ² or ①.

    They are signs of footnotes: in an amount or a day they would become a part of the number.
    """
    if text.isascii():
        return None
    signs = (c for c in text if not c.isascii() and not c.isdecimal())
    return next((c for c in signs if any(map(str.isdecimal, half_width(c)))), None)


@lru_cache(maxsize=2048)
def credit_code_problem(code: str) -> str | None:
    """Return in Chinese why a code is no unified social credit code 统一社会信用代码, or None.

    The rule is GB 32100-2015: 18 characters of its alphabet, the last one a check character.
    Codes may begin with a letter (N 农业农村, A 军队, Y 其他).
    """
    if len(code) != 18:
        odd = next((i for i, c in enumerate(code) if c not in _USCC_VALUE), None)
        hint = "" if odd is None else f"，其中第{odd + 1}位“{code[odd]}”不是代码的字符"
        return f"统一社会信用代码应为18位，现为{len(code)}位{hint}"
    values = [_USCC_VALUE.get(letter) for letter in code]
    for position, (letter, value) in enumerate(zip(code, values, strict=True), 1):
        if value is None:
            hint = "（疑为数字0）" if letter == "O" else "（疑为数字1）" if letter == "I" else ""
            return f"第{position}位“{letter}”不是统一社会信用代码允许的字符{hint}"
    if not code[2:8].isdigit():
        return "第3至8位（登记机关行政区划码）应为数字"
    total = sum(v * w for v, w in zip(values[:17], USCC_WEIGHTS, strict=True) if v is not None)
    expected = USCC_ALPHABET[(31 - total) % 31]
    if code[17] != expected:
        return f"校验位不符：第18位应为“{expected}”，现为“{code[17]}”"
    return None


def credit_code(start: str) -> str:
    """Return an invented credit code: the 17 characters and their check character."""
    total = sum(_USCC_VALUE[c] * weight for c, weight in zip(start, USCC_WEIGHTS, strict=True))
    return start + USCC_ALPHABET[(31 - total) % 31]


def identity_card_problem(number: str) -> str | None:
    """Return why a number is no resident identity number 居民身份证号 (GB 11643), or None.

    The region of birth is not checked: regions change, and old numbers stay valid.
    """
    if not _IDENTITY.fullmatch(number):
        return "居民身份证号应为17位数字加1位校验码"
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "居民身份证号中的出生日期不存在"
    total = sum(int(d) * w for d, w in zip(number[:17], IDENTITY_WEIGHTS, strict=True))
    expected = IDENTITY_CHECKS[total % 11]
    return None if number[17] == expected else "居民身份证号校验码不符"


#: The first digits of identity numbers: provinces, GB/T 2260, and cards for residents of Hong Kong,
#: Macao and Taiwan.
_PROVINCES = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")


def is_identity_number(text: str) -> bool:
    """Whether a text is an identity number of somebody who may live, and not only by its digits.

    A credit code of digits passes the rule of GB 11643 now and then.
    """
    if identity_card_problem(text) is not None or not _PROVINCES.match(text):
        return False
    return text[6:8] in {"19", "20"}


def document_number_key(number: str) -> str:
    """Return the normal form of a document number 文书号, to compare two spellings.

    Spaces, widths, the kind of brackets and dashes, 號/号 and a full stop behind it make no
    difference. Deliveries have the number as it was written.
    """
    key = fold_once(number)
    if _HAS_SIGN(key):  # few have one, and to look is faster than to translate
        key = key.translate(_NUMBER_SIGNS)
    return key.rstrip("。")


def plain_number(key: str) -> str:
    """Return the normal form of a document number without 第, leading zeros, 年 and 号.

    Two decisions of one such form are most likely one.
    """
    if "年〕" in key or "〕第" in key or "〕0" in key:
        key = _AROUND_THE_YEAR.sub("〕", key)
    return key.rstrip("号")


@_cached
def authority_key(name: str) -> str:
    """Return the normal form of an authority's name 机关名称, for the table of aliases."""
    return fold_once(name).translate(_BRACKETS)


def is_sole_trader(code: str) -> bool:
    """Whether a credit code is that of a sole trader 个体工商户 (GB 32100-2015: 9 and 2)."""
    return code.startswith("92")


def region(code: str) -> str:
    """Return the six digits of the registration region 行政区划 in a credit code (3rd to 8th)."""
    return code[2:8]
