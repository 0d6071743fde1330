"""What root opens to the user that runs PostgreSQL, and what it says where it cannot."""

import stat
from pathlib import Path

import pytest

from gateway.embedded.access import OutOfReach, let_read


def test_files_hidden_by_a_closed_umask_become_readable_and_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o700)
    for name, mode in (("postgres", 0o711), ("postgres.bki", 0o600)):
        (folder / name).touch()
        (folder / name).chmod(mode)

    let_read(folder)

    modes = [
        stat.S_IMODE(path.stat().st_mode)
        for path in (folder, folder / "postgres", folder / "postgres.bki")
    ]
    assert modes == [0o755, 0o755, 0o644]


def test_a_file_that_cannot_be_opened_is_named_with_what_to_do() -> None:
    # Nobody, root included, may change the mode of these files of the kernel.
    with pytest.raises(OutOfReach) as told:
        let_read(Path("/proc/sys/vm"))

    assert "chmod -R a+rX /proc/sys/vm，" in told.value.told()
    assert "以普通用户运行" in told.value.told()
    assert len(told.value.told().splitlines()) == 1
