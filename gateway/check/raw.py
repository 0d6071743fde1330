"""One item of input as it came 原始输入 (pure)."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.codes import RecordKind

#: The position of an item in a workbook is sheet index × this number + row.
SHEET_STRIDE = 10_000_000
#: Bytes that are kept of a record that is too large: its origin names the whole.
START_BYTES = 2**16
#: Bytes of the items that are processed at once; one item may have more.
PORTION_BYTES = 32 * 2**20


class Raw(NamedTuple):
    """One item of input as it came: its bytes and where they came from.

    `origin` and `position` identify it for ever: cluster, topic and partition with offset; file
    hash with row; request key with index; quarantine id with replay number.
    """

    origin: str
    position: int
    body: bytes | None
    kind: RecordKind | None

    @property
    def line(self) -> int:
        """The line of the file, or the row of the sheet, that it is from."""
        return self.position % SHEET_STRIDE

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.body or b"")

    def start(self) -> "Raw":
        """Return the item with the start of its bytes only."""
        return self._replace(body=(self.body or b"")[:START_BYTES])


def portion(items: Iterator[Raw], count: int) -> list[Raw]:
    """Take the next items: at most `count`, and no more once they have PORTION_BYTES together."""
    taken: list[Raw] = []
    size = 0
    for one in items:
        taken.append(one)
        size += one.size
        if len(taken) >= count or size >= PORTION_BYTES:
            break
    return taken
