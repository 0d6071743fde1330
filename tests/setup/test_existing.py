"""What is there already: a killed set-up, another Python, newer versions in the index."""

import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.setup.place import READY, Place, Ran, copy, outside
from tests.setup.pythons import distribution, found
from tests.setup.test_lock import LOCK, UV, VERSIONS

OLDEST_PIP = (
    "pip==23.0 --hash=sha256:b5f88adff801f5ef052bcdef3daa31b55eb67b0fccd6d0106c206fa248e0463c"
)


@dataclass(frozen=True, slots=True)
class Mended:
    """A set-up after a killed one, and what its environment answered before it was replaced."""

    place: Place
    ran: Ran
    installed: set[str]
    check: Ran
    imports: Ran


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory, uv_at_hand: dict[str, str]) -> Mended:
    """A killed set-up and the next one, with the oldest pip and a newer version in the index."""
    folder = tmp_path_factory.mktemp("mended")
    place = copy(folder / "tree")
    python = distribution(folder / "python", oldest_pip(folder / "pip"))
    newer = newer_coverage(folder / "wheels").parent
    kill_while_packages_arrive(place, python, uv_at_hand)

    ran = place.run(python, "bootstrap.py", PIP_FIND_LINKS=str(newer))

    assert ran.code == 0, ran.err
    return Mended(
        place,
        ran,
        place.installed(),
        place.run(place.bin("uv"), "pip", "check", "--python", place.bin("python")),
        place.run(place.bin("python"), "-c", "import polars, mypy, xlsxwriter"),
    )


def test_set_up_works_after_a_killed_one_whose_installer_still_runs(mended: Mended) -> None:
    assert mended.ran.code == 0, mended.ran.err
    assert mended.check.code == 0
    assert mended.imports.code == 0


def test_a_newer_version_in_the_index_changes_nothing_with_the_oldest_pip(mended: Mended) -> None:
    assert mended.installed == locked() | {"pip==23.0"}
    assert mended.check.code == 0


def test_set_up_with_another_python_replaces_the_environment(
    mended: Mended, uv_at_hand: dict[str, str]
) -> None:
    place = mended.place
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    pythons = {version: found(version) for version in VERSIONS if version != this}

    ran = {
        version: (
            place.make(READY, f"PYTHON={python}", **uv_at_hand),
            place.run(place.bin("python"), "-V").out,
        )
        for version, python in pythons.items()
        if python
    }

    for version, (made, told) in ran.items():
        assert made.code == 0, made.err
        assert told.startswith(f"Python {version}.")


def kill_while_packages_arrive(place: Place, python: Path, settings: Mapping[str, str]) -> None:
    """Kill a set-up, but not its installer, when uv has begun to install packages."""
    killed = subprocess.Popen(
        [python, "bootstrap.py"],
        cwd=place.root,
        env={**outside(), **settings},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not any(place.root.glob(".venv/lib/*/site-packages/polars*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.kill()
    killed.wait()


def oldest_pip(folder: Path) -> Path:
    """Install the oldest supported pip into a folder, checked by its hash."""
    folder.mkdir()
    (folder / "pip.txt").write_text(OLDEST_PIP)
    only = ["--no-deps", "--require-hashes", "--requirement", "pip.txt"]
    install: list[str | Path] = [UV, "pip", "install", "--quiet", "--target", ".", *only]
    subprocess.run(install, cwd=folder, check=True)
    return folder


def newer_coverage(folder: Path) -> Path:
    """Make a wheel of a locked package with an extra, newer than any real version."""
    folder.mkdir()
    wheel = folder / "coverage-99.0-py3-none-any.whl"
    info = "coverage-99.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("coverage.py", "")
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: coverage\nVersion: 99.0\nProvides-Extra: toml\n",
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def locked() -> set[str]:
    """Return the locked packages for this machine as name==version."""
    lines = [line for line in LOCK.read_text().splitlines() if line[:1].isalnum()]
    wanted = [Requirement(line.removesuffix("\\").strip()) for line in lines]
    here = [each for each in wanted if each.marker is None or each.marker.evaluate()]
    return {f"{each.name}{each.specifier}" for each in here}
