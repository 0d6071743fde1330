"""Kafka → committed: the gateway against a textbook handler; memory; statements of a batch."""

import asyncio
import time
from typing import Any

import psutil
from sqlalchemy import event

from gateway.app import build
from gateway.clock import system_clock
from gateway.normalise import Raw
from gateway.settings import make_settings
from gateway.store.engine import Database
from gateway.store.schema import upgrade
from schemas.codes import RecordKind
from tests.benchmarks.data import RECORDS, body
from tests.benchmarks.world import World, child, count, fresh_database, produce, write_config

TOPIC = "double-publicity.penalty"
TEXTBOOK_RECORDS = 3_000
MEMORY_MARKS = (10_000, 100_000, 200_000)
DONE = "select count(*) from inbox"


def settings(group: str, topic: str = TOPIC) -> dict[str, Any]:
    """Three deliveries for each record, scored by the draft rule set."""
    return {
        "kafka": {"group": group, "topics": {topic: "penalty"}, "batch_size": 1000},
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


async def ingest(place: World) -> dict[str, Any]:
    """Rate of the gateway process over 50,000 records, then memory up to 200,000."""
    await produce(place, TOPIC, MEMORY_MARKS[-1])
    url = await fresh_database(place, "bench_ingest")
    config = write_config(place, "ingest", {"state": str(place.state / "i"), **settings("bench")})
    environment = {
        "CREDIT_GATEWAY_DATABASE_URL": url,
        "KAFKA_BOOTSTRAP_SERVERS": place.kafka.bootstrap,
    }
    command = ["-m", "gateway", "--config", str(config), "up", "--roles", "intake"]
    database = Database(url)
    async with child(command, environment) as process:
        rate = await _rate(database, RECORDS)
        memory = [await _memory(database, process.pid, mark) for mark in MEMORY_MARKS]
    await database.close()
    return {"ingest_per_s": rate, "rss_mb": memory}


async def textbook(place: World) -> dict[str, Any]:
    """The same rows by one message, one transaction, one commit."""
    topic = "textbook.penalty"
    await produce(place, topic, TEXTBOOK_RECORDS)
    url = await fresh_database(place, "bench_textbook")
    database = Database(url)
    await upgrade(database)
    environment = {"BENCH_URL": url, "BENCH_KAFKA": place.kafka.bootstrap, "BENCH_TOPIC": topic}
    async with child(["-m", "tests.benchmarks.textbook"], environment):
        rate = await _rate(database, TEXTBOOK_RECORDS)
    await database.close()
    return {"textbook_per_s": rate}


async def statements(place: World) -> dict[str, Any]:
    """Statements that a batch of 10 and one of 1,000 cost; COPY is counted with them."""
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


async def _rate(database: Database, records: int) -> float:
    """Records a second from the first commit seen to the last."""
    while not (first := await count(database, DONE)):
        await asyncio.sleep(0.02)
    start = time.perf_counter()
    while (done := await count(database, DONE)) < records:
        await asyncio.sleep(0.1)
    return round((done - first) / (time.perf_counter() - start), 1)


async def _memory(database: Database, pid: int, mark: int) -> float:
    while await count(database, DONE) < mark:
        await asyncio.sleep(0.2)
    return round(float(psutil.Process(pid).memory_info().rss) / 2**20, 1)
