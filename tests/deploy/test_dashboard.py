"""The dashboard asks a real Prometheus that scrapes real metrics: every query is answered."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import start_http_server

from gateway.telemetry.metrics import Metrics
from tests.deploy.place import DEPLOY
from tests.deploy.test_alerts import known_metrics

DASHBOARD = json.loads((DEPLOY / "grafana/credit-gateway.json").read_text("utf-8"))
QUERIES = [
    (panel["title"], target["expr"])
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def filled() -> Metrics:
    """Return metrics of which each has a value under every label."""
    metrics = Metrics()
    for metric in vars(metrics).values():
        names = getattr(metric, "_labelnames", None)
        if names is None:
            continue
        one = metric.labels(*names) if names else metric
        for act in ("set", "observe", "inc"):
            if hasattr(one, act):
                getattr(one, act)(1)
                break
    for count in ("in_scope", "handed_over", "accepted", "timely"):
        metrics.month_decisions.labels("p", "calendar-7", count).set(2)
    metrics.open_deliveries.labels("p", "8").set(1)
    return metrics


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has scraped a process at least twice."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    port, own = free_port(), free_port()
    server, _ = start_http_server(port, "127.0.0.1", filled().registry)
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n"
        f"rule_files: ['{DEPLOY}/prometheus/rules.yaml']\n"
        "scrape_configs:\n  - job_name: credit-gateway\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
    )
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{own}",
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        url = f"http://127.0.0.1:{own}/api/v1/query"
        _wait(url, "count_over_time(up[1m]) >= 3", folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait(30)
        log.close()
        server.shutdown()
        server.server_close()


def _wait(url: str, query: str, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if httpx.get(url, params={"query": query}).json()["data"]["result"]:
                return
        except (httpx.HTTPError, KeyError, ValueError):
            pass
        time.sleep(0.3)
    raise AssertionError(log.read_text(errors="replace")[-2000:])


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[title for title, _ in QUERIES])
def test_each_panel_asks_for_what_there_is(prometheus: str, title: str, query: str) -> None:
    answer = httpx.get(prometheus, params={"query": query}).json()

    assert answer["status"] == "success", (title, answer)
    assert set(re.findall(r"credit_gateway_\w+", query)) <= known_metrics()


def test_the_panels_show_something(prometheus: str) -> None:
    empty = [
        title
        for title, query in QUERIES
        if ":ratio" not in query
        and "rate(" not in query
        and "increase(" not in query
        and not httpx.get(prometheus, params={"query": query}).json()["data"]["result"]
    ]

    assert empty == []
