"""From where what happens now is done 来处: for the audit trail."""

import socket
from contextvars import ContextVar

#: Set by what is no gateway, such as a command line.
SOURCE = ContextVar[str | None]("SOURCE", default=None)


def source() -> str:
    """Return the host, and what of it is no gateway."""
    return SOURCE.get() or socket.gethostname()
