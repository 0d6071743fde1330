"""Root opens to another user what that user needs: a way to a folder, or a folder to read."""

import shlex
import stat
from pathlib import Path

from gateway.config.errors import Away
from schemas.faults import of_system


class OutOfReach(Away):
    """The user that runs a server may not read a file, and this process cannot let him."""

    lead = "运行自带 PostgreSQL 的用户读不到它的文件"


def let_pass(folder: Path) -> None:
    """Give every user the right to pass through the folder and its parents.

    Raises:
        OutOfReach: this process may not change the mode.
    """
    for step in (folder, *folder.parents):
        _add(step, stat.S_IXOTH, f"chmod a+x {shlex.quote(str(step))}")


def let_read(folder: Path) -> None:
    """Give every user the right to read and run what the owner can run, and to read the rest.

    Raises:
        OutOfReach: this process may not change the mode.
    """
    remedy = f"chmod -R a+rX {shlex.quote(str(folder))}"
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            _add(path, 0o555 if path.stat().st_mode & stat.S_IXUSR else 0o444, remedy)


def _add(path: Path, rights: int, remedy: str) -> None:
    mode = path.stat().st_mode
    if mode & rights == rights:
        return
    try:
        path.chmod(mode | rights)
    except OSError as error:
        raise OutOfReach(
            f"{path}（{of_system(error)}）：请由文件的所有者运行 {remedy}，"
            "或以普通用户运行 credit-gateway"
        ) from None
