"""Set-up works for other users, folders, umasks and locales."""

import os
import subprocess
from pathlib import Path

from tests.setup.place import READY, Place, copy, open_folder

#: Root runs set-up as this user; another user is already an ordinary one.
ORDINARY = "nobody" if os.geteuid() == 0 else None


def test_an_ordinary_user_can_set_up_in_a_chinese_folder_with_umask_077_and_locale_c() -> None:
    with open_folder() as folder:
        place = in_a_chinese_folder(folder)

        ran = place.make(READY)

        assert (ran.code, ran.failures[1:]) == (0, []), ran.err
        answer = place.run(place.bin("credit-gateway"), "code", "91150100MA0N999929")
        assert "91150100MA0N999929" in answer.out, answer.err
        tests = place.run(place.bin("pytest"), "-q", "-p", "no:cacheprovider", "tests/schemas")
        assert tests.code == 0, tests.out


def in_a_chinese_folder(folder: Path) -> Place:
    """Copy the tree for an ordinary user with an empty home and the locale C."""
    tree = copy(folder / "双公示 网关").root
    (folder / "home").mkdir()
    if ORDINARY is not None:
        subprocess.run(["chown", "-R", ORDINARY, folder], check=True)
    home = {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "home" / ".cache")}
    empty = {"UV_CACHE_DIR": str(folder / "home" / "uv"), "LANG": "C", "LC_ALL": "C"}
    return Place(tree, ORDINARY, 0o077, {**home, **empty})
