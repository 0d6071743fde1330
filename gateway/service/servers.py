"""PostgreSQL and Kafka: the configured ones, or the embedded ones, which are kept running."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.config.errors import BadConfiguration
from gateway.config.settings import Settings
from gateway.embedded.kafka import EmbeddedKafka
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.server import EmbeddedServer
from gateway.telemetry.log import LogEvent, logger
from schemas.faults import of_system

#: Seconds between two looks whether an embedded server runs.
LOOK_PAUSE = 5.0


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """Yield the URL of the configured PostgreSQL, or run the embedded one for the block."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = EmbeddedPostgres(_state(settings))
    async with started(server):
        yield server.url


@asynccontextmanager
async def kafka_bootstrap(settings: Settings) -> AsyncIterator[str]:
    """Yield the address of the configured Kafka cluster, or run the embedded broker."""
    if settings.kafka_bootstrap is not None:
        yield settings.kafka_bootstrap
        return
    server = EmbeddedKafka(_state(settings))
    async with started(server):
        yield server.bootstrap


@asynccontextmanager
async def started(server: EmbeddedServer) -> AsyncIterator[None]:
    """Run an embedded server for the block.

    A start that is cancelled goes on in its thread: it is waited for, so that its server is stopped
    too.
    """
    tasks = [asyncio.create_task(asyncio.to_thread(server.start))]
    try:
        await asyncio.shield(tasks[0])
        tasks.append(asyncio.create_task(_keep_running(server)))
        yield
    finally:
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(server.stop)


async def _keep_running(server: EmbeddedServer) -> None:
    """Start a server again that ended without us, such as by the lack of memory."""
    while True:
        await asyncio.sleep(LOOK_PAUSE)
        try:
            if not await asyncio.to_thread(server.runs):
                await _start_again(server)
        except Exception:  # noqa: BLE001  whatever it was, the next look may succeed
            logger.exception(LogEvent.WORK_FAILED, extra={"work": server.name})


async def _start_again(server: EmbeddedServer) -> None:
    logger.error(LogEvent.SERVER_ENDED, extra={"server": server.name})
    again = asyncio.create_task(asyncio.to_thread(server.start))
    try:
        await asyncio.shield(again)
    except asyncio.CancelledError:
        await asyncio.gather(again, return_exceptions=True)
        raise
    logger.warning(LogEvent.SERVER_STARTED_AGAIN, extra={"server": server.name})


def _state(settings: Settings) -> Path:
    try:
        settings.state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfiguration(
            f"state：不能建立目录 {settings.state}：{of_system(error)}"
        ) from error
    if not os.access(settings.state, os.W_OK):
        raise BadConfiguration(f"state：目录 {settings.state} 不能写")
    return settings.state
