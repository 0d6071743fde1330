"""A process without the role web answers for its health and metrics where it is told to."""

import httpx
import pytest

from gateway.config.errors import BadConfiguration
from gateway.service.roles import Role, run
from gateway.store.base.engine import Database
from gateway.web.health import LIVE, METRICS, READY
from tests.conftest import BuildGateway

pytestmark = pytest.mark.integration

HTTP = {"port": 0, "health_port": 0, "operator_keys": ["watcher"], "api_keys": ["sender"]}
WATCHER, SENDER = {"X-Api-Key": "watcher"}, {"X-Api-Key": "sender"}


async def test_it_answers_for_health_and_metrics_and_takes_nothing_in(
    database: Database, build_gateway: BuildGateway
) -> None:
    gateway = await build_gateway(database, http=HTTP)

    async with (
        run(gateway, frozenset({Role.SCHEDULE})) as running,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.web_port}") as client,
    ):
        health = [(await client.get(path)).status_code for path in (LIVE, READY)]
        metrics = await client.get(METRICS, headers=WATCHER)
        closed = await client.get(METRICS)
        intake = await client.post("/v1/intake/penalty", headers=SENDER, json={})

    assert health == [200, 200]
    roles = [row for row in metrics.text.splitlines() if row.startswith("credit_gateway_role")]
    assert roles == ['credit_gateway_role{role="schedule"} 1.0']
    assert (closed.status_code, intake.status_code) == (401, 404)


async def test_without_the_setting_nothing_listens(
    database: Database, build_gateway: BuildGateway
) -> None:
    gateway = await build_gateway(database)

    async with run(gateway, frozenset({Role.SCHEDULE})) as running:
        assert (running.web_port, "web" in running.tasks) == (None, False)


async def test_a_port_that_is_taken_is_told(
    database: Database, build_gateway: BuildGateway
) -> None:
    gateway = await build_gateway(database, http=HTTP)
    async with run(gateway, frozenset({Role.SCHEDULE})) as running:
        taken = {**HTTP, "health_port": running.web_port}
        second = await build_gateway(database, http=taken)

        with pytest.raises(BadConfiguration, match="不能使用"):
            async with run(second, frozenset({Role.DELIVER})):
                pass
