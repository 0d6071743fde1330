"""Run a sandbox on this machine, in the event loop that is already running."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from connectors.sandbox.app import Sandbox

_HOST = "127.0.0.1"


class _Abortable(H11Protocol):
    """Gives the application its connection: to close it, or to write any bytes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """A server that stops on the event `stopping` and does not handle process signals."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.stopping.wait()


def listening(port: int) -> socket.socket:
    """Return a socket on 127.0.0.1; port 0 means a free port."""
    # asyncio disables Nagle's algorithm only if the protocol is given; otherwise every answer
    # takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_HOST, port))
    return listener


@asynccontextmanager
async def serve_sandbox(sandbox: Sandbox, port: int = 0) -> AsyncIterator[str]:
    """Serve on 127.0.0.1 and give the base URL; port 0 means a free port."""
    listener = listening(port)
    settings: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off"}
    settings |= {"date_header": False, "server_header": False}
    config = uvicorn.Config(sandbox, http=_Abortable, timeout_graceful_shutdown=1, **settings)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.ready.wait()
        yield f"http://{_HOST}:{listener.getsockname()[1]}"
    finally:
        server.stopping.set()
        await task
        listener.close()
