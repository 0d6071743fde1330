"""What both embedded servers share: who owns one, and which process it is.

The first process that asks takes a lock file and owns the server: it starts it, or adopts one that
a killed owner left running, and stops it at its end. Others attach to what the owner runs.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

#: Seconds to wait for a server to come up; crash recovery of a large database may need them.
START_PATIENCE = 120.0
#: Seconds that a server gets to stop cleanly before it is killed.
STOP_PATIENCE = 30.0


class ServerDidNotStart(RuntimeError):
    """The embedded server did not come up; the end of its log follows."""

    def __init__(self, name: str, log: Path) -> None:
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        super().__init__(f"embedded {name} did not start; log {log} ends with:\n{tail}")


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


def spawn(command: list[str], log: Path, user: int | None = None) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C reaches us first."""
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
        )
