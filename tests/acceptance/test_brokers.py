"""Three brokers, of which one is killed under load and all are then restarted one by one."""

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from connectors.sandbox import serve_sandbox
from gateway.embedded.kafka import EmbeddedKafka, _escaped, _java
from gateway.store.base.engine import Database
from tests.acceptance.month import (
    assert_everything_is_there_once,
    messages,
    outcome_without_trouble,
)
from tests.acceptance.town import CITY, NATION, Town
from tests.conftest import NewDatabase
from tests.outcome import outcome

COUNT = 3
PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.partitions=2
default.replication.factor=3
min.insync.replicas=2
offsets.topic.num.partitions=4
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=true
"""


class Broker(EmbeddedKafka):
    """One of three brokers, each of which is also a controller."""

    def __init__(self, state: Path, node: int, ports: list[tuple[int, int]], cluster: str) -> None:
        super().__init__(state)
        self.node, self.places, self.cluster = node, ports, cluster

    def _configure(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        port, controller = self.places[self.node - 1]
        self.ports.write_text(f"{port} {controller}")
        voters = [f"{n}@127.0.0.1:{place[1]}" for n, place in enumerate(self.places, 1)]
        text = PROPERTIES.format(
            node=self.node,
            port=port,
            controller=controller,
            voters=",".join(voters),
            data=_escaped(self.data),
        )
        self.properties.write_text(text)
        if not (self.data / "meta.properties").exists():
            arguments = ["format", "-t", self.cluster, "-c", str(self.properties)]
            self.run(_java("kafka.tools.StorageTool", arguments, self.log))


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture
async def brokers(state: Path) -> AsyncIterator[list[Broker]]:
    found = free_ports(2 * COUNT)
    ports = list(zip(found[:COUNT], found[COUNT:], strict=True))
    cluster = uuid.uuid4().hex[:22]
    made = [Broker(state / f"broker-{n}", n, ports, cluster) for n in range(1, COUNT + 1)]
    await asyncio.gather(*(asyncio.to_thread(one.start) for one in made))
    yield made
    await asyncio.gather(*(asyncio.to_thread(one.stop) for one in made))


@pytest.fixture
async def spread(brokers: list[Broker], database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """A town whose topics have three replicas, of which two must have each message."""
    bootstrap = ",".join(one.bootstrap for one in brokers)
    made = Town("spread", database, bootstrap, tmp_path)
    async with serve_sandbox(made.sandbox) as url:
        made.url = url
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(topic, 2, COUNT) for topic in made.topics])
        await admin.close()
        yield made
        await made.close()


async def test_nothing_is_lost_or_doubled_when_brokers_die_and_are_restarted_one_by_one(
    spread: Town, brokers: list[Broker], new_database: NewDatabase
) -> None:
    published = messages()
    third = len(published) // 3
    spread.receive_later(CITY, NATION)
    gateway = spread.start()

    await spread.publish(published[:third])
    await spread.until_in(CITY, 3)
    os.kill(brokers[0].pid(), signal.SIGKILL)
    await spread.publish(published[third : 2 * third])
    await spread.until_in(CITY, 6)
    await asyncio.to_thread(brokers[0].stop)
    await asyncio.to_thread(brokers[0].start)
    publishing = asyncio.create_task(spread.publish(published[2 * third :]))
    for one in brokers[1:]:
        await asyncio.to_thread(one.stop)
        await asyncio.to_thread(one.start)
    await publishing
    await spread.settle()
    await spread.stop(gateway)

    await assert_everything_is_there_once(spread)
    assert await outcome(spread.rows) == await outcome_without_trouble(spread, new_database)
