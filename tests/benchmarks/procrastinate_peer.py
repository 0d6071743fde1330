"""The peer of our single deliveries: each POST is a procrastinate job, run and kept.

procrastinate is a job queue on PostgreSQL, as our delivery table is. Its jobs carry the rows of the
plain loop, use the same transport and concurrency, and stay in the database as succeeded. As for
ours, filling is not timed. Its settings are the fastest measured that are reasonable in service:
sixteen workers of one job (a worker fetches its jobs one after the other), one connection each,
autocommit (every step of a job is one statement), no notifications (no job is added), and analysed
tables, which autovacuum does in service.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport
from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONDict
from sqlalchemy import make_url

from tests.benchmarks.data import item
from tests.benchmarks.world import World, fresh_database

DEFERRED_AT_ONCE = 1_000


class Peer:
    """procrastinate on a database of its own, and the jobs that POST a row each."""

    def __init__(self, app: App, client: httpx.AsyncClient, url: str, concurrency: int) -> None:
        self.app = app
        self.concurrency = concurrency

        @app.task
        async def deliver(row: dict[str, Any]) -> None:
            (await client.post(f"{url}/records", json={"items": [row]})).raise_for_status()

        self._task = deliver

    async def defer(self, numbers: range) -> None:
        """Add a job for each number."""
        rows: list[JSONDict] = [{"row": item("procrastinate", number)} for number in numbers]
        for start in range(0, len(rows), DEFERRED_AT_ONCE):
            await self._task.batch_defer_async(*rows[start : start + DEFERRED_AT_ONCE])
        await self.app.connector.execute_query_async("analyze procrastinate_jobs")

    async def carry_out(self, count: int) -> float:
        """Carry out all jobs, which are so many; return how many in a second."""
        start = time.perf_counter()
        await asyncio.gather(*(self._work() for _ in range(self.concurrency)))
        return round(count / (time.perf_counter() - start), 1)

    async def _work(self) -> None:
        await self.app.run_worker_async(
            wait=False, listen_notify=False, install_signal_handlers=False
        )


@asynccontextmanager
async def opened(address: str, url: str, concurrency: int) -> AsyncIterator[Peer]:
    """Open it on an empty database."""
    connector = PsycopgConnector(
        conninfo=make_url(address)
        .set(drivername="postgresql")
        .render_as_string(hide_password=False),
        kwargs={"autocommit": True},
        min_size=concurrency,
        max_size=concurrency,
    )
    async with (
        App(connector=connector).open_async() as app,
        httpx.AsyncClient(transport=AiohttpTransport()) as client,
    ):
        await app.schema_manager.apply_schema_async()
        yield Peer(app, client, url, concurrency)


async def carried_out(place: World, url: str, numbers: range, concurrency: int) -> float:
    """Return jobs per second, from the first fetch to the last record."""
    address = await fresh_database(place, "bench_procrastinate")
    async with opened(address, url, concurrency) as peer:
        await peer.defer(numbers)
        rate = await peer.carry_out(len(numbers))
        [queue] = await peer.app.job_manager.list_queues_async()
    if queue["succeeded"] != len(numbers):
        raise AssertionError(queue)
    return rate
