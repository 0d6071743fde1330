"""The HTTP server as one of the tasks."""

import asyncio
from contextlib import AsyncExitStack

import uvicorn
from fastapi import APIRouter

from gateway.config.errors import BadConfiguration
from gateway.intake import answers_http, http
from gateway.ledger import http as ledger
from gateway.service.app import Gateway
from gateway.service.tasks import Running
from gateway.web.app import create_web
from gateway.web.connections import BoundedProtocol
from gateway.worklist import http as worklist

#: Seconds that a stop waits for requests under way.
SHUTDOWN_SECONDS = 10


def routers(gateway: Gateway) -> list[APIRouter]:
    """Return the routes besides health checks and metrics."""
    settings = gateway.settings
    return [
        http.router(gateway.pipeline, gateway.database, gateway.clock, settings.files),
        answers_http.router(gateway.database, gateway.clock),
        worklist.router(gateway.database, settings.destinations, gateway.clock),
        ledger.router(gateway.database, gateway.clock),
    ]


async def start_web(gateway: Gateway, running: Running, stack: AsyncExitStack) -> None:
    """Serve until the stack closes; return once requests are accepted.

    Raises:
        BadConfiguration: the host or port cannot be used.
    """
    settings = gateway.settings.http
    app = create_web(settings, routers(gateway), gateway.metrics, running.probes)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        http=BoundedProtocol,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]

    async def serve() -> None:
        try:
            await server._serve()  # noqa: SLF001  serve() would handle the signals
        except SystemExit:  # uvicorn raises it if it cannot listen
            place = f"{settings.host} 端口 {settings.port}"
            raise BadConfiguration(f"http：{place} 不能使用；换一个 host 或 port") from None

    task = asyncio.create_task(serve(), name="web")
    running.tasks["web"] = task

    async def stop() -> None:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
    while not server.started and not task.done():  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    if task.done():
        await task
    running.web_port = server.servers[0].sockets[0].getsockname()[1]
