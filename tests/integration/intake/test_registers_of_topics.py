"""A register that is a topic: the last row of each key that stands, whatever else is in it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from gateway.check.normalise import Candidate, Normalising
from gateway.check.raw import Raw
from gateway.intake import registers
from gateway.intake.files.reading import BATCH
from gateway.store.base.engine import Database
from schemas.problem import Problem
from schemas.register import Register
from tests.integration.ledger_world import penalty, world
from tests.integration.reconcile.sides import compare, found

pytestmark = pytest.mark.integration
WEEK = timedelta(days=7)


async def test_the_last_row_of_each_key_counts(
    database: Database, tmp_path: Path, kafka_bootstrap: str, topic: str, producer: AIOKafkaProducer
) -> None:
    here = await world(database, tmp_path, kafka_bootstrap=kafka_bootstrap)
    await here.take_in([penalty(1), penalty(2)])
    here.clock.step(WEEK)
    for key, value in (
        (b"1", orjson.dumps(penalty(1, CF_NR_FK=7))),
        (b"2", orjson.dumps(penalty(2))),
        (b"1", orjson.dumps(penalty(1))),
        (b"2", None),
        (None, orjson.dumps(penalty(3))),
    ):
        await producer.send_and_wait(topic, value, key=key)

    done, _ = await compare(here, topic=topic, kind="penalty")

    assert found(done) == {"样环罚〔2026〕2号": "over_reported", "样环罚〔2026〕3号": "missing"}


async def test_messages_of_aborted_transactions_are_no_rows(
    database: Database, tmp_path: Path, kafka_bootstrap: str, topic: str
) -> None:
    here = await world(database, tmp_path, kafka_bootstrap=kafka_bootstrap)
    await here.take_in([penalty(1)])
    here.clock.step(WEEK)
    said: Any = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, transactional_id=topic)
    await said.start()
    async with said.transaction():
        await said.send(topic, orjson.dumps(penalty(1)), key=b"1")
    await said.begin_transaction()
    await said.send_and_wait(topic, orjson.dumps(penalty(2)), key=b"2")
    await said.send_and_wait(topic, orjson.dumps(penalty(1, CF_NR_FK=77)), key=b"1")
    await said.abort_transaction()
    await said.begin_transaction()
    await said.send_and_wait(topic, orjson.dumps(penalty(3)), key=b"1")

    async with asyncio.timeout(20):
        done, _ = await compare(here, topic=topic, kind="penalty")
    await said.abort_transaction()
    await said.stop()

    assert found(done) == {}


async def test_rows_come_in_batches_and_the_loop_goes_on_meanwhile(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await world(database, tmp_path)
    body = orjson.dumps(penalty(1))

    async def messages(*_: Any) -> AsyncIterator[Any]:
        for offset in range(2 * BATCH + 1):
            yield SimpleNamespace(partition=0, offset=offset, key=None, value=body)

    monkeypatch.setattr(registers, "whole_topic", messages)
    checker = here.gateway.pipeline.checker
    turns: list[None] = []

    class NeedsTheLoop(Normalising):
        def __call__(self, raw: Raw) -> Candidate | Problem:
            turns.append(asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5))
            return super().__call__(raw)

    loop = asyncio.get_running_loop()
    rows = registers.RegisterRows(NeedsTheLoop(), checker.placeholders, here.clock())
    register = Register.model_validate({"name": "x", "title": "x", "topic": "t", "kind": "penalty"})

    sizes = [len(part) async for part in registers.of_topic(rows, register, "", {})]

    assert sizes == [BATCH, BATCH, 1]
    assert len(turns) == sum(sizes)
