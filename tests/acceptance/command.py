"""The command as a user runs it: its own process, an empty folder, a clean environment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.store.base.engine import Database
from tests.conftest import SETTINGS


@dataclass(frozen=True, slots=True)
class Ran:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The output as JSON, one object per line."""
        return [orjson.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Command:
    """`credit-gateway` in a folder, with or without a configuration."""

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
        """Run it with JSON output."""
        return self(*arguments, "--format", "json", given=given)


#: Dates in a month that is over.
PAST: dict[str, Any] = {"CF_JDRQ": "2025-06-10", "CF_YXQ": "2026-06-10"}


def commanding(database: Database, folder: Path, settings: dict[str, Any]) -> Command:
    """Return the command with a database and these settings; the key is in the environment."""
    key = {"CREDIT_GATEWAY_MASTER_KEY": SETTINGS["master_key"]}
    url = database.engine.url.render_as_string(hide_password=False)
    (folder / "gateway.yaml").write_bytes(orjson.dumps(settings | {"state": str(folder)}))
    return Command(folder, {**key, "CREDIT_GATEWAY_DATABASE_URL": url}, folder / "gateway.yaml")


def write(path: Path, *rows: dict[str, Any]) -> Path:
    """Write an NDJSON file."""
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return path
