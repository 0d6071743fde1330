"""What several set-up tests share: a Python that is quick to set up, and the wheel of uv."""

import fcntl
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.setup.pythons import distribution


@pytest.fixture(scope="session")
def quick_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this Python that gives environments the pip of ours, where pip is not the point."""
    pip = find_spec("pip")
    assert pip is not None
    assert pip.origin is not None
    return distribution(tmp_path_factory.mktemp("python"), Path(pip.origin).parent.parent)


@pytest.fixture(scope="session")
def uv_at_hand(tmp_path_factory: pytest.TempPathFactory, run_folder: Path) -> dict[str, str]:
    """Settings by which pip takes uv from a folder, where the index is not the point."""
    wheels = run_folder / "uv"
    with (run_folder / "uv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wheels.exists():
            arriving = tmp_path_factory.mktemp("arriving")
            command = ["pip", "download", "--quiet", "--no-deps", f"uv=={version('uv')}"]
            subprocess.run([sys.executable, "-m", *command], cwd=arriving, check=True)
            arriving.rename(wheels)
    # Without the last one, bootstrap.py would tell uv too that there is no index.
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "UV_NO_INDEX": "false"}


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The folder of the whole run, which the workers of xdist share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own
