"""Which alerts fire while the demo goes on, asked of its Prometheus after each step."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from gateway.config.clock import Clock
from gateway.demo.prometheus import STEPS, Present, Prometheus, serve_metrics
from gateway.telemetry.metrics import Metrics

#: Seconds that Prometheus may take to see a step; seconds between two questions.
PATIENCE, PAUSE = 30, 0.02
#: Where the page of alerts may stand.
PAGES = ("/alerts", "/classic/alerts")


#: What tells an alert from others: its name and what it is about.
Labels = frozenset[tuple[str, str]]


@dataclass(slots=True)
class Fired:
    """An alert that fired: by the clock of the demo from when, and until when if it is over."""

    labels: Labels
    summary: str
    begun: datetime
    over: datetime | None = None

    @property
    def name(self) -> str:
        """The name of its rule."""
        return dict(self.labels)["alertname"]


class Alerts:
    """The alerts of a Prometheus, in the order in which they fired."""

    def __init__(
        self, client: httpx.AsyncClient, metrics: Present, clock: Clock, page: str
    ) -> None:
        self.page = page  #: where a person sees them
        self._client = client
        self._metrics = metrics
        self._clock = clock
        self.fired: list[Fired] = []

    async def look(self) -> None:
        """Wait until the rules have been evaluated with what is so now; note what fires."""
        self._metrics.steps += 1
        async with asyncio.timeout(PATIENCE):
            await self._until_seen(self._metrics.steps)
        firing = {
            frozenset(alert["labels"].items()): alert["annotations"]["summary"]
            for alert in (await self._ask("alerts"))["alerts"]
            if alert["state"] == "firing"
        }
        self._note(firing)

    def show(self, console: Console) -> None:
        """Print the alerts that fired, by the clock of the demo."""
        title = f"Prometheus 告警（{self.page}；处理办法在 deploy/runbook）"
        table = Table(title=title, title_justify="left", title_style="bold", expand=False)
        for column in ("告警", "内容", "开始", "结束"):
            table.add_column(column, overflow="fold")
        for one in self.fired:
            over = "仍在" if one.over is None else f"{one.over:%m-%d %H:%M}"
            table.add_row(one.name, one.summary, f"{one.begun:%m-%d %H:%M}", over)
        console.print(table)

    def _note(self, firing: Mapping[Labels, str]) -> None:
        now = self._clock()
        for one in self.fired:
            if one.over is None and one.labels not in firing:
                one.over = now
        known = {one.labels for one in self.fired if one.over is None}
        new = [Fired(labels, firing[labels], now) for labels in firing.keys() - known]
        self.fired += sorted(new, key=lambda one: one.summary)

    async def _until_seen(self, step: int) -> None:
        """Wait for a scrape of this step, and for the next evaluation that begins after it."""
        while await self._value(f"{STEPS} >= {step}") is None:  # noqa: ASYNC110  another process
            await asyncio.sleep(PAUSE)
        seen = await self._value("time()")
        while await self._evaluated() <= float(seen or 0):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE)

    async def _value(self, query: str) -> str | None:
        found: Sequence[Any] = (await self._ask("query", query=query))["result"]
        if query == "time()":
            return str(found[1])
        return str(found[0]["value"][1]) if found else None

    async def _evaluated(self) -> float:
        """Return when the alerts were last evaluated."""
        groups = (await self._ask("rules", type="alert"))["groups"]
        times = [one["lastEvaluation"] for one in groups if one["rules"]]
        return min(datetime.fromisoformat(each).timestamp() for each in times)

    async def _ask(self, what: str, **parameters: str) -> Any:
        answer = await self._client.get(f"/api/v1/{what}", params=parameters)
        return answer.raise_for_status().json()["data"]


async def watch_alerts(
    state: Path, metrics: Metrics, clock: Clock, stack: AsyncExitStack
) -> Alerts:
    """Start a Prometheus that lives as long as the stack.

    Raises:
        ServerDidNotStart: with the end of its log.
    """
    shown = Present(metrics.registry, clock)
    prometheus = Prometheus(state, serve_metrics(shown, stack))
    stack.push_async_callback(asyncio.to_thread, prometheus.stop)
    await asyncio.to_thread(prometheus.start)
    client = await stack.enter_async_context(
        httpx.AsyncClient(base_url=prometheus.url, trust_env=False, timeout=10)
    )
    return Alerts(client, shown, clock, await _page(client))


async def _page(client: httpx.AsyncClient) -> str:
    """Return the address of the page of alerts, which Debian's package has elsewhere."""
    for place in PAGES:
        if (await client.get(place)).is_success:
            return str(client.base_url.join(place))
    return str(client.base_url)
