"""Find the amounts of money in a text, such as 处罚内容, in yuan (pure)."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from gateway.check.amounts import GROUPS, LETTERS, TENS, chinese_number, number_in
from schemas.identifiers import half_width

_UNITS = "".join([*TENS, *GROUPS])
_O = "OoＯｏ"
_BLANKS = " \u00a0\u2009\u3000"
#: Digits of both widths: normalising whole texts would take longer than reading them. A number
#: begins where none goes on, and is never given back in parts: otherwise a long one is read again
#: from each digit, and 20 000 元 would be 0 元. A letter that was typed for a digit, as in 2O000元,
#: is none: such a number is not read at all.
_BEGINS = (
    rf"(?<![\d{_O}])(?<![\d{_O}][,，.．])(?<!\d[A-Za-z])"
    rf"(?!(?<=[\d{_O}][{_BLANKS}])(?:0|\d{{1,3}}(?!\d)))(?<![{LETTERS}])"
)
_NUMBER = r"\d{1,40}+(?:[,，.．]\d{1,40}+){0,8}"
_DIGITS = rf"(?>{_NUMBER}(?:\s?[{_UNITS}](?:[零〇{_UNITS}]|{_NUMBER}){{0,20}})?)"
_CHINESE = rf"(?<![{LETTERS}])[{LETTERS}]{{2,40}}+"
_SPACED = rf"(?>\d{{1,3}}(?:[{_BLANKS}]\d{{3}}){{1,4}}(?:[.．]\d{{1,2}})?)"
#: What says that a number behind it is money, whether or not it has a unit.
_MONEY = (
    r"(?:罚款|罚金|罚没款?|没收违法所得|人民币|RMB|CNY|[¥￥])"
    r"(?>(?:金额|数额|总额|共计|合计|人民币|RMB|CNY|大写|小写|计|为"
    rf"|[¥￥:：（()）]|[{_BLANKS}]){{0,8}})"
)
#: What follows a number that is none of 元: a measure, or foreign money.
_OTHERWISE = (
    rf"(?!\s*(?:[,，.．]?[\d{_O}]|[IlＩｌ]|[%％‰元圆万亿余多美港欧日英]"
    r"|[个倍吨立平方米公斤千克升人户天辆台次件条亩年月]))"
)
#: The end of a range, as in 罚2万以上10万以下.
_NO_RANGE = r"(?!\s*(?:以上|以下|以内|[至到~～—-]))"
#: What says that a number before it is a fine, as in 处2万罚款 and 2万的罚款.
_A_FINE = r"\s*(?:人民币|RMB)?\s*的?\s*(?:行政)?(?:罚款|罚金)"
#: A unit in brackets behind a number, as in 1,200.00（万元） and 1200（单位：万元）.
_IN_BRACKETS = (
    r"\s*[（(]\s*(?:(?:金额|计量|货币)?单位)?\s*[:：为]?\s*(?:人民币)?"
    rf"(?P<unit{{}}>[{_UNITS}]{{{{0,2}}}})[元圆]\s*[）)]"
)
#: What begins an amount: most characters of a text begin none, and are passed at once.
_FIRST = rf"(?=[\d{LETTERS}罚没人RC¥￥])"
_WRITTEN = re.compile(
    rf"{_FIRST}(?:{_MONEY}(?:(?P<spaced>{_SPACED})\s*[元圆]"
    rf"|(?P<number1>{_SPACED}|{_DIGITS}|{_CHINESE}){_IN_BRACKETS.format(1)}"
    rf"|(?P<unitless>{_DIGITS}|{_CHINESE}){_OTHERWISE})"
    rf"|{_BEGINS}(?P<number2>{_DIGITS}){_IN_BRACKETS.format(2)}"
    rf"|(?:{_BEGINS}(?P<digits>{_DIGITS})|(?P<chinese>{_CHINESE}))\s*[元圆]"
    rf"|(?<![至到~～—-])(?:{_BEGINS}(?P<fine1>{_DIGITS})|(?P<fine2>{_CHINESE})){_A_FINE}"
    rf"|罚\s*(?P<fine3>{_DIGITS}|{_CHINESE}){_OTHERWISE}{_NO_RANGE})"
)
#: Groups of numbers that may have no unit; of the latter ones they need one, for 罚 is a weak word.
_PERHAPS_UNITLESS, _WITH_UNIT = {"unitless", "fine1", "fine2", "fine3"}, {"fine1", "fine2", "fine3"}
#: Units of a number that may do without 元, as in 罚款10万.
_LARGE = "千仟万萬亿億"
#: Without a unit a number from here on is one of yuan: as 万元 it would be a hundred million.
_SURELY_YUAN = 10_000
_PARTS = re.compile(
    r"(?:(?P<千>[\d.]+)千)?(?:零?(?P<百>[\d.]+)百)?(?:零?(?P<十>[\d.]+)十)?(?P<zero>零?)(?P<一>[\d.,]*)"
)
_PLAIN_UNITS = str.maketrans("仟佰拾萬億〇", "千百十万亿零")


class Amounts(NamedTuple):
    """Amounts in yuan, in the order of a text, and all of them together."""

    each: tuple[Decimal, ...]
    total: Decimal

    def have(self, yuan: Decimal) -> bool:
        """Whether an amount is one of them, or all together."""
        return yuan in self.each or yuan == self.total


class Written(NamedTuple):
    """The amounts of a text: all, and those at which a unit is written; others are of yuan."""

    all: Amounts
    with_unit: Amounts


def yuan_in(text: str) -> tuple[Decimal, ...]:
    """Return the amounts of a text in yuan, in its order: 20000元, 2万元, 1千元 and 贰万元.

    A sum of money without a unit counts if it cannot be one of 万元. What may mean two amounts is
    left out.
    """
    return written_in(text).all.each


@lru_cache(maxsize=8)
def written_in(text: str) -> Written:
    """Return the amounts of a text; cached, because several comparisons ask for the same one."""
    found = list(_amounts(text))
    return Written(
        _together(yuan for yuan, _ in found),
        _together(yuan for yuan, has_unit in found if has_unit),
    )


def _together(amounts: Iterable[Decimal]) -> Amounts:
    each = tuple(amounts)
    return Amounts(each, sum(each, Decimal(0)))


def _amounts(text: str) -> Iterator[tuple[Decimal, bool]]:
    """Yield each amount of a text, and whether a unit is written at it."""
    for found in _WRITTEN.finditer(text):
        unit = found["unit1"] if found["unit1"] is not None else found["unit2"]
        if unit is not None:
            value = _value(found["number1"] or found["number2"], unit)
            if value is not None:
                yield value, True
            continue
        group = found.lastgroup or ""
        given = found[group]
        value, has_unit = _value(given), group not in _PERHAPS_UNITLESS or _has_unit(given)
        is_sure = has_unit or (group not in _WITH_UNIT and _is_money(given, value))
        if value is not None and is_sure:
            yield value, has_unit


def _value(given: str, unit: str = "") -> Decimal | None:
    """Return the value of a number, in a unit such as 万; None if it is not clear."""
    if unit:
        factor = chinese_number(unit) or chinese_number(f"一{unit}")
        number = None if any(one in given for one in _UNITS) else _value(given)
        return None if number is None or factor is None else number * factor
    if given.isascii() and given.isdecimal():
        return Decimal(given)
    if not given[0].isdecimal():
        value = chinese_number(given)
        return None if value is None else Decimal(value)
    return _mixed("".join(half_width(given).split()).translate(_PLAIN_UNITS))


def _has_unit(given: str) -> bool:
    return any(unit in given for unit in _LARGE)


def _is_money(given: str, value: Decimal | None) -> bool:
    """Whether a number without a unit is one of yuan: it is too large for 万元."""
    return value is not None and (value >= _SURELY_YUAN or "," in given)


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
