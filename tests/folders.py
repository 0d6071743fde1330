"""Folders for the servers of tests."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.embedded.postgres import EmbeddedPostgres

#: A file system in memory, and the bytes that it must have free: a new database, of which each test
#: has one, takes a sixth of the time there.
_MEMORY, _ROOM = Path("/dev/shm"), 4 * 2**30  # noqa: S108  the folders have names of their own


@contextmanager
def server_folder() -> Iterator[Path]:
    """Give a folder with a short path, which sockets need, open to other users; then delete it."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    folder = Path(tempfile.mkdtemp(prefix="cg-", dir=_MEMORY if roomy else None))
    try:
        yield folder
    finally:
        shutil.rmtree(EmbeddedPostgres(folder).runtime, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
