"""Exactly the locked packages are installed, whatever the index offers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.setup.place import ROOT

LOCK = ROOT / "requirements.lock"
UV = Path(sys.executable).parent / "uv"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_lock_has_a_wheel_of_each_package(version: str, machine: str, tmp_path: Path) -> None:
    uv: list[str | Path] = [
        UV,
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
