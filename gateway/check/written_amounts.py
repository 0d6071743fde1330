"""Find the amounts of money in a text, such as 处罚内容, in yuan (pure)."""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from gateway.check.amounts import GROUPS, LETTERS, TENS, chinese_number, number_in
from schemas.identifiers import half_width

_UNITS = "".join([*TENS, *GROUPS])
_BLANKS = " \u00a0\u2009\u3000"
#: Digits of both widths: normalising whole texts would take longer than reading them. A number
#: begins where none goes on, and is never given back in parts: otherwise a long one is read again
#: from each digit, and 20 000 元 would be 0 元.
_BEGINS = rf"(?<!\d)(?<!\d[,，.．])(?!(?<=\d[{_BLANKS}])(?:0|\d{{1,3}}(?!\d)))(?<![{LETTERS}])"
_NUMBER = r"\d{1,40}+(?:[,，.．]\d{1,40}+){0,8}"
_DIGITS = rf"(?>{_NUMBER}(?:\s?[{_UNITS}](?:[零〇{_UNITS}]|{_NUMBER}){{0,20}})?)"
_CHINESE = rf"(?<![{LETTERS}])[{LETTERS}]{{2,40}}+"
_SPACED = rf"(?>\d{{1,3}}(?:[{_BLANKS}]\d{{3}}){{1,4}}(?:[.．]\d{{1,2}})?)"
#: What says that a number behind it is money, whether or not it has a unit.
_MONEY = (
    r"(?:罚款|罚金|罚没款?|没收违法所得|人民币|RMB|CNY|[¥￥])"
    rf"(?>(?:金额|数额|总额|共计|合计|人民币|RMB|CNY|计|为|[¥￥:：（(]|[{_BLANKS}]){{0,6}})"
)
#: What follows a number that is none of 元: a measure, or foreign money.
_OTHERWISE = (
    r"(?!\s*(?:[,，.．]?\d|[%％‰元圆万亿余多美港欧日英]"
    r"|[个倍吨立平方米公斤千克升人户天辆台次件条亩年月]))"
)
_WRITTEN = re.compile(
    rf"{_MONEY}(?:(?P<spaced>{_SPACED})\s*[元圆]|(?P<unitless>{_DIGITS}|{_CHINESE}){_OTHERWISE})"
    rf"|(?:{_BEGINS}(?P<digits>{_DIGITS})|(?P<chinese>{_CHINESE}))\s*[元圆]"
)
#: Units of a number that may do without 元, as in 罚款10万.
_LARGE = "千仟万萬亿億"
#: Without a unit a number from here on is one of yuan: as 万元 it would be a hundred million.
_SURELY_YUAN = 10_000
_PARTS = re.compile(
    r"(?:(?P<千>[\d.]+)千)?(?:零?(?P<百>[\d.]+)百)?(?:零?(?P<十>[\d.]+)十)?(?P<zero>零?)(?P<一>[\d.,]*)"
)
_PLAIN_UNITS = str.maketrans("仟佰拾萬億〇", "千百十万亿零")


@lru_cache(maxsize=8)
def yuan_in(text: str) -> tuple[Decimal, ...]:
    """Return the amounts of a text in yuan, in its order: 20000元, 2万元, 1千元 and 贰万元.

    A sum of money without a unit counts if it cannot be one of 万元. What may mean two amounts is
    left out. Cached, because several comparisons ask for the same text.
    """
    return tuple(_amounts(text))


def _amounts(text: str) -> Iterator[Decimal]:
    for found in _WRITTEN.finditer(text):
        given = found[found.lastgroup or 0]
        value = _value(given)
        if value is not None and (found.lastgroup != "unitless" or _is_money(given, value)):
            yield value


def _value(given: str) -> Decimal | None:
    if given.isascii() and given.isdecimal():
        return Decimal(given)
    if not given[0].isdecimal():
        value = chinese_number(given)
        return None if value is None else Decimal(value)
    return _mixed("".join(half_width(given).split()).translate(_PLAIN_UNITS))


def _is_money(given: str, value: Decimal) -> bool:
    """Whether a number without 元 is one of yuan: it has a unit, or is too large for 万元."""
    return any(unit in given for unit in _LARGE) or value >= _SURELY_YUAN or "," in given


def _mixed(text: str) -> Decimal | None:
    """Return the value of digits with units, such as 2万5千 or 1.5亿; None if it is not clear."""
    for unit in "亿万":
        head, found, tail = text.rpartition(unit)
        if found:
            value, rest = _mixed(head), _mixed(tail) if tail else Decimal(0)
            is_lone = len(tail) == 1  # 2万5 is 25000 where people speak
            return None if value is None or rest is None or is_lone else value * GROUPS[unit] + rest
    return _below(text)


def _below(text: str) -> Decimal | None:
    if not any(unit in text for unit in "千百十"):
        return number_in(text.removeprefix("零"))
    found = _PARTS.fullmatch(text)
    if found is None or (found["一"] and not found["zero"]):
        return None
    total = Decimal(0)
    for unit, factor in (("千", 1000), ("百", 100), ("十", 10), ("一", 1)):
        value = number_in(found[unit]) if found[unit] else Decimal(0)
        if value is None:
            return None
        total += value * factor
    return total
