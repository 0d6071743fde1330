"""Deliveries beside a transaction that stays open, as a dump or a forgotten session keeps one.

While it is open no dead row can be removed, so that whatever has to search past them gets slower:
the trouble of every queue in a table. What is delivered meanwhile is that of ten minutes at a
hundred a second. The peer is procrastinate with the same rows, transport and concurrency.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import asyncpg
from sqlalchemy import make_url

from gateway.config.clock import SteppedClock
from gateway.deliver.deliverer import Deliverer
from gateway.service.app import build
from gateway.service.roles import build_deliverers
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from tests.benchmarks import procrastinate_peer
from tests.benchmarks.deliver import CONCURRENCY, NOW, PORT, fill, settings, until_up
from tests.benchmarks.world import World, child, fresh_database, take_statistics

#: Deliveries of each of the three figures, and those before the second one; of the peer, which is
#: slowed down sooner, fewer.
MEASURED, MEANWHILE, PEERS = 10_000, 50_000, 15_000
ROWS = 3 * MEASURED + MEANWHILE


async def held(place: World) -> dict[str, Any]:
    """Return deliveries a second before, at the end of an open transaction, and after it."""
    command = ["-m", "gateway", "sandbox", "--port", str(PORT), "--platform", "p"]
    url = f"http://127.0.0.1:{PORT}/p"
    async with child(command, {}):
        await until_up(url)
        return {
            "held_xmin_per_s": await _ours(place, url),
            "held_xmin_procrastinate_per_s": await _peers(place, url),
        }


async def _ours(place: World, url: str) -> list[float]:
    address = await fresh_database(place, "bench_held")
    database = Database(address)
    await upgrade(database)
    built = await build(settings(place, url, 1), database, SteppedClock(NOW))
    await fill(built, ROWS)
    await take_statistics(database)
    [deliverer] = build_deliverers(built)
    rates = [await _rate(deliverer)]
    async with _open_transaction(address):
        await _deliver(deliverer, MEANWHILE)
        rates.append(await _rate(deliverer))
    await take_statistics(database)
    rates.append(await _rate(deliverer))
    await deliverer.close()
    await database.close()
    return rates


async def _rate(deliverer: Deliverer) -> float:
    seconds = -perf_counter()
    done = await _deliver(deliverer, MEASURED)
    return round(done / (seconds + perf_counter()), 1)


async def _deliver(deliverer: Deliverer, count: int) -> int:
    """Deliver about so many, by whole rounds; return how many."""
    done = 0
    while done < count and (claimed := (await deliverer.round()).claimed):
        done += claimed
    return done


async def _peers(place: World, url: str) -> list[float]:
    address = await fresh_database(place, "bench_held_procrastinate")
    database = Database(address)
    async with procrastinate_peer.opened(address, url, CONCURRENCY) as peer:

        async def rate(first: int, count: int) -> float:
            await peer.defer(range(first, first + count))
            return await peer.carry_out(count)

        rates = [await rate(0, MEASURED)]
        async with _open_transaction(address):
            await rate(MEASURED, PEERS)
            rates.append(await rate(MEASURED + PEERS, MEASURED))
        await take_statistics(database)
        rates.append(await rate(2 * MEASURED + PEERS, MEASURED))
    await database.close()
    return rates


@asynccontextmanager
async def _open_transaction(address: str) -> AsyncIterator[None]:
    """Keep a transaction open that sees one moment of the database."""
    url = make_url(address)
    connection = await asyncpg.connect(
        host=str(url.query["host"]), user="postgres", database=url.database
    )
    try:
        async with connection.transaction(isolation="repeatable_read"):
            await connection.fetchval("select count(*) from pg_class")
            yield
    finally:
        await connection.close()
