"""What destinations in trouble cost the others: one is dead, one slow, one refuses a subject.

All take every decision, in one process, as in a bureau; only the rate of one sound destination is
measured, beside three others that are sound, too, and beside three in trouble. A processor that has
more to do for the others is no delay by their trouble, so that alone is nothing to compare with.
"""

import asyncio
import statistics
import time
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport

from gateway.config.clock import SteppedClock
from gateway.config.settings import make_settings
from gateway.deliver.deliverer import Deliverer
from gateway.service.app import build
from gateway.service.roles import build_deliverers
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from tests.benchmarks.deliver import CONCURRENCY, NOW, PORT, fill, until_up
from tests.benchmarks.world import World, child, fresh_database

ROWS, TURNS = 4_000, 3
#: Nobody listens there.
DEAD = "http://127.0.0.1:9"
SOUND, TROUBLED = ("q", "r", "s"), ("dead", "slow", "picky")


async def neighbours(place: World) -> dict[str, Any]:
    """Return deliveries a second of a sound destination, beside sound and troubled ones, by turns.

    Each decision makes three more deliveries to those, which are not counted.
    """
    names = ("p", *SOUND, "slow", "picky")
    places = [word for name in names for word in ("--platform", name)]
    url = f"http://127.0.0.1:{PORT}"
    async with child(["-m", "gateway", "sandbox", "--port", str(PORT), *places], {}):
        await until_up(f"{url}/p")
        await _order(f"{url}/slow", slow=2.0)
        await _order(f"{url}/picky", required_columns={"penalty": ["NOWHERE"]})
        sound, troubled = [], []
        for _ in range(TURNS):
            sound.append(await _rate(place, url, SOUND))
            troubled.append(await _rate(place, url, TROUBLED))
    return {
        "deliver_beside_sound_per_s": round(statistics.harmonic_mean(sound), 1),
        "deliver_beside_troubled_per_s": round(statistics.harmonic_mean(troubled), 1),
    }


async def _order(url: str, **faults: Any) -> None:
    async with httpx.AsyncClient(transport=AiohttpTransport()) as client:
        (await client.post(f"{url}/control/faults", json=faults)).raise_for_status()


async def _rate(place: World, url: str, others: tuple[str, ...]) -> float:
    database = Database(await fresh_database(place, "bench_neighbours"))
    await upgrade(database)
    addresses = {name: DEAD if name == "dead" else f"{url}/{name}" for name in ("p", *others)}
    content = {
        "state": str(place.state / "n"),
        "scoring": {"not_scored": [""]},
        "destinations": [_destination(*one) for one in addresses.items()],
    }
    built = await build(make_settings(content, "bench"), database, SteppedClock(NOW))
    await fill(built, ROWS)
    sound, *neighbouring = build_deliverers(built)
    beside = [asyncio.create_task(_go_on(one)) for one in neighbouring]
    start = time.perf_counter()
    done = await sound.drain()
    rate = ROWS / (time.perf_counter() - start)
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    if done.outcomes != {"accepted": ROWS}:
        raise AssertionError(done.outcomes)
    for one in (sound, *neighbouring):
        await one.close()
    await database.close()
    return rate


async def _go_on(deliverer: Deliverer) -> None:
    while True:
        await deliverer.round()
        await asyncio.sleep(0.1)


def _destination(name: str, url: str) -> dict[str, Any]:
    settings = {"url": url, "allow_private": True, "batch_size": 1, "concurrency": CONCURRENCY}
    return {
        "name": name,
        "title": name,
        "connector": "platform-json",
        "takes": ["penalty"],
        "settings": settings,
    }
