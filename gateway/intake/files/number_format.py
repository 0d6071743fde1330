"""Number formats 数字格式: what a person sees in a cell that holds a number.

A cell may hold 5 and show 样环罚字〔2026〕5号, hold 12 and show 0012, or hold 20000 and show
2.0万元. The format codes are those of ECMA-376 part 1, 18.8.31.
"""

import operator
import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property

#: Numbers of so many digits have lost their last ones, whatever the format shows.
_LOST = Decimal(10) ** 15
_COLOURS = "black|blue|cyan|green|magenta|red|white|yellow|黑色|蓝色|青色|绿色|洋红|红色|白色|黄色"
#: Characters of a format code; programs that show it allow no more.
_LONGEST = 255
#: A currency without a unit: 元 and 万元 have the same one.
_CURRENCY = re.compile("[¥￥$€£]|CNY|RMB|人民币", re.IGNORECASE)
#: What accountants write for nothing.
_NOTHING = frozenset({"-", "—", "–"})
#: The tokens of a section; what fits none of them shows the number in another way.
_TOKENS = re.compile(
    rf"""
    "(?P<quoted>[^"]*)" | [\\!](?P<escaped>.) | \[\$(?P<symbol>[^\]-]*)[^\]]*\]
    | \[(?:{_COLOURS}|(?:color|颜色)\s*\d+)\] | [_*].
    | \[(?P<condition>(?:[<>]=?|=|<>)-?\d+(?:\.\d+)?)\]
    | (?P<general>general|g/通用格式) | (?P<exponent>e[+-])
    | (?P<digit>[0#?]) | (?P<comma>,) | (?P<point>\.) | (?P<percent>%)
    | (?P<literal>[-+():^&'~{{}}<>= ]|[^\x00-\x7f])
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_LITERALS = frozenset({"quoted", "escaped", "symbol", "percent", "literal"})
_OPERATORS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


#: What is no sign of a format: literals, brackets but those of times, and marks of the day.
_OUTSIDE = re.compile(
    r'"[^"]*"|[\\!].|\[(?![hms]+\])[^\]]*\]|[_*].|general|am/pm|a/p|上午/下午', re.IGNORECASE
)


class ShownOtherwise(ValueError):
    """The cell shows its number in a way that is not read here, such as 贰万元整 or 5%."""


def _tokens(code: str) -> tuple[list[tuple[str, str]], bool]:
    """Return the tokens of a section up to one that is not known, and whether there is one."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(code):
        token = _TOKENS.match(code, at)
        if token is None:
            return found, True
        at = token.end()
        if token.lastgroup is not None:
            kind = "literal" if token.lastgroup in _LITERALS else token.lastgroup
            found.append((kind, token[token.lastgroup]))
    return found, False


def _condition(text: str) -> Callable[[Decimal], bool]:
    sign = text.rstrip("-.0123456789")
    compare, bound = _OPERATORS[sign], Decimal(text[len(sign) :])
    return lambda number: compare(number, bound)


class _Section:
    """One section of a format: literals and digits in their order."""

    def __init__(self, code: str) -> None:
        tokens, self.is_odd = _tokens(code)
        kinds = {kind for kind, _ in tokens}
        self.percents = sum(text == "%" for kind, text in tokens if kind == "literal")
        self.is_general, self.is_scientific = "general" in kinds, "exponent" in kinds
        bounds = [text for kind, text in tokens if kind == "condition"]
        self.condition = _condition(bounds[0]) if bounds else None
        self.groups = False
        self.thousands = 0  #: how often the number is divided by 1000
        #: (digit or "", literal or ""), of the whole number and of the decimals.
        self.whole: list[tuple[str, str]] = []
        self.decimals: list[tuple[str, str]] = []
        self._place(tokens)

    def _place(self, tokens: Iterable[tuple[str, str]]) -> None:
        places, commas, points = self.whole, 0, 0
        for kind, text in tokens:
            if kind == "digit":
                self.groups |= commas > 0
                commas = 0
                places.append((text, ""))
            elif kind == "comma":
                commas += 1
            elif kind == "point":
                points, places = points + 1, self.decimals
                self.thousands, commas = self.thousands + commas, 0
            elif kind == "general":
                places.append(("G", ""))
            elif kind == "literal":
                places.append(("", text))
        self.thousands += commas
        self.is_odd |= points > 1

    @cached_property
    def is_plain(self) -> bool:
        """Whether what is shown is the number, but for its rounding, grouping and currency."""
        literals = _CURRENCY.sub("", self._literals)
        if self.is_scientific:  # as is every long number, and the number is what counts
            return not (self.is_odd or any(map(str.isalnum, literals)))
        digits = [digit for digit, _ in self.whole]
        inner = "".join("d" if digit else "x" for digit in digits).strip("x")
        return not (
            self.is_odd
            or self.thousands
            or self.percents
            or "x" in inner
            or any(not digit for digit, _ in self.decimals[: self._last_decimal])
            or (digits.count("0") > 1 and not self.groups)
            or any(map(str.isalnum, literals))
            or not any(digits)
        )

    @property
    def _literals(self) -> str:
        return "".join(text for _, text in (*self.whole, *self.decimals))

    @property
    def has_currency(self) -> bool:
        """Whether a currency is shown, so that the unit is not clear."""
        return _CURRENCY.search(self._literals) is not None

    @property
    def is_nothing(self) -> bool:
        """Whether it shows a dash for the number 0, as accountants write it."""
        return not any(digit for digit, _ in self.whole) and self._literals.strip() in _NOTHING

    @property
    def _last_decimal(self) -> int:
        places = [place for place, (digit, _) in enumerate(self.decimals) if digit]
        return places[-1] if places else 0

    def shown(self, number: Decimal, sign: str) -> str:
        """Return the text of a number, given without its sign."""
        if self.is_odd or self.is_scientific:
            raise ShownOtherwise
        if self.is_general:
            plain = format(number.normalize(), "f")
            return sign + "".join(plain if digit == "G" else text for digit, text in self.whole)
        places = sum(bool(digit) for digit, _ in self.decimals)
        scaled = number * 100**self.percents / 1000**self.thousands
        try:
            rounded = scaled.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        except InvalidOperation:
            raise ShownOtherwise from None
        if rounded != scaled:  # what is shown is not what was meant, or the other way round
            raise ShownOtherwise
        whole, _, decimals = format(rounded, "f").partition(".")
        return (sign if rounded else "") + self._whole(whole) + self._decimals(decimals)

    def _whole(self, digits: str) -> str:
        """Return the whole number, its digits given to their places from the right."""
        left = [] if digits == "0" else list(digits)
        given, count = [], 0
        first = next((place for place, (digit, _) in enumerate(self.whole) if digit), None)
        for place in range(len(self.whole) - 1, -1, -1):
            digit, text = self.whole[place]
            if not digit:
                given.append(text)
                continue
            for _ in range(max(1, len(left)) if place == first else 1):
                shown = left.pop() if left else {"0": "0", "?": " "}.get(digit, "")
                if self.groups and shown.strip() and count and count % 3 == 0:
                    given.append(",")
                given.append(shown)
                count += 1
        return "".join(reversed(given))

    def _decimals(self, digits: str) -> str:
        if not self.decimals:
            return ""
        shown, left = [], list(digits)
        is_needed = False
        for digit, text in reversed(self.decimals):
            given = left.pop() if digit else text
            is_needed |= digit == "0" or (bool(digit) and given != "0")
            shown.append(given if is_needed or not digit else "")
        return "." + "".join(reversed(shown))


#: The place of the section for zero.
_ZERO = 2


class NumberFormat:
    """A format code, in its sections for positive, negative and no number."""

    def __init__(self, code: str) -> None:
        pieces = re.findall(r'"[^"]*"|\\.|[^;"\\]+|;|["\\]', code, re.DOTALL)
        codes = [""]
        for piece in pieces:
            codes = [*codes, ""] if piece == ";" else [*codes[:-1], codes[-1] + piece]
        # A section of texts says nothing of a number, which is shown as it is in a cell of texts.
        numbers = [one for one in codes if "@" not in _OUTSIDE.sub("", one)] or ["General"]
        self._sections = [_Section(one) for one in numbers[:3]]

    @property
    def is_plain(self) -> bool:
        """Whether every number is shown as it is, and without a currency."""
        *others, last = self._sections
        is_zero = len(others) == _ZERO and last.is_nothing
        plain = others if is_zero else self._sections
        return not any(one.has_currency for one in self._sections) and all(
            one.is_plain and one.condition is None for one in plain
        )

    def shown(self, text: str) -> str | None:
        """Return what is shown for a number; None where the number itself counts.

        Raises:
            ShownOtherwise: it cannot be told here.
        """
        try:
            number = Decimal(text)
        except InvalidOperation:
            return None
        if not (number.is_finite() and abs(number) < _LOST):
            return None
        number = Decimal(format(float(number), ".15g"))  # what is shown has no float's tail
        section, sign = self._section_of(number)
        if number == 0 and section.is_nothing:
            return None
        if section.is_plain and not (number and section.has_currency):
            return None
        return section.shown(abs(number), sign).strip()

    def _section_of(self, number: Decimal) -> tuple[_Section, str]:
        """Return the section of a number, and the sign that is shown before it."""
        sections = self._sections
        minus = "-" if number < 0 else ""
        if any(one.condition for one in sections):
            for one in sections:
                if one.condition is None or one.condition(number):
                    return one, minus
            raise ShownOtherwise
        if number < 0:
            return (sections[1], "") if len(sections) > 1 else (sections[0], minus)
        if number == 0 and len(sections) > 2:
            return sections[2], ""
        return sections[0], ""


#: Built-in formats of dates (18.8.30) that show no day: months, and times of the day. Those of
#: Chinese (27 to 36, 50 to 58) are other ones in other languages, so that they show nothing for
#: certain.
_MONTHS = frozenset({17})
_TIMES = frozenset({18, 19, 20, 21, 45, 46, 47})
_LETTERS = re.compile(r"y+|m+|d+|h+|s+", re.IGNORECASE)
#: Built-in formats of numbers that show another number, percent and fractions, or a currency.
_BUILT_IN = {9: "0%", 10: "0.00%", 12: "# ?/?", 13: "# ??/??"} | dict.fromkeys(
    (5, 6, 7, 8, 42, 44), '"¥"General'
)


class Dateless(StrEnum):
    """What a format of dates shows that shows no day."""

    MONTH = "month"
    TIME = "time"


def format_of(number: int, code: str | None) -> NumberFormat | Dateless | None:
    """Return what a format shows beside the number or day; None if that is what counts.

    `code` is that of a format of the file's own; without it the format is the built-in one.
    """
    if code is not None and len(code) > _LONGEST:
        return None
    if code is None and number in _MONTHS:
        return Dateless.MONTH
    if code is None and number in _TIMES:
        return Dateless.TIME
    code = _BUILT_IN.get(number, "General") if code is None else code
    runs = [run.lower() for run in _LETTERS.findall(_OUTSIDE.sub(" ", code.partition(";")[0]))]
    if runs:
        if any(run in {"d", "dd"} for run in runs):
            return None
        is_month = any(run[0] == "y" for run in runs) or not any(run[0] in "hs" for run in runs)
        return Dateless.MONTH if is_month else Dateless.TIME
    read = NumberFormat(code)
    return None if read.is_plain else read
