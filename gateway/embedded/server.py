"""What both embedded servers share: who owns one, and which process it is.

The first process that asks takes a lock file and owns the server: it starts it, or adopts one that
a killed owner left running, and stops it at its end. Others attach to what the owner runs.
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

#: Seconds to wait for a server to come up; crash recovery of a large database may need them.
START_PATIENCE = 120.0
#: Seconds that a server gets to stop cleanly before it is killed.
STOP_PATIENCE = 30.0


class ServerDidNotStart(Away):
    """The embedded server did not come up; the message is the end of its log."""

    def __init__(self, name: str, log: Path) -> None:
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        super().__init__(f"\n{tail}")
        self.lead = f"自带的 {name} 没有启动，日志 {log} 的末尾"


class OwnerLock:
    """An advisory lock on a file: held as long as its process lives, so a kill never leaves it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle: int | None = None

    def acquire(self) -> bool:
        """True if this process now owns the server."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self.handle = handle
        return True

    def release(self) -> None:
        """Give the server up."""
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None


def running(pid: int, marker: str) -> psutil.Process | None:
    """The process with this pid, if its command line shows that it is the server meant."""
    if pid <= 0:
        return None
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE and marker in " ".join(process.cmdline())
    except psutil.Error:
        return None
    return process if alive else None


def stop(process: psutil.Process, gentle: signal.Signals) -> None:
    """End a server with its own gentle signal, and by force if that is not heard."""
    try:
        process.send_signal(gentle)
        process.wait(STOP_PATIENCE)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(STOP_PATIENCE)
    except psutil.NoSuchProcess:
        return


def reap(child: subprocess.Popen[bytes] | None) -> None:
    """Take note of the end of a server that this process started, so that no zombie stays."""
    if child is not None:
        child.wait(STOP_PATIENCE)


def wait_until(ready: Callable[[], bool], failed: Callable[[], bool]) -> bool:
    """True once `ready` says so; False when `failed` does or the patience ends."""
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        if ready():
            return True
        if failed():
            return False
        time.sleep(0.05)
    return False


@contextmanager
def log_file(path: Path) -> Iterator[int]:
    """A descriptor that a server's output is appended to."""
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
    """Start a server in a session of its own, so that Ctrl-C reaches us first.

    `environment` is added to our own.
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
    """The life of a server: owned or attached to, started or adopted, stopped by its owner."""

    #: How its log calls it, and the signal at which it stops cleanly.
    name: str
    gentle: signal.Signals

    def __init__(self, state: Path, stem: str) -> None:
        self.state = state.resolve()
        self.data = self.state / stem
        self.log = self.state / f"{stem}.log"
        self.lock = OwnerLock(self.state / f"{stem}.lock")
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Own and start the server, or wait until its owner has.

        Raises:
            ServerDidNotStart: with the end of its log.
        """
        if self.lock.acquire():
            if running(self.pid(), self.marker()) is None:
                self.launch()
            self.await_ready()
            self.complete()
        else:
            self.await_ready()

    def stop(self) -> None:
        """Stop the server if this process owns it."""
        if self.lock.handle is None:
            return
        process = running(self.pid(), self.marker())
        if process is not None:
            stop(process, self.gentle)
        reap(self.child)
        self.lock.release()

    def await_ready(self) -> None:
        """Wait until the server accepts connections, or its process has ended."""
        child = self.child
        if not wait_until(self.accepts, lambda: child is not None and child.poll() is not None):
            raise ServerDidNotStart(self.name, self.log)

    def run(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait for a command that prepares the server."""
        if process.wait() != 0:
            raise ServerDidNotStart(self.name, self.log)

    @abstractmethod
    def pid(self) -> int:
        """The process id that the server left, -1 if none."""

    @abstractmethod
    def marker(self) -> str:
        """Words of the command line by which the server's process is known."""

    @abstractmethod
    def accepts(self) -> bool:
        """Whether it accepts connections."""

    @abstractmethod
    def launch(self) -> None:
        """Start the process; everything that it needs is made first."""

    def complete(self) -> None:  # noqa: B027  most servers are complete when they accept
        """Make what is made over a connection."""
