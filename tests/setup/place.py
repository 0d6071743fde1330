"""A copy of the tree in its own folder, in which set-up really runs."""

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
#: Variables of `make` and of the test environment, which set-up must not see.
OURS = ("MAKE", "MFLAGS", "PYTHON", "PYTEST", "VIRTUAL_ENV", "COV_")


@dataclass(frozen=True, slots=True)
class Ran:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def failures(self) -> list[str]:
        """The lines of set-up about its failure, without make's own line."""
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
        """Run `make` in it."""
        return self.run("make", *arguments, **environment)

    def run(self, *command: str | Path, **environment: str) -> Ran:
        """Run a command in it, with additional environment variables."""
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
        """Return the path of a command in its environment."""
        return self.root / ".venv" / "bin" / name

    def installed(self) -> set[str]:
        """Return the installed packages as name==version, without the project."""
        of = ("--format", "json", "--python", self.bin("python"))
        listed = json.loads(self.run(self.bin("uv"), "pip", "list", *of).out)
        return {f"{each['name']}=={each['version']}" for each in listed} - {PROJECT}


def outside() -> dict[str, str]:
    """Return the environment of a user: without variables of the suite, with those of the index."""
    return {name: text for name, text in os.environ.items() if not name.startswith(OURS)}


def copy(target: Path) -> Place:
    """Copy the files that git tracks, or would add."""
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
    """Yield a folder that every user may enter; pytest's own are closed."""
    folder = Path(mkdtemp(prefix="cg-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
