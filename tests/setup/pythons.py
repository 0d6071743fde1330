"""The Pythons of this machine, and one as a distribution might ship it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

#: A replacement for ensurepip that copies the pip beside it: the real one takes seconds.
ENSUREPIP = """
import pathlib, shutil, sysconfig

def main():
    for each in pathlib.Path(__file__).parent.glob("pip*"):
        shutil.copytree(each, pathlib.Path(sysconfig.get_path("purelib")) / each.name)
"""


def found(version: str) -> str | None:
    """Return a Python of this version with venv, from the path or pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [f"/usr/bin/python{version}", f"python{version}"]
    candidates += map(str, pyenv.glob(f"versions/{version}.*/bin/python{version}"))
    return next((each for each in candidates if shutil.which(each) and _makes_venvs(each)), None)


def _makes_venvs(python: str) -> bool:
    asked = subprocess.run([python, "-c", "import ensurepip"], capture_output=True, check=False)
    return asked.returncode == 0


def distribution(folder: Path, pip: Path | None) -> Path:
    """Return a copy of this Python with the pip that lies in a folder, or without ensurepip."""
    base = Path(sys.base_prefix)
    stdlib = Path(sysconfig.get_path("stdlib", vars={"installed_base": str(base)}))
    ours = folder / stdlib.relative_to(base)
    ours.mkdir(parents=True)
    for entry in stdlib.iterdir():
        if entry.name not in {"ensurepip", "site-packages", "dist-packages"}:
            (ours / entry.name).symlink_to(entry)
    if pip is not None:
        (ours / "ensurepip").mkdir()
        (ours / "ensurepip" / "__init__.py").write_text(ENSUREPIP)
        (ours / "ensurepip" / "__main__.py").write_text("import ensurepip\nensurepip.main()\n")
        for part in (pip / "pip", *pip.glob("pip-*.dist-info")):
            (ours / "ensurepip" / part.name).symlink_to(part)
    python = folder / "bin" / f"python{sysconfig.get_python_version()}"
    python.parent.mkdir()
    # A copy: with a link the interpreter would use its own standard library.
    shutil.copy(Path(sys.executable).resolve(), python)
    return python
