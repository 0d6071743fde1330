"""The command as a user runs it: its own process, an empty folder, the environment cleaned."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """One JSON object a line, and nothing else."""
        return [orjson.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Command:
    """`credit-gateway` in a folder, with a configuration or none."""

    folder: Path
    environment: Mapping[str, str]
    config: Path | None = None

    def __call__(self, *arguments: object, given: str | bytes = b"", patience: int = 60) -> Ran:
        """Run it with these arguments and this standard input."""
        root = () if self.config is None else ("--config", str(self.config))
        ran = subprocess.run(
            [sys.executable, "-m", "gateway", *root, *map(str, arguments)],
            input=given.encode() if isinstance(given, str) else given,
            capture_output=True,
            check=False,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            timeout=patience,
        )
        return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())

    def json(self, *arguments: object, given: str | bytes = b"") -> Ran:
        """Run it for a program."""
        return self(*arguments, "--format", "json", given=given)
