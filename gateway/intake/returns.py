"""Tell the case system what became of what it sent 来件回执, on a topic of its own.

Each message is a CloudEvent about one item: taken in, incomplete or refused with the problems, and
later each end of its deliveries. It has a reference and no personal data: where the subject may be
a natural person, problems are told by field, rule and fix only, and no reasons, in which platforms
quote names. A message may come twice, with the same id.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from connectors.shared.kafka_connection import kafka_words
from gateway.config.clock import Clock
from gateway.config.keys import Keys
from gateway.store.base.engine import Connection, Database, DatabaseAway
from gateway.store.record import returns as store
from gateway.telemetry.log import LogEvent, logger
from schemas.identifiers import MASK, masked
from schemas.verdict import Verdict

#: Messages of one slice, and slices of one pass.
SLICE, SLICES = 500, 20
#: For a slice.
SENDING = timedelta(seconds=30)
#: For how long nobody else tells after a sign of life, and how often one is given: a producer takes
#: a minute to stop, and who has crashed gives none.
LEASE, SIGN = timedelta(seconds=20), timedelta(seconds=5)
#: What a source is told of an item that is not refused and of no delivery.
_EXCLUDED = "excluded"


@dataclass(eq=False)
class Returns:
    """The topic of returns; `options` are the arguments of a client of aiokafka."""

    database: Database
    topic: str
    bootstrap: str
    options: Mapping[str, Any]
    installation: str
    clock: Clock
    keys: Keys
    _owner: str = field(default_factory=lambda: uuid.uuid4().hex, init=False)
    _producer: Any = field(default=None, init=False)

    async def tell(self) -> int:
        """Tell what is not told yet; return how many messages the brokers confirmed.

        A cluster that does not take them is logged; nothing is lost, and the next pass goes on.
        """
        told = 0
        for _ in range(SLICES):
            rows = await self.database.run(self._claim)
            if not rows:
                break
            async with self._alive():
                sent = [row.id for row in rows] if await self._is_sent(rows) else []
            await self.database.run(partial(store.release, owner=self._owner, told=sent))
            told += len(sent)
            if len(sent) < SLICE:
                break
        return told

    async def _claim(self, connection: Connection) -> Sequence[Any]:
        return await store.claim(connection, self._owner, LEASE, SLICE)

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        """Keep the lease for the block."""
        signs = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            signs.cancel()
            await asyncio.gather(signs, return_exceptions=True)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(SIGN.total_seconds())
            with suppress(DatabaseAway):  # a lease that ends meanwhile lets a message come twice
                await self.database.run(partial(store.renew, owner=self._owner, time=LEASE))

    async def _is_sent(self, rows: Sequence[Any]) -> bool:
        """Send a slice while no transaction is open; return whether all of it was confirmed."""
        try:
            async with asyncio.timeout(SENDING.total_seconds()):
                await self._send(rows)
        except (KafkaError, OSError) as error:
            extra = {"topic": self.topic, "error": kafka_words(error)}
            logger.warning(LogEvent.RETURNS_WAIT, extra=extra)
            await self.close()
            return False
        return True

    async def _send(self, rows: Sequence[Any]) -> None:
        producer = await self._started()
        now = self.clock()
        sent = [
            await producer.send(
                self.topic,
                value=self._event(row, now),
                key=self._reference(row).encode(),
                headers=[("content-type", b"application/cloudevents+json")],
            )
            for row in rows
        ]
        for one in sent:
            await one

    async def _started(self) -> Any:
        if self._producer is None:
            producer: Any = AIOKafkaProducer(
                bootstrap_servers=self.bootstrap,
                enable_idempotence=True,
                acks="all",
                **self.options,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Stop the producer; a later pass would start a new one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    def _event(self, row: Any, now: datetime) -> bytes:
        event = {
            "specversion": "1.0",
            "id": f"{self.installation}-{row.id}",
            "source": "credit-gateway",
            "type": "credit-gateway.receipt",
            "subject": self._reference(row),
            "time": now.isoformat(),
            "datacontenttype": "application/json",
            "data": _told(row, self._reference(row)),
        }
        return orjson.dumps(event)

    def _reference(self, row: Any) -> str:
        """Return where an item came from: a topic with its offset, a file with its row, a request.

        What was mended in quarantine is told under the reference of what was refused. Of an
        identity number a keyed hash stands there, so that two requests have two references.
        """
        whole = row.of_replay or f"{row.name}#{row.position}"
        return masked(whole).replace(MASK, self.keys.content(whole.encode()).hex()[:16])


def _told(row: Any, reference: str) -> Mapping[str, Any]:
    reasons = () if row.person else row.reasons or ()
    told = {
        "reference": reference,
        "kind": row.kind,
        "document_number": row.document_number and masked(row.document_number),
        "version": row.version,
        "destination": row.destination,
        "state": row.state or _state(row),
        "reasons": [masked(str(reason)) for reason in reasons],
        "problems": _problems(row),
    }
    return {name: value for name, value in told.items() if value not in (None, [])}


def _state(row: Any) -> str:
    if row.excluded is not None:
        return _EXCLUDED
    return str(row.verdict or (Verdict.OK if row.recorded else Verdict.REFUSED))


def _problems(row: Any) -> Sequence[Mapping[str, str]]:
    """Return the problems; their words may quote a name, so that they stay with units."""
    quiet = row.person or not row.recorded
    names = ("field", "rule", "fix") if quiet else ("field", "rule", "message", "fix")
    return [
        {name: masked(str(problem[name])) for name in names if problem.get(name)}
        for problem in row.problems or ()
    ]
