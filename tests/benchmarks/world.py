"""The surroundings of the benchmarks: embedded servers in a temporary folder, child processes."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from ruamel.yaml import YAML
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.embedded.kafka import EmbeddedKafka
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.base.engine import Database
from tests.benchmarks.data import body, subject_of


@dataclass(frozen=True, slots=True)
class World:
    """The servers and their folder."""

    state: Path
    postgres: EmbeddedPostgres
    kafka: EmbeddedKafka


@contextmanager
def world() -> Iterator[World]:
    """Run PostgreSQL and Kafka for the block."""
    with tempfile.TemporaryDirectory(prefix="cg-bench-") as folder:
        state = Path(folder)
        postgres, kafka = EmbeddedPostgres(state), EmbeddedKafka(state)
        postgres.start()
        kafka.start()
        try:
            yield World(state, postgres, kafka)
        finally:
            kafka.stop()
            postgres.stop()


async def fresh_database(place: World, name: str) -> str:
    """Create a new, empty database; return its URL."""
    engine = create_async_engine(place.postgres.url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"drop database if exists {name} with (force)"))
        await connection.execute(text(f"create database {name}"))
    await engine.dispose()
    return place.postgres.url.replace("/credit_gateway", f"/{name}")


async def produce(place: World, topic: str, count: int, start: int = 0) -> None:
    """Publish `count` records to a topic of two partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka.bootstrap)
    await admin.start()
    if topic not in await admin.list_topics():
        await admin.create_topics([NewTopic(topic, 2, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=place.kafka.bootstrap, linger_ms=20)
    await producer.start()
    waiting = []
    for number in range(start, start + count):
        waiting.append(
            await producer.send(topic, body(number), key=str(subject_of(number)).encode())
        )
        if len(waiting) >= 5_000:
            await asyncio.gather(*waiting)
            waiting.clear()
    await asyncio.gather(*waiting)
    await producer.stop()


def write_config(place: World, name: str, settings: dict[str, Any]) -> Path:
    """Write a configuration file for a child process."""
    path = place.state / f"{name}.yaml"
    with path.open("w") as stream:
        YAML(typ="safe", pure=True).dump(settings, stream)
    return path


@asynccontextmanager
async def child(
    arguments: list[str], environment: dict[str, str]
) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """Run a process of our own, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


async def take_statistics(database: Database) -> None:
    """Vacuum and analyse, as autovacuum does in service."""
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text("vacuum analyze"))


async def count(database: Database, query: str) -> int:
    """Return a number from the database; 0 while its tables do not exist."""
    try:
        async with database.engine.connect() as connection:
            return int(await connection.scalar(text(query)) or 0)
    except Exception:  # noqa: BLE001  the child has not created the tables yet
        return 0
