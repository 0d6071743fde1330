"""The file door: NDJSON, CSV (UTF-8 with or without BOM, GB18030), XLSX, as raw items.

NDJSON and CSV are read in constant memory however long they are; an XLSX file is refused beyond
its limits before it is unpacked. Nothing in a file is ever evaluated.
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
    """SHA-256 of the file, which names it as an origin."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def read(path: Path, limits: FileLimits, kind: RecordKind | None = None) -> Iterator[Raw]:
    """The rows of a file as raw items; `kind` where neither header nor row tells it.

    Raises:
        UnreadableFile: not a table, too large, or no known column in its header.
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
    """Items in lists of `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _body(row: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, default=str)
    except TypeError:  # a lone surrogate stands for a byte that is not in the file's encoding
        return repr(row).encode("utf-8", "surrogateescape")


# ---------------------------------------------------------------- NDJSON


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
    """Pass over the rest of a line that is too long; its beginning is refused as no JSON."""
    while (part := stream.readline(_HASH_BLOCK)) and not part.endswith(b"\n"):
        pass


# ---------------------------------------------------------------- CSV


# ---------------------------------------------------------------- XLSX


# ---------------------------------------------------------------- headers
