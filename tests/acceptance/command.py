"""The command as a user runs it: its own process, an empty folder, a clean environment."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.cli import app
from gateway.store.base.engine import Database
from tests.acceptance.forks import FORKS
from tests.conftest import SETTINGS


@dataclass(frozen=True, slots=True)
class Ran:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a file as JSON; its summary is the last line."""
        return self.objects[:-1]

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
        given = given.encode() if isinstance(given, str) else given
        return self._run((*root, *map(str, arguments)), given, patience)

    def json(self, *arguments: object, given: str | bytes = b"") -> Ran:
        """Run it with JSON output."""
        return self(*arguments, "--format", "json", given=given)

    def file(self, name: str, *arguments: object, given: str | bytes = b"") -> Ran:
        """Run `check` or `ingest` with a JSON line for each row, and one for the file."""
        return self.json(name, *arguments, "--rows", given=given)

    def _run(self, arguments: tuple[str, ...], given: bytes, patience: int) -> Ran:
        ran = subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            input=given,
            capture_output=True,
            check=False,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            timeout=patience,
        )
        return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


class WarmCommand(Command):
    """The same, forked from a process in which everything is imported: a second less each time."""

    def _run(self, arguments: tuple[str, ...], given: bytes, patience: int) -> Ran:
        with tempfile.TemporaryDirectory() as name:
            streams = [Path(name) / stream for stream in ("in", "out", "err")]
            streams[0].write_bytes(given)
            environment = {**os.environ, **self.environment}
            about = (arguments, self.folder, environment, streams)
            process = FORKS.Process(target=be_the_command, args=about)
            process.start()
            process.join(patience)
            if process.exitcode is None:
                process.kill()
                process.join()
            code, (_, out, err) = process.exitcode, (each.read_text() for each in streams)
            process.close()
        if code is None or code < 0:
            raise TimeoutError(err)
        return Ran(code, out, err)


def be_the_command(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Sequence[Path]
) -> None:
    """Become the command in a process of its own: its folder, environment and streams."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    flags = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)
    for number, (path, flag) in enumerate(zip(streams, flags, strict=True)):
        os.dup2(os.open(path, flag), number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
    )
    sys.argv = ["credit-gateway", *arguments]
    app()


#: Dates in a month that is over.
PAST: dict[str, Any] = {"CF_JDRQ": "2025-06-10", "CF_YXQ": "2026-06-10"}


def commanding(database: Database, folder: Path, settings: dict[str, Any]) -> Command:
    """Return the command with a database and these settings; the key is in the environment."""
    key = {"CREDIT_GATEWAY_MASTER_KEY": SETTINGS["master_key"]}
    url = database.engine.url.render_as_string(hide_password=False)
    (folder / "gateway.yaml").write_bytes(orjson.dumps(settings | {"state": str(folder)}))
    return WarmCommand(folder, {**key, "CREDIT_GATEWAY_DATABASE_URL": url}, folder / "gateway.yaml")


def write(path: Path, *rows: dict[str, Any]) -> Path:
    """Write an NDJSON file."""
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return path


def told(ran: Ran, code: int, *words: str) -> bool:
    """Whether it exited with this code; asserts that all words are on standard error."""
    assert "Traceback" not in ran.err
    assert [word for word in words if word not in ran.err] == []
    return ran.code == code
