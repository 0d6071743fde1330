"""What a folder of a platform can do, whatever the protocol, and how it is opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from connectors.file_drop import ftp, sftp
from connectors.file_drop.settings import FileDropSettings


class RemoteFolder(Protocol):
    """The files of an account, by path.

    Each method raises NotSent if the server is away or has no room, and CallRejected if the account
    may not, or something is not there.
    """

    async def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder."""

    async def size(self, path: str) -> int:
        """Return the size of a file in bytes."""

    async def read(self, path: str, most: int) -> bytes:
        """Return a file; raises CallRejected if it has more bytes than that."""

    async def write(self, path: str, data: bytes) -> None:
        """Write a file, which may be there already."""

    async def rename(self, path: str, to: str) -> None:
        """Rename a file at once; raises OutcomeUnknown if the answer is lost."""

    async def remove(self, path: str) -> None:
        """Delete a file."""

    async def make(self, folder: str) -> None:
        """Make a folder, which may be there already."""

    async def make_folder(self, folder: str) -> None:
        """Make a folder, which must not be there: of several at once one succeeds."""

    async def remove_folder(self, folder: str) -> None:
        """Delete an empty folder."""


@asynccontextmanager
async def opened(settings: FileDropSettings) -> AsyncIterator[RemoteFolder]:
    """Open a connection for the block; raises NotSent or CallRejected."""
    enter = sftp.opened if settings.protocol == "sftp" else ftp.opened
    async with enter(settings) as folder:
        yield folder
