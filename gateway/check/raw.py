"""An item of input as it came 原始输入 (pure)."""

from typing import NamedTuple

from schemas.codes import RecordKind


class Raw(NamedTuple):
    """One item of input as it came: bytes and where they came from.

    `origin` and `position` name it for ever: cluster, topic and partition with offset; file hash
    with row; request key with index; quarantine id with replay number.
    """

    origin: str
    position: int
    body: bytes | None
    kind: RecordKind | None


#: Rows of an XLSX file are numbered by sheet and row.
SHEET_STRIDE = 10_000_000


def line_of(raw: Raw) -> int:
    """The line or row of its file, or sheet, that an item stood in."""
    return raw.position % SHEET_STRIDE
