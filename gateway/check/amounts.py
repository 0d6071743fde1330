"""Read an amount of money in 万元 as people write it, or say why it is none (pure)."""

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

from schemas.base import plain_number
from schemas.identifiers import half_width, note_sign, visible

#: Decimal(18,6): twelve digits before the point, six after it.
_LIMIT = Decimal(10) ** 12
_MILLIONTH = Decimal("0.000001")
#: A float of 64 bits holds 15 digits; what differs behind them is no digit that a person wrote.
_FLOAT_DIGITS = 15
YUAN_PER_WAN = Decimal(10_000)
_LARGEST_EXPONENT = 40

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?", re.ASCII)
_SIGNS = re.compile(r"^(罚款|处罚款)?(人民币|RMB|CNY|[¥$])?\s*", re.IGNORECASE)
_UNIT = re.compile(r"\s*(亿元|亿|万元|万|元|圆|圓)?\s*[整正]?$")
_WAN_PER_UNIT = {"亿元": 10_000, "亿": 10_000, "万元": 1, "万": 1}

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")}
_DIGITS |= {c: n for n, c in enumerate("〇壹贰叁肆伍陆柒捌玖")} | {"两": 2, "貳": 2, "陸": 6}
TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
GROUPS = {"亿": 10**8, "億": 10**8, "万": 10**4, "萬": 10**4}
LETTERS = "".join([*_DIGITS, *TENS, *GROUPS])
_CHINESE = re.compile(rf"[{LETTERS}]+")
_FIX = "只填数字，单位万元，如 0.2"


class Amount(NamedTuple):
    """An amount in 万元, or what is wrong with it and the fix, in Chinese."""

    wan: Decimal | None
    wrong: str = ""
    fix: str = ""


@lru_cache(maxsize=4096)
def read_amount(given: str) -> Amount:
    """Return the amount of a text in 万元; 元 and 亿元 are converted where they are written."""
    if (note := note_sign(given)) is not None:
        return Amount(None, f"“{given}”里的“{note}”不是数字，像注释的编号", "删去它，只留金额")
    text = visible(half_width(given)).strip()
    sign = _SIGNS.match(text)
    currency, rest = (sign[2] if sign else None), text[sign.end() if sign else 0 :]
    unit = _UNIT.search(rest)
    word, number = (unit[1], rest[: unit.start()]) if unit else (None, rest)
    chinese = _chinese(rest, word, number)
    if chinese is not None:
        return _bounded(given, chinese)
    if currency and word is None and number_in(number) is not None:
        return Amount(None, f"“{given}”没有写单位，不知道是元还是万元", _FIX)
    value = number_in(number)
    if value is None:
        return Amount(None, f"“{given}”不是金额", _FIX)
    if word in {"元", "圆", "圓"}:
        return _bounded(given, value / YUAN_PER_WAN)
    return _bounded(given, value * _WAN_PER_UNIT.get(word or "万元", 1))


def _bounded(given: str, wan: Decimal) -> Amount:
    if wan < 0:
        return Amount(None, f"金额 {given} 是负数", "填0以上、单位万元的数")
    if not wan.is_finite() or wan >= _LIMIT:
        return Amount(None, f"金额 {given} 超出范围", "填0以上、单位万元的数")
    exact = wan.quantize(_MILLIONTH)
    if exact == wan:
        return Amount(plain_number(wan))
    if _is_float_tail(wan, exact):
        return Amount(plain_number(exact.normalize()))
    return Amount(None, f"金额 {given} 超过6位小数", "四舍五入到6位小数")


def _is_float_tail(value: Decimal, exact: Decimal) -> bool:
    """Whether two numbers differ only where a float of 64 bits is not exact."""
    if len(value.as_tuple().digits) <= _FLOAT_DIGITS:
        return False
    return abs(value - exact) < abs(value).scaleb(1 - _FLOAT_DIGITS)


def number_in(text: str) -> Decimal | None:
    """Return a number, with commas only between groups of three; one elsewhere may be a point."""
    text = text.strip()
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    elif not _NUMBER.fullmatch(text):
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    # A number of absurd size is no amount, and could not be calculated with.
    usual = -_LARGEST_EXPONENT < value.adjusted() < _LARGEST_EXPONENT
    return value if usual or not value else None


def _chinese(whole: str, unit: str | None, number: str) -> Decimal | None:
    """Return an amount such as 贰万元整 or 三千元 in 万元; None if it is none.

    Without a word for yuan, 万 or 亿 nobody knows its unit.
    """
    text = whole.strip().rstrip("整正").rstrip("元圆圓")
    if not _CHINESE.fullmatch(text) or (unit is None and not GROUPS.keys() & set(number)):
        return None
    yuan = chinese_number(text)
    return None if yuan is None else Decimal(yuan) / YUAN_PER_WAN


def chinese_number(text: str) -> int | None:
    """Return the value of a Chinese numeral such as 贰万叁仟 or 一亿二千万; None if it is none.

    Spoken short forms such as 三万五 (35,000) are none: nobody knows what was meant.
    """
    for letters, factor in (("亿億", 10**8), ("万萬", 10**4)):
        place = max(map(text.rfind, letters))
        if place >= 0:
            head, tail = chinese_number(text[:place]), _behind(text[place + 1 :])
            return None if head is None or tail is None else head * factor + tail
    return _below_ten_thousand(text)


def _behind(tail: str) -> int | None:
    """Return the value behind 万 or 亿: nothing, or a number of its own; no lone digit."""
    if not tail:
        return 0
    return None if len(tail) == 1 else chinese_number(tail)


def _below_ten_thousand(text: str) -> int | None:
    total, digit, last = 0, None, 10_000
    zero = False
    for letter in text:
        if letter in TENS:
            if TENS[letter] >= last or digit == 0:
                return None
            last = TENS[letter]
            total += (1 if digit is None else digit) * last
            digit, zero = None, False
        elif digit:
            return None  # two digits in a row
        else:
            digit = _DIGITS[letter]
            zero |= digit == 0
            digit = digit or None
    if digit is not None and last > 10 and total and not zero:
        return None  # 一百二 may be 102 or 120
    return total + (digit or 0) if text else None
