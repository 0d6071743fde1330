"""The records that stand in hidden rows, and the hidden columns that are read: both are told."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from gateway.intake.files.address import column_letters
from gateway.intake.files.header import Header
from gateway.intake.files.hidden import Hidden, Span

#: Rows and columns that are named; the others are only counted.
_NAMED = 5


class Unseen:
    """What of a table is hidden and read all the same."""

    def __init__(self, hidden: Hidden, header: Header) -> None:
        """Take what is hidden in a sheet, and the header by which it is read."""
        self._spans = hidden.rows
        places = (n for n, name in enumerate(header.names, 1) if name)
        #: Letters of the hidden columns that have a name.
        self.columns = tuple(column_letters(n) for n in places if _is_within(hidden.columns, n))
        self.rows: list[int] = []  #: hidden rows that are records

    def read(self, row: int) -> None:
        """Note a record, if its row is hidden."""
        if self._spans and _is_within(self._spans, row):
            self.rows.append(row)

    def words(self) -> Iterator[str]:
        """Yield what is said of them in Chinese."""
        for named, unit in ((list(map(str, self.rows)), "行"), (self.columns, "列")):
            if named:
                which = f"{'第' if unit == '行' else ''}{_some(named, unit)}"
                yield f"    {which}被隐藏，照样读入；不该报的，删去后再报"


def _is_within(spans: Sequence[Span], number: int) -> bool:
    place = bisect_right(spans, number, key=lambda span: span[0])
    return place > 0 and number <= spans[place - 1][1]


def _some(named: Sequence[str], unit: str) -> str:
    """Return the first ones by name, and how many there are."""
    more = f"等 {len(named)} {unit}" if len(named) > _NAMED else unit
    return f"{'、'.join(named[:_NAMED])}{more}"
