"""Exactly the locked packages are installed, whatever the index offers."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.setup.place import READY, ROOT, copy
from tests.setup.pythons import distribution

LOCK = ROOT / "requirements.lock"
OLDEST_PIP = (
    "pip==23.0 --hash=sha256:b5f88adff801f5ef052bcdef3daa31b55eb67b0fccd6d0106c206fa248e0463c"
)
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")


def test_a_newer_version_in_the_index_changes_nothing_with_the_oldest_pip(tmp_path: Path) -> None:
    place = copy(tmp_path / "tree")
    python = distribution(tmp_path / "python", download_pip(tmp_path))
    newer = newer_coverage(tmp_path / "wheels")

    ran = place.make(READY, f"PYTHON={python}", PIP_FIND_LINKS=str(newer.parent))

    assert ran.code == 0, ran.err
    assert place.installed() == locked() | {"pip==23.0"}
    assert place.run(place.bin("uv"), "pip", "check", "--python", place.bin("python")).code == 0


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_lock_has_a_wheel_of_each_package(version: str, machine: str, tmp_path: Path) -> None:
    uv: list[str | Path] = [
        Path(sys.executable).parent / "uv",
        "pip",
        "install",
        "--dry-run",
        "--no-deps",
    ]
    only: list[str | Path] = [
        "--require-hashes",
        "--no-build",
        "--target",
        tmp_path,
        "--requirement",
        LOCK,
    ]
    target = ["--python-version", version, "--python-platform", machine]

    ran = subprocess.run([*uv, *only, *target], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr


def test_the_lock_names_no_index() -> None:
    text = LOCK.read_text()

    assert "://" not in text
    assert "index-url " not in text.replace("--no-emit-index-url ", "")


def download_pip(folder: Path) -> Path:
    """Download the oldest supported pip, checked by its hash."""
    (folder / "pip.txt").write_text(OLDEST_PIP)
    command = ["pip", "download", "--quiet", "--no-deps", "--require-hashes", "-r", "pip.txt"]
    subprocess.run([sys.executable, "-m", *command], cwd=folder, check=True)
    return next(folder.glob("pip-*.whl"))


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
