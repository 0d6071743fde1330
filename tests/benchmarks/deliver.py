"""HTTP deliveries with stored outcomes, compared with a plain loop and a peer; and the claim."""

import asyncio
import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport
from sqlalchemy import text

from gateway.check.raw import Raw
from gateway.config.clock import SteppedClock
from gateway.config.settings import make_settings
from gateway.service.app import Gateway, build
from gateway.service.roles import build_deliverers
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from gateway.store.deliver import claims, ends
from schemas import delivery
from schemas.codes import RecordKind
from schemas.delivery import DeliveryState
from tests.benchmarks import procrastinate_peer
from tests.benchmarks.data import body, item
from tests.benchmarks.world import World, child, fresh_database, take_statistics

CALLS, CONCURRENCY = 2_000, 16
#: Turns of loop, gateway and peer, because the speed of the machine drifts within minutes.
TURNS = 4
BATCH_ROWS, BATCH = 40_000, 100
OPEN = (10_000, 100_000, 1_000_000)
CLAIMED, CLAIMS = 200, 30
PORT = 18_493
NOW = datetime(2026, 10, 13, 1, tzinfo=UTC)


async def deliver(place: World) -> dict[str, Any]:
    """Measure single deliveries, batches, a plain loop and the peer, against a sandbox process."""
    command = ["-m", "gateway", "sandbox", "--port", str(PORT), "--platform", "p"]
    url = f"http://127.0.0.1:{PORT}/p"
    async with child(command, {}):
        await until_up(url)
        plain, single, peer = [], [], []
        for turn in range(TURNS):
            numbers = range(turn * CALLS, (turn + 1) * CALLS)
            plain.append(await _plain_loop(url, numbers))
            single.append(await _delivered(place, url, CALLS, 1))
            peer.append(await procrastinate_peer.carried_out(place, url, numbers, CONCURRENCY))
        batch = await _delivered(place, url, BATCH_ROWS, BATCH)
    return {
        "plain_loop_per_s": round(statistics.harmonic_mean(plain), 1),
        "deliver_single_per_s": round(statistics.harmonic_mean(single), 1),
        "procrastinate_per_s": round(statistics.harmonic_mean(peer), 1),
        "deliver_batch_per_s": batch,
    }


async def until_up(url: str) -> None:
    """Wait until the sandbox answers."""
    async with httpx.AsyncClient(transport=AiohttpTransport()) as client:
        for _ in range(200):
            try:
                await client.get(f"{url}/health")
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
            else:
                return


async def _plain_loop(url: str, rows: range) -> float:
    """POST one row per call at the same concurrency and transport; nothing is recorded."""
    numbers = iter(rows)

    async def worker(client: httpx.AsyncClient) -> None:
        for number in numbers:
            row = item("plain", number)
            (await client.post(f"{url}/records", json={"items": [row]})).raise_for_status()

    async with httpx.AsyncClient(transport=AiohttpTransport()) as client:
        start = time.perf_counter()
        await asyncio.gather(*(worker(client) for _ in range(CONCURRENCY)))
    return round(len(rows) / (time.perf_counter() - start), 1)


async def _delivered(place: World, url: str, rows: int, batch: int) -> float:
    database = Database(await fresh_database(place, "bench_deliver"))
    await upgrade(database)
    built = await build(settings(place, url, batch), database, SteppedClock(NOW))
    await fill(built, rows)
    [deliverer] = build_deliverers(built)
    start = time.perf_counter()
    done = await deliverer.drain()
    rate = rows / (time.perf_counter() - start)
    if done.outcomes != {"accepted": rows}:
        raise AssertionError(done.outcomes)
    await deliverer.close()
    await database.close()
    return round(rate, 1)


def settings(place: World, url: str, batch: int) -> Any:
    """Return settings with the sandbox as the one destination."""
    return make_settings(
        {
            "state": str(place.state / "d"),
            "scoring": {"not_scored": [""]},
            "destinations": [
                {
                    "name": "p",
                    "title": "p",
                    "connector": "platform-json",
                    "takes": ["penalty"],
                    "settings": {
                        "url": url,
                        "allow_private": True,
                        "batch_size": batch,
                        "concurrency": CONCURRENCY,
                    },
                }
            ],
        },
        "bench",
    )


async def fill(built: Gateway, rows: int) -> None:
    """Record so many penalties, which are then to be delivered."""
    for start in range(0, rows, 1000):
        raws = [
            Raw(f"fill:{rows}", n, body(n), RecordKind.PENALTY)
            for n in range(start, min(rows, start + 1000))
        ]
        await built.pipeline.process(raws)


_FILL_OPEN = text(
    """
    insert into delivery (id, item_kind, item_id, destination, subject_id, chain_id, verb, state,
        due_at, next_at, clock, dues, created_at)
    select nextval('gateway_id'), 'record_version', n, 'p', n % 5000 + 1, n / 2, 'new',
        case when n % 2 = 0 then 'ready' else 'waiting' end,
        cast(:now as timestamptz) + n * interval '1 second', null, 'c', '{}', :now
    from generate_series(:first * 2, :last * 2 - 1) n
    """
)
_FILL_DEFERRED = text(
    """
    insert into delivery (id, item_kind, item_id, destination, subject_id, chain_id, verb, state,
        due_at, next_at, clock, dues, created_at)
    select nextval('gateway_id'), 'record_version', n, 'p', n % 5000 + 1, n + 100000000, 'new',
        'deferred', :now, cast(:now as timestamptz) + interval '1 day', 'c', '{}', :now
    from generate_series(:first, :last - 1) n
    """
)


async def claim(place: World) -> dict[str, Any]:
    """Measure claim and finish of 200 with more and more open and deferred; milliseconds."""
    database = Database(await fresh_database(place, "bench_claim"))
    await upgrade(database)
    async with database.transaction() as connection:
        await connection.execute(
            text(
                "insert into subject (id, code, person) "
                "select n, 'S' || n, false from generate_series(1, 5000) n"
            )
        )
    figures, filled = [], 0
    for size in OPEN:
        values = {"first": filled // 2, "last": size // 2, "now": NOW}
        async with database.transaction() as connection:
            await connection.execute(_FILL_OPEN, values)
            await connection.execute(_FILL_DEFERRED, {**values, "first": filled, "last": size})
        await take_statistics(database)
        filled = size
        figures.append(await _claim_ms(database))
    await database.close()
    return {"claim_ms": figures}


async def _claim_ms(database: Database) -> float:
    times = []
    for _ in range(CLAIMS):
        start = time.perf_counter()
        async with database.transaction() as connection:
            claimed = await claims.claim(
                connection,
                "p",
                limit=CLAIMED,
                token=str(uuid.uuid4()),
                lease=timedelta(minutes=1),
                now=NOW,
            )
        async with database.transaction() as connection:
            finished = [
                delivery.Finish(
                    one.id,
                    one.lease_token,
                    one.subject_id,
                    one.chain_id,
                    "p",
                    DeliveryState.ACCEPTED,
                    "accepted",
                )
                for one in claimed
            ]
            await ends.finish(connection, finished, NOW)
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 1)
