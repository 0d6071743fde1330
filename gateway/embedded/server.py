"""The life of an embedded server, which several processes use at the same time.

Each user shares a lock file. The first one starts the server, or finds one that killed users left
running; the last one to end stops it.
"""

import fcntl
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from gateway.config.errors import Away

#: Seconds to wait for a server to start; crash recovery of a large database may need them.
START_PATIENCE = 120.0
#: Seconds to wait for a clean stop before the server is killed.
STOP_PATIENCE = 30.0


class ServerDidNotStart(Away):
    """The embedded server did not start; the message is the end of its log."""

    def __init__(self, name: str, log: Path) -> None:
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        super().__init__(f"\n{tail}")
        self.lead = f"自带的 {name} 没有启动，日志 {log} 的末尾"


class FileLock:
    """An advisory lock on a file; the kernel frees it when the process ends, even if killed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle: int | None = None

    def acquire(self) -> bool:
        """Try to have the lock alone, also instead of a share in it; return whether we have it.

        A share is lost where others share too.
        """
        try:
            fcntl.flock(self._opened(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True

    def wait(self) -> None:
        """Wait until we have the lock alone."""
        fcntl.flock(self._opened(), fcntl.LOCK_EX)

    def share(self) -> None:
        """Wait until nobody has the lock alone, and share it."""
        fcntl.flock(self._opened(), fcntl.LOCK_SH)

    def release(self) -> None:
        """Give up the lock, or the share in it."""
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def _opened(self) -> int:
        if self.handle is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self.handle


def stored_pid(file: Path) -> int:
    """Return the process id that a file has; -1 if none."""
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return -1


def running(pid: int, marker: str) -> psutil.Process | None:
    """Return the process with this pid if its command line contains `marker`, else None."""
    if pid <= 0:
        return None
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE and marker in " ".join(process.cmdline())
    except psutil.Error:
        return None
    return process if alive else None


def stop(process: psutil.Process, gentle: signal.Signals) -> None:
    """Stop a server with its own signal; kill it if that takes too long."""
    try:
        process.send_signal(gentle)
        if not _ends(process):
            process.kill()
            _ends(process)
    except psutil.NoSuchProcess:
        return


def _ends(process: psutil.Process) -> bool:
    """Wait for the end; a zombie has ended, though the process that started it goes on."""
    return wait_until(
        lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE,
        patience=STOP_PATIENCE,
    )


def reap(child: subprocess.Popen[bytes] | None) -> None:
    """Wait for the end of a server that this process started, so that no zombie remains."""
    if child is not None:
        child.wait(STOP_PATIENCE)


def wait_until(
    ready: Callable[[], bool],
    failed: Callable[[], bool] = lambda: False,
    patience: float = START_PATIENCE,
) -> bool:
    """Wait until `ready` returns True; return False if `failed` does or the time is over."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if ready():
            return True
        if failed():
            return False
        time.sleep(0.05)
    return False


@contextmanager
def log_file(path: Path) -> Iterator[int]:
    """Open a file to which a server's output is appended."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def spawn(
    command: list[str],
    log: Path,
    user: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in its own session, so that Ctrl-C does not reach it.

    `environment` is added to that of this process.
    """
    with log_file(log) as output:
        return subprocess.Popen(  # noqa: S603  the command is ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=[] if user is not None else None,
            cwd=log.parent,
            env={**os.environ, **(environment or {})},
        )


class EmbeddedServer(ABC):
    """A server that its first user starts and its last one stops."""

    #: Its name for people, and the signal that stops it cleanly.
    name: str
    gentle: signal.Signals

    def __init__(self, state: Path, stem: str) -> None:
        self.state = state.resolve()
        self.data = self.state / stem
        self.log = self.state / f"{stem}.log"
        self.users = FileLock(self.state / f"{stem}.lock")
        self.starting = FileLock(self.state / f"{stem}.starting")
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Use the server: start it where it does not run.

        Raises:
            ServerDidNotStart: with the end of its log.
        """
        self.users.share()
        self.starting.wait()
        try:
            if not self._is_found():
                reap(self.child)  # it has ended, or is about to
                self.launch()
                self.await_ready()
                self.complete()
        finally:
            self.starting.release()

    def _is_found(self) -> bool:
        """Complete a server that runs already; False if there is none, or if it was ending."""

        def gone() -> bool:
            return self._process() is None

        if gone():
            return False
        try:
            if wait_until(self.accepts, gone):
                self.complete()
                return True
        except ServerDidNotStart:
            # A server that has just been told to end still says that it accepts connections.
            if not wait_until(gone, patience=STOP_PATIENCE):
                raise
        if not gone():
            raise ServerDidNotStart(self.name, self.log)
        return False

    def runs(self) -> bool:
        """Whether the server runs, whoever uses it."""
        return self._process() is not None and self.accepts()

    def _process(self) -> psutil.Process | None:
        return running(self.pid(), self.marker())

    def stop(self) -> bool:
        """Use the server no more; stop it unless other processes use it, and return whether."""
        if not self.users.acquire():
            return False
        try:
            process = self._process()
            if process is not None:
                stop(process, self.gentle)
            reap(self.child)
        finally:
            self.users.release()
        return True

    def await_ready(self) -> None:
        """Wait until the server accepts connections.

        Raises:
            ServerDidNotStart: its process ended, or the time is over.
        """
        child = self.child
        if not wait_until(self.accepts, lambda: child is not None and child.poll() is not None):
            raise ServerDidNotStart(self.name, self.log)

    def run(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait for a command that prepares the server; raises ServerDidNotStart if it fails."""
        if process.wait() != 0:
            raise ServerDidNotStart(self.name, self.log)

    @abstractmethod
    def pid(self) -> int:
        """Return the process id of the server; -1 if unknown."""

    @abstractmethod
    def marker(self) -> str:
        """Return the text in the command line that identifies the server's process."""

    @abstractmethod
    def accepts(self) -> bool:
        """Whether the server accepts connections."""

    @abstractmethod
    def launch(self) -> None:
        """Prepare and start the process."""

    def complete(self) -> None:  # noqa: B027  most servers need nothing more
        """Do what needs a connection to the new server."""
