"""Number formats 数字格式 that show more than the number: what a person sees in such a cell.

A cell may hold 5 and show 样环罚字〔2026〕5号, or hold 12 and show 0012. The format codes are those
of ECMA-376 part 1, 18.8.31; of a code that is not of the simple form here, the number counts.
"""

import re
from dataclasses import dataclass

#: Numbers of so many digits have lost their last ones, whatever the format shows.
_LOST = 1e15
#: A literal: quoted, escaped, a currency in brackets, or a letter that stands for itself.
_LITERAL = r'(?:"[^"]*"|\\.|\[\$[^\]]*\]|_.|\*.|[-+/():!^&\'~{}<>= ]|[^\x00-\x7f])'
_CODE = re.compile(
    rf"(?:\[(?:black|blue|cyan|green|magenta|red|white|yellow|color\d+)\])*"
    rf"({_LITERAL}*)(general|[#0,]+(?:\.[0#]+)?)({_LITERAL}*)",
    re.IGNORECASE,
)
_PART = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|[_*].|(.)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """What a format puts before and behind a number, and the digits that it shows at least."""

    before: str
    digits: int
    after: str

    def shown(self, text: str) -> str | None:
        """Return what is shown for a number that is not negative; None for any other."""
        try:
            number = float(text)
        except ValueError:
            return None
        if not 0 <= number < _LOST:
            return None
        plain = str(int(number)).zfill(self.digits) if number.is_integer() else text
        return f"{self.before}{plain}{self.after}".strip()


def number_format(code: str) -> NumberFormat | None:
    """Return a format that shows letters, digits or leading zeros beside the number, else None."""
    read = _CODE.fullmatch(_first_section(code))
    if read is None:
        return None
    before, after = _literal(read[1]), _literal(read[3])
    digits = read[2].partition(".")[0].replace(",", "").count("0")
    if digits < 2 and not any(map(str.isalnum, before + after)):
        return None
    return NumberFormat(before, digits, after)


def _first_section(code: str) -> str:
    """Return the section for positive numbers."""
    pieces = re.findall(r'"[^"]*"|\\.|[^;"\\]+|;|["\\]', code, re.DOTALL)
    return "".join(pieces[: pieces.index(";")] if ";" in pieces else pieces)


def _literal(code: str) -> str:
    return "".join("".join(part) for part in _PART.findall(code))
