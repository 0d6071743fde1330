"""A topic of the case system as its register 案件登记."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from gateway.reconcile.register import RegisterUnread
from gateway.store.base.engine import Database
from tests.integration.ledger_world import credit_code, penalty, world
from tests.integration.reconcile.sides import compare, found

pytestmark = pytest.mark.integration


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "CF_WSH": f"样环罚〔2026〕{number}号",
        "CF_XDR_SHXYM": credit_code(number),
        "CF_NR_FK": "2",
        "CF_JDRQ": "2026-10-10",
        **changes,
    }


async def test_a_topic_counts_the_last_row_of_each_key(
    database: Database,
    tmp_path: Path,
    kafka_bootstrap: str,
    producer: AIOKafkaProducer,
    topic: str,
) -> None:
    here = await world(database, tmp_path, kafka_bootstrap=kafka_bootstrap)
    await here.take_in([penalty(n) for n in (1, 2, 3, 4)])
    here.clock.step(timedelta(days=7))
    for number, value in [
        (1, row(1, CF_NR_FK="30000")),
        (1, row(1)),
        (2, row(2)),
        (3, row(3)),
        (4, row(4)),
        (5, row(5)),
        (5, None),
    ]:
        body = None if value is None else orjson.dumps(value)
        await producer.send_and_wait(topic, body, key=str(number).encode())
    await producer.send_and_wait(topic, orjson.dumps(row(6)))

    done, _ = await compare(here, topic=topic, kind="penalty")

    assert found(done) == {"样环罚〔2026〕6号": "missing"}
    assert done.run.shown == 5
    with pytest.raises(RegisterUnread, match="没有主题 no-such-topic"):
        await compare(here, topic="no-such-topic")
