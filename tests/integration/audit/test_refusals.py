"""Requests without a valid key are on record: counted, and bounded in number."""

import httpx
import pytest

from gateway.config.http_settings import HttpSettings
from gateway.telemetry.metrics import Metrics
from gateway.web.app import create_web
from gateway.web.health import Probes
from gateway.web.refusals import MOST, Refusals
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_refused_requests_are_counted_by_caller_and_path(world: World) -> None:
    refusals = Refusals(world.database, world.clock)
    settings = HttpSettings.model_validate({"api_keys": ["sender"], "operator_keys": ["watcher"]})
    app = create_web(settings, [], Metrics(), Probes({}, {}), refusals.add)
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        for _ in range(3):
            answer = await client.get("/v1/worklist", headers={"X-Api-Key": "guess"})
            assert answer.status_code == 401
        await client.get("/v1/worklist", headers={"X-Api-Key": "watcher"})
    await refusals.write()
    await refusals.write()

    [told] = await world.column("select detail from audit_event where event = 'access_refused'")
    assert told == {"from": "192.0.2.7", "path": "/v1/worklist", "times": 3}


async def test_who_tries_many_paths_makes_few_entries(world: World) -> None:
    refusals = Refusals(world.database, world.clock)
    for number in range(MOST * 3):
        refusals.add("192.0.2.7", f"/{number}\0" + "x" * 10_000)
    await refusals.write()

    times = await world.column("select detail->>'times' from audit_event order by id")
    assert len(times) == MOST + 1
    assert sum(map(int, times)) == MOST * 3
