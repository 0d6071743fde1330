"""Names of this machine that can be made not to resolve, in the process that asks for them."""

import socket
from pathlib import Path
from typing import Any

#: The end of the names; no name server is asked for them.
DOMAIN = ".chaos.test"


def use(unknown: Path) -> None:
    """Resolve the names of the domain to this machine, but for those in a file."""
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not isinstance(name, str) or not name.endswith(DOMAIN):
            return ask(host, *arguments, **named)
        if name in unknown.read_text().split():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ask("127.0.0.1", *arguments, **named)

    socket.getaddrinfo = getaddrinfo
