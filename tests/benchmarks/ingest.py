"""Kafka → committed: the gateway compared with a textbook handler; memory; statements per batch."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from sqlalchemy import event

from gateway.check.raw import Raw
from gateway.config.clock import system_clock
from gateway.config.settings import make_settings
from gateway.service.app import build
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from schemas.codes import RecordKind
from tests.benchmarks.data import RECORDS, body
from tests.benchmarks.world import World, child, count, fresh_database, produce, write_config

TOPIC = "double-publicity.penalty"
BATCH = 1_000
TEXTBOOK_RECORDS = 3_000
MEMORY_MARKS = (10_000, 100_000, 200_000)
DONE = "select count(*) from inbox"
#: The same from the primary key, for a topic without gaps: counting would take a whole core.
_OFFSET = "(select max(position) + 1 from inbox i where i.origin_id = o.id)"
DONE_BY_OFFSET = f"select sum({_OFFSET}) from origin o"
#: Records done in the partition with the fewest.
LEAST_DONE = f"select min({_OFFSET}) from origin o having count(*) = 2"


def settings(group: str, topic: str = TOPIC) -> dict[str, Any]:
    """Return settings with three deliveries for each record, scored by the draft rule set."""
    return {
        "kafka": {"group": group, "topics": {topic: "penalty"}, "batch_size": BATCH},
        "scoring": {"bindings": [{"rule_set": "nm-2023-draft", "regions": ["159900"]}]},
        "destinations": [
            {
                "name": name,
                "title": name,
                "connector": "memory",
                "takes": ["penalty"],
                "clocks": ["calendar-7"],
            }
            for name in ("platform-a", "platform-b", "platform-c")
        ],
    }


#: One process of the group for each partition, as on two cores.
PROCESSES = 2
ONE_PROCESS_RECORDS = 20_000


async def ingest(place: World) -> dict[str, Any]:
    """Measure one process, then the group over 50,000 records, then memory up to 200,000."""
    await produce(place, TOPIC, MEMORY_MARKS[-1])
    async with _gateways(place, "one", 1) as (database, _):
        await _complete(place, "one", 1)
        await _working(database)
        one = await _rate(database, ONE_PROCESS_RECORDS, DONE_BY_OFFSET)
    async with _gateways(place, "group", PROCESSES) as (database, processes):
        measuring = asyncio.create_task(_memory(database, processes))
        await _complete(place, "group", PROCESSES)
        await _working(database)
        rate = await _rate(database, RECORDS, DONE_BY_OFFSET)
        memory = await measuring
    return {
        "ingest_per_s": rate,
        "ingest_processes": PROCESSES,
        "ingest_one_process_per_s": one,
        "rss_mb": memory,
    }


@asynccontextmanager
async def _gateways(
    place: World, group: str, count_: int
) -> AsyncIterator[tuple[Database, list[int]]]:
    """Run gateway processes of one consumer group on their own database; yield their pids."""
    url = await fresh_database(place, f"bench_{group}")
    config = write_config(place, group, {"state": str(place.state / group), **settings(group)})
    environment = {
        "CREDIT_GATEWAY_DATABASE_URL": url,
        "KAFKA_BOOTSTRAP_SERVERS": place.kafka.bootstrap,
    }
    command = ["-m", "gateway", "--config", str(config), "up", "--roles", "intake"]
    database = Database(url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        started = [
            await stack.enter_async_context(child(command, environment)) for _ in range(count_)
        ]
        yield database, [process.pid for process in started]


async def textbook(place: World) -> dict[str, Any]:
    """Measure the same rows with one message, one transaction and one commit each."""
    topic = "textbook.penalty"
    await produce(place, topic, TEXTBOOK_RECORDS + 100)
    url = await fresh_database(place, "bench_textbook")
    database = Database(url)
    await upgrade(database)
    environment = {"BENCH_URL": url, "BENCH_KAFKA": place.kafka.bootstrap, "BENCH_TOPIC": topic}
    async with child(["-m", "tests.benchmarks.textbook"], environment):
        rate = await _rate(database, TEXTBOOK_RECORDS)
    await database.close()
    return {"textbook_per_s": rate}


async def statements(place: World) -> dict[str, Any]:
    """Count the statements of a batch of 10 and one of 1,000, COPY included."""
    database = Database(await fresh_database(place, "bench_statements"))
    await upgrade(database)
    built = await build(
        make_settings({"state": str(place.state / "s"), **settings("statements")}, "bench"),
        database,
        system_clock,
    )
    counts = []
    for size in (10, 1_000):
        executed: list[str] = []

        def note(*arguments: Any, seen: list[str] = executed) -> None:
            seen.append(arguments[2])

        event.listen(database.engine.sync_engine, "before_cursor_execute", note)
        raws = [
            Raw(f"bench:{size}", n, body(size * 10 + n), RecordKind.PENALTY) for n in range(size)
        ]
        await built.pipeline.process(raws)
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
        counts.append(len(executed))
    await database.close()
    return {"ingest_statements_per_batch": counts}


async def _complete(place: World, group: str, members: int) -> None:
    """Wait until the group has all its members, so that the start is not measured."""
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka.bootstrap)
    await admin.start()
    joined, state = 0, ""
    while joined < members or state != "Stable":
        await asyncio.sleep(0.1)
        with suppress(KafkaError):  # the broker does not know the group yet
            [answer] = await admin.describe_consumer_groups([group])
            [(_, _, state, _, _, found, *_)] = answer.groups
            joined = len(found)
    await admin.close()


async def _working(database: Database) -> None:
    """Wait until every partition is three batches further.

    Up to two batches may still come from the former owner of a partition, and the first batch of a
    process is slow.
    """
    start = await count(database, LEAST_DONE)
    while await count(database, LEAST_DONE) < start + 3 * BATCH:
        await asyncio.sleep(0.02)


async def _rate(database: Database, records: int, query: str = DONE) -> float:
    """Return records per second over this many records, from the first commit seen."""
    while not (first := await count(database, query)):
        await asyncio.sleep(0.02)
    start = time.perf_counter()
    while (done := await count(database, query)) < first + records:
        await asyncio.sleep(0.1)
    return round((done - first) / (time.perf_counter() - start), 1)


async def _memory(database: Database, processes: list[int]) -> list[float]:
    """Return the resident MB of the largest process at each mark."""
    resident = []
    for mark in MEMORY_MARKS:
        while await count(database, DONE_BY_OFFSET) < mark:
            await asyncio.sleep(0.2)
        most = max(psutil.Process(pid).memory_info().rss for pid in processes)
        resident.append(round(float(most) / 2**20, 1))
    return resident
