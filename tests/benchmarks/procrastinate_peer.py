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
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport
from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONDict
from sqlalchemy import make_url

from tests.benchmarks.data import item
from tests.benchmarks.world import World, fresh_database

DEFERRED_AT_ONCE = 1_000


async def carried_out(place: World, url: str, numbers: range, concurrency: int) -> float:
    """Return jobs per second, from the first fetch to the last record."""
    address = make_url(await fresh_database(place, "bench_procrastinate"))
    connector = PsycopgConnector(
        conninfo=address.set(drivername="postgresql").render_as_string(hide_password=False),
        kwargs={"autocommit": True},
        min_size=concurrency,
        max_size=concurrency,
    )
    async with (
        App(connector=connector).open_async() as app,
        httpx.AsyncClient(transport=AiohttpTransport()) as client,
    ):
        await app.schema_manager.apply_schema_async()
        await _defer(app, client, url, numbers)
        start = time.perf_counter()
        await asyncio.gather(*(_work(app) for _ in range(concurrency)))
        rate = len(numbers) / (time.perf_counter() - start)
        [queue] = await app.job_manager.list_queues_async()
    if queue["succeeded"] != len(numbers):
        raise AssertionError(queue)
    return round(rate, 1)


async def _defer(app: App, client: httpx.AsyncClient, url: str, numbers: range) -> None:
    @app.task
    async def deliver(row: dict[str, Any]) -> None:
        (await client.post(f"{url}/records", json={"items": [row]})).raise_for_status()

    rows: list[JSONDict] = [{"row": item("procrastinate", number)} for number in numbers]
    for start in range(0, len(rows), DEFERRED_AT_ONCE):
        await deliver.batch_defer_async(*rows[start : start + DEFERRED_AT_ONCE])
    await app.connector.execute_query_async("analyze procrastinate_jobs")


async def _work(app: App) -> None:
    await app.run_worker_async(wait=False, listen_notify=False, install_signal_handlers=False)
