"""File intake: read NDJSON, CSV (UTF-8 with or without BOM, or GB18030) and XLSX as raw items.

NDJSON and CSV are read in constant memory; an XLSX file beyond the limits is refused before it is
unpacked. Nothing in a file is ever evaluated.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from gateway.check.raw import Raw
from gateway.config.settings import FileLimits
from gateway.intake.spreadsheets import csv_rows, xlsx_rows
from schemas.codes import RecordKind

_HASH_BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"


def file_hash(path: Path) -> str:
    """Return the SHA-256 of the file, which is its origin."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def read(path: Path, limits: FileLimits, kind: RecordKind | None = None) -> Iterator[Raw]:
    """Yield the rows of a file as raw items; `kind` is for files that do not show it themselves.

    Raises:
        UnreadableFile: not a table, too large, or no column names in its first row.
    """
    origin = f"file:{file_hash(path)}"
    match path.suffix.lower():
        case ".xlsx":
            rows = xlsx_rows(path, limits, kind)
        case ".csv":
            rows = csv_rows(path, limits, kind)
        case _:
            yield from _ndjson(path, limits, kind, origin)
            return
    for position, row_kind, row in rows:
        yield Raw(origin, position, _body(row), row_kind)


def batches(items: Iterable[Raw], size: int) -> Iterator[list[Raw]]:
    """Yield the items in lists of `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _body(row: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, default=str)
    except TypeError:  # a lone surrogate: a byte that is invalid in the file's encoding
        return repr(row).encode("utf-8", "surrogateescape")


def _ndjson(path: Path, limits: FileLimits, kind: RecordKind | None, origin: str) -> Iterator[Raw]:
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(limits.max_line_bytes + 1):
            number += 1
            if not line.endswith(b"\n") and len(line) > limits.max_line_bytes:
                _skip_line(stream)
            if number == 1:
                line = line.removeprefix(_BOM)
            if line.strip():
                yield Raw(origin, number, line.rstrip(b"\r\n"), kind)


def _skip_line(stream: BinaryIO) -> None:
    """Skip the rest of a line that is too long; its start is refused, because it is not JSON."""
    while (part := stream.readline(_HASH_BLOCK)) and not part.endswith(b"\n"):
        pass
