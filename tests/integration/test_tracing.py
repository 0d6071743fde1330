"""Traces reach a real collector, link from record to delivery, and say nothing of a record."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from connectors.memory import Step
from gateway.deliver.receipts import receive
from gateway.telemetry.tracing import tracing
from tests.connectors.raw_server import answer, raw_server, request_of
from tests.factories import penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration


class Collector:
    """What keeps the bytes that an exporter sends."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []

    def spans(self) -> Iterator[Span]:
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    yield from scope.spans

    def named(self, name: str) -> list[Span]:
        return [one for one in self.spans() if one.name == name]


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    found = Collector()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.bodies.append((await request_of(reader)).partition(b"\r\n\r\n")[2])
        writer.write(answer(b"", extra=b"Content-Type: application/x-protobuf\r\n"))
        await writer.drain()

    async with raw_server(handler) as url:
        found.url = f"{url}/v1/traces"
        yield found


async def stop() -> None:
    await asyncio.to_thread(tracing.stop)


async def test_a_record_its_delivery_and_its_receipt_are_traces_that_link_to_one_another(
    world: World, collector: Collector
) -> None:
    tracing.start(collector.url, {}, 1.0, world.gateway.installation)
    world.connector().play(Step.SUBMIT)
    await world.take(penalty(), penalty(2, 2), penalty())
    await world.deliverer().drain()
    [key, _] = world.connector().stored
    world.connector().issue_receipt(key, accepted=True)
    await receive(world.deliverer())
    await stop()

    [batch], [call], [receipt] = (collector.named(name) for name in ("intake", "call", "receipt"))
    records, delivers = collector.named("record"), collector.named("deliver")
    assert (len(records), len(delivers)) == (2, 2)
    assert {link.span_id for one in records for link in one.links} == {batch.span_id}
    assert {one.trace_id for one in records} == {one.links[1].trace_id for one in delivers}
    assert {one.links[0].span_id for one in delivers} == {call.span_id}
    assert receipt.trace_id in {one.trace_id for one in delivers}
    assert len({one.trace_id for one in collector.spans()}) == 6  # not one giant trace
    told = {one.key: one.value.string_value for one in delivers[0].attributes}
    assert told == {"destination": "platform", "act": "send", "state": "submitted"}
    whole = b"".join(collector.bodies)
    for secret in ("环罚字".encode(), "罚款".encode(), b"9115"):
        assert secret not in whole


async def test_a_share_keeps_both_ends_of_the_same_items(
    world: World, collector: Collector
) -> None:
    tracing.start(collector.url, {}, 0.0, world.gateway.installation)
    await world.take(penalty())
    await world.deliverer().drain()
    await stop()

    assert {one.name for one in collector.spans()} == {"intake", "call"}


async def test_without_a_collector_nothing_is_made_and_a_dead_one_holds_nothing_up(
    world: World,
) -> None:
    await world.take(penalty())
    tracing.start("http://127.0.0.1:9/v1/traces", {}, 1.0, world.gateway.installation)
    await world.take(penalty(2, 2))
    await world.deliverer().drain()

    assert await world.states() == ["accepted"] * 2
    await stop()
