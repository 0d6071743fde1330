"""A copy of the tree in a folder of its own, where set-up runs for real."""

import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).parent.parent.parent
READY = ".venv/.ready"
PROJECT = "credit-gateway==0.1.0"
#: The suite runs below `make` and in an environment; neither shall show through.
OURS = ("MAKE", "MFLAGS", "PYTHON", "PYTEST", "VIRTUAL_ENV", "COV_")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def failures(self) -> list[str]:
        """What set-up said of its failure; make's own line about it left out."""
        said = self.err.splitlines()
        return [line for line in said if not line.startswith(("make: ***", "正在建立环境"))]


@dataclass(frozen=True, slots=True)
class Place:
    """A copy of the tree and the user that works in it."""

    root: Path
    user: str | None = None
    umask: int = -1
    environment: Mapping[str, str] = field(default_factory=dict)

    def make(self, *arguments: str, **environment: str) -> Ran:
        """`make` there."""
        return self.run("make", *arguments, **environment)

    def run(self, *command: str | Path, **environment: str) -> Ran:
        """A command there, with more in its environment."""
        ran = subprocess.run(
            command,
            capture_output=True,
            check=False,
            cwd=self.root,
            env={**outside(), **self.environment, **environment},
            timeout=600,
            user=self.user,
            group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
            extra_groups=None if self.user is None else [],
            umask=self.umask,
        )
        return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())

    def bin(self, name: str) -> Path:
        """A command of the environment there."""
        return self.root / ".venv" / "bin" / name

    def installed(self) -> set[str]:
        """What the environment there holds, as name==version; the project left out."""
        of = ("--format", "json", "--python", self.bin("python"))
        listed = json.loads(self.run(self.bin("uv"), "pip", "list", *of).out)
        return {f"{each['name']}=={each['version']}" for each in listed} - {PROJECT}


def outside() -> dict[str, str]:
    """The environment of a user: what names the index stays, what is the suite's goes."""
    return {name: text for name, text in os.environ.items() if not name.startswith(OURS)}


def copy(target: Path) -> Place:
    """What git has of the tree, or would take into it."""
    git = ("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others")
    listed = subprocess.run(
        [*git, "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return Place(target)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed."""
    folder = Path(mkdtemp(prefix="cg-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
