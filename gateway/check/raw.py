"""One item of input as it came 原始输入 (pure)."""

from typing import NamedTuple

from schemas.codes import RecordKind

#: The position of an item in a workbook is sheet index × this number + row.
SHEET_STRIDE = 10_000_000


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
