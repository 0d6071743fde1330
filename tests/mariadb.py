"""A real MariaDB on loopback, from Debian's package, for a test session."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from tests.integration.post import free_port

#: Debian has the server where a user's PATH does not reach.
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
_STARTS_WITHIN = 60.0


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    assert found is not None, f"{name} is missing: python -m tests.tools"
    return found


class MariaDb:
    """A server with one administrator without a password, on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def install(self) -> None:
        """Make an empty database folder."""
        options = [f"--datadir={self.folder / 'data'}", "--auth-root-authentication-method=normal"]
        ran = subprocess.run(
            [_program("mariadb-install-db"), "--no-defaults", *self._as_root(), *options],
            check=False,
            capture_output=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = (self.folder / "log").open("ab")
        options = [
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=16M",
        ]
        self._process = subprocess.Popen(
            [_program("mariadbd"), "--no-defaults", *self._as_root(), *options],
            stdout=log,
            stderr=log,
        )
        log.close()
        end = time.monotonic() + _STARTS_WITHIN
        while True:
            try:
                self.connect().close()
            except pymysql.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise AssertionError((self.folder / "log").read_text("utf-8")[-2000:]) from None
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """Stop it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """Return a connection of the administrator, which commits each statement."""
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", autocommit=True, charset="utf8mb4"
        )

    @staticmethod
    def _as_root() -> list[str]:
        return ["--user=root"] if os.geteuid() == 0 else []


@contextmanager
def mariadb(folder: Path) -> Iterator[MariaDb]:
    """Run a server for the block."""
    server = MariaDb(folder)
    server.install()
    server.start()
    try:
        yield server
    finally:
        server.stop()
