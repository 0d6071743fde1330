"""Rows of a ledger on disk, so that a month of any size needs little memory."""

import pickle
import weakref
from collections.abc import Collection, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import TypeVar

Spooled = TypeVar("Spooled")

#: A spool of fewer bytes stays in memory.
IN_MEMORY = 8 * 2**20


class Spool(Collection[Spooled]):
    """Rows that are written once, in slices, and read in their order as often as wanted.

    The file has no name and is gone with the spool.
    """

    def __init__(self) -> None:
        file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  it lives as long as we do
        self._file = file
        self._slices: list[int] = []  #: where each begins
        self._count = 0
        weakref.finalize(self, file.close)

    def add(self, rows: Sequence[Spooled]) -> None:
        """Append a slice."""
        self._slices.append(self._file.seek(0, 2))
        pickle.dump(rows, self._file, pickle.HIGHEST_PROTOCOL)
        self._count += len(rows)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count

    def __iter__(self) -> Iterator[Spooled]:
        """Yield every row; several readers may be at different places."""
        for start in self._slices:
            self._file.seek(start)
            yield from pickle.load(self._file)  # noqa: S301  nobody else can write this file

    def __contains__(self, row: object) -> bool:
        """Whether there is an equal row; it reads them all."""
        return any(one == row for one in self)
