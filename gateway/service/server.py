"""The HTTP server as one of the tasks; without the role web it answers for health and metrics."""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import uvicorn
from fastapi import APIRouter, FastAPI

from gateway.config.errors import BadConfiguration
from gateway.config.http_settings import HttpSettings
from gateway.intake import answers_http, http
from gateway.ledger import http as ledger
from gateway.service.app import Gateway
from gateway.service.tasks import Running
from gateway.web.app import create_web
from gateway.web.connections import BoundedProtocol
from gateway.web.refusals import Refusals
from gateway.worklist import http as worklist
from schemas.faults import of_system

#: Seconds between two readings of the certificate.
CERTIFICATE_PAUSE = 10.0
#: Seconds between two entries of refused requests in the audit trail.
REFUSALS_PAUSE = 30.0
#: Seconds that a stop waits for requests under way.
SHUTDOWN_SECONDS = 10


def routers(gateway: Gateway) -> list[APIRouter]:
    """Return the routes besides health checks and metrics."""
    settings = gateway.settings
    return [
        http.router(gateway.pipeline, gateway.database, gateway.clock, settings.files),
        answers_http.router(gateway.database, gateway.clock),
        worklist.router(
            gateway.database, settings.destinations, settings.all_clocks, gateway.clock
        ),
        ledger.router(gateway.database, gateway.clock),
    ]


def _certificate(settings: HttpSettings) -> ssl.SSLContext | None:
    """Return the context of HTTPS, if there is a certificate; raises BadConfiguration."""
    if settings.certificate_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        _load(context, settings)
    except (OSError, ValueError) as error:
        said = of_system(error) if isinstance(error, OSError) else str(error)
        raise BadConfiguration(
            f"http certificate_file：{settings.certificate_file} 不能用（{said}）；"
            "应为 PEM 格式的证书和与它相配的私钥，私钥有口令的写 private_key_password"
        ) from error
    return context


def _load(context: ssl.SSLContext, settings: HttpSettings) -> None:
    """Read certificate and key, for the connections from now on."""
    password = settings.private_key_password
    secret = password.get_secret_value() if password else ""  # OpenSSL would ask the terminal
    if settings.certificate_file is not None:
        context.load_cert_chain(
            settings.certificate_file, settings.private_key_file, lambda: secret
        )


async def start_web(gateway: Gateway, running: Running, stack: AsyncExitStack) -> None:
    """Serve everything until the stack closes; return once requests are accepted.

    Raises:
        BadConfiguration: the host or port cannot be used.
    """
    await _start(gateway, running, stack, gateway.settings.http.port, routers(gateway))


async def start_health(gateway: Gateway, running: Running, stack: AsyncExitStack) -> None:
    """Serve health and metrics of a process without the role web, if a port is set for it.

    Raises:
        BadConfiguration: the host or port cannot be used.
    """
    if (port := gateway.settings.http.health_port) is not None:
        await _start(gateway, running, stack, port, [])


async def _start(
    gateway: Gateway,
    running: Running,
    stack: AsyncExitStack,
    port: int,
    routes: Sequence[APIRouter],
) -> None:
    settings = gateway.settings.http
    refusals = Refusals(gateway.database, gateway.clock)
    running.add("refusals", refusals.write, REFUSALS_PAUSE)
    app = create_web(settings, routes, gateway.metrics, running.probes, refusals.add)
    context = _certificate(settings)
    if context is not None:
        renew = partial(asyncio.to_thread, _load, context, settings)
        running.add("certificate", renew, CERTIFICATE_PAUSE)
    server = _server(app, settings.host, port, context)
    task = asyncio.create_task(_serve(server), name="web")
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


def _server(app: FastAPI, host: str, port: int, context: ssl.SSLContext | None) -> uvicorn.Server:
    """Return a server that leaves the signals to us."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        http=BoundedProtocol,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ssl_context_factory=None if context is None else lambda *_: context,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    return server


async def _serve(server: uvicorn.Server) -> None:
    try:
        await server._serve()  # noqa: SLF001  serve() would handle the signals
    except SystemExit:  # uvicorn raises it if it cannot listen
        place = f"{server.config.host} 端口 {server.config.port}"
        raise BadConfiguration(f"http：{place} 不能使用；换一个 host 或 port") from None
