"""One item of input as it came 原始输入 (pure)."""

from typing import NamedTuple

from schemas.codes import RecordKind


class Raw(NamedTuple):
    """One item of input as it came: its bytes and where they came from.

    `origin` and `position` identify it for ever: cluster, topic and partition with offset; file
    hash with row; request key with index; quarantine id with replay number.
    """

    origin: str
    position: int
    body: bytes | None
    kind: RecordKind | None


#: The position of an XLSX row is sheet index × this number + row.
SHEET_STRIDE = 10_000_000


def line_of(raw: Raw) -> int:
    """Return the line of the file, or the row of the sheet, that an item is from."""
    return raw.position % SHEET_STRIDE
