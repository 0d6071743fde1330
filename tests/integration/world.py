"""A whole gateway on the database of a test, with short queries for tests."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import text

from connectors.memory import MemoryConnector
from gateway.config.clock import SteppedClock
from gateway.deliver.deliverer import Deliverer
from gateway.deliver.receipts import receive
from gateway.record.result import Result
from gateway.service.app import Gateway
from gateway.service.roles import build_deliverers, build_schedule
from tests.factories import stream

Input = Mapping[str, Any] | bytes | None


class World:
    """The gateway, its deliverers by name and its schedule; the test moves the time."""

    def __init__(self, gateway: Gateway, clock: SteppedClock) -> None:
        self.gateway = gateway
        self.database = gateway.database
        self.clock = clock
        self.schedule = build_schedule(gateway)
        self.deliverers = {one.name: one for one in build_deliverers(gateway)}
        self._origins = count()

    async def take(self, *rows: Input, origin: str | None = None, first: int = 0) -> list[Result]:
        """Process one batch, by default with a new origin."""
        name = origin or f"test-{next(self._origins)}"
        return await self.gateway.pipeline.process(stream(rows, name, first))

    def deliverer(self, name: str = "platform") -> Deliverer:
        return self.deliverers[name]

    def connector(self, name: str = "platform") -> MemoryConnector:
        connector = self.deliverers[name].connector
        assert isinstance(connector, MemoryConnector)
        return connector

    async def turn(self) -> None:
        """Run schedule, receipts and deliveries once, deliveries until none can be claimed."""
        await self.schedule.tick()
        for deliverer in self.deliverers.values():
            await receive(deliverer)
            await deliverer.drain()

    async def pass_time(self, hours: float) -> None:
        """Move the time forward, then run everything once."""
        self.clock.step(timedelta(hours=hours))
        await self.turn()

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(text(query), values)]

    async def column(self, query: str, **values: Any) -> list[Any]:
        return [row[0] for row in await self.rows(query, **values)]

    async def value(self, query: str, **values: Any) -> Any:
        [[value]] = await self.rows(query, **values)
        return value

    async def run(self, statement: str, **values: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(text(statement), values)

    async def states(self, destination: str = "platform") -> list[str]:
        """Return the states of a destination's deliveries in the order of their ids."""
        query = "select state from delivery where destination = :name order by id"
        return await self.column(query, name=destination)

    async def events(self) -> list[str]:
        """Return the names of the audit events in their order."""
        return await self.column("select event from audit_event order by at, id")

    def sent(self, destination: str = "platform") -> list[tuple[str, str | None]]:
        """Return (verb, document number) of what the destination accepted, in order."""
        items = self.connector(destination).stored.values()
        return [(item.verb.value, item.document_number) for item in items]
