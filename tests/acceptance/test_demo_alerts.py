"""The demo's own Prometheus: a real one, with the rules of deploy/, scrapes real metrics."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from gateway.config.clock import SteppedClock
from gateway.demo.alerts import Alerts, watch_alerts
from gateway.demo.prometheus import RULES, Prometheus, lacking
from gateway.service.roles import Role
from gateway.telemetry.metrics import Metrics
from tests.folders import server_folder

OUTAGE, EXPIRES = "CreditGatewayBreakerOpen", "CreditGatewayCertificateExpires"


@pytest.fixture
def metrics(clock: SteppedClock) -> Metrics:
    """The metrics of a gateway that is well: its certificate ends in twenty days."""
    made = Metrics()
    made.played(Role)
    made.disk_free.set(0.5)
    made.breaker_open.labels("city").set(0)
    ends = clock() + timedelta(days=20)
    made.certificate_expires.labels("city.pem").set(ends.timestamp())
    return made


@pytest.fixture
async def alerts(metrics: Metrics, clock: SteppedClock) -> AsyncIterator[Alerts]:
    with server_folder() as folder:
        async with AsyncExitStack() as stack:
            yield await watch_alerts(folder, metrics, clock, stack)
        assert not Prometheus(folder).runs()


async def test_the_alert_of_an_outage_fires_and_ends_by_the_clock_of_the_demo(
    alerts: Alerts, metrics: Metrics, clock: SteppedClock
) -> None:
    await alerts.look()
    before = list(alerts.fired)
    clock.step(timedelta(hours=8))
    begun = clock()
    metrics.breaker_open.labels("city").set(1)
    await alerts.look()
    clock.step(timedelta(hours=8))
    metrics.breaker_open.labels("city").set(0)
    await alerts.look()

    [one] = alerts.fired
    assert before == []
    assert (one.name, one.begun, one.over) == (OUTAGE, begun, clock())
    assert one.summary == "city 已暂停报送：对方连续没有答复"
    shown = StringIO()
    alerts.show(Console(file=shown, width=200))
    assert alerts.page in shown.getvalue()
    assert "CreditGatewayBreakerOpen │ city 已暂停报送" in shown.getvalue()


async def test_a_moment_is_near_by_the_clock_of_the_demo(
    alerts: Alerts, clock: SteppedClock
) -> None:
    await alerts.look()
    clock.step(timedelta(days=10))
    await alerts.look()

    assert [(one.name, one.over) for one in alerts.fired] == [(EXPIRES, None)]


def test_without_prometheus_or_the_rules_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert lacking() is None
    monkeypatch.setattr("gateway.demo.prometheus.RULES", tmp_path / "rules.yaml")
    assert "在源代码目录里演示" in str(lacking())
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "没有找到 prometheus，不显示告警" in str(lacking())
    assert "apt-get install prometheus" in str(lacking())
    assert RULES.exists()
