"""Tell systemd how a service stands (sd_notify), and that it makes progress (the watchdog)."""

import os
import socket
from contextlib import suppress

from gateway.service.tasks import Running

READY, STOPPING = "READY=1", "STOPPING=1"
_ALIVE = "WATCHDOG=1"


def tell(*words: str) -> None:
    """Tell the service manager, if there is one; what cannot be told changes nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        sender.send("\n".join(words).encode())


def watchdog_seconds() -> float | None:
    """Return how often the service manager wants to hear of us; None: not at all."""
    given = os.environ.get("WATCHDOG_USEC", "")
    ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(given) / 2_000_000 if ours and given.isdecimal() and int(given) else None


async def tell_alive(running: Running) -> None:
    """Tell that every task goes on; where one does not, say which, and let the watchdog bite."""
    found = [words for probe in running.probes.live.values() if (words := await probe())]
    if found:
        tell(f"STATUS={'；'.join(found)}")
    else:
        tell(_ALIVE, "STATUS=")
