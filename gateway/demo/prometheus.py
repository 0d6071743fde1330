"""A real Prometheus beside the demo, with the alert rules of deploy/, if there is one to start.

The demo lives through a month in half a minute, so two things are told otherwise than in an
installation: a rule that waits for less than the demo's clock moves at once does not wait, and the
times that the gateway tells are moved to the present, so that two weeks to the end of a certificate
are two weeks.
"""

import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from ruamel.yaml import YAML

from gateway.config.clock import Clock, system_clock
from gateway.embedded.server import EmbeddedServer, spawn, stored_pid

PROGRAM = "prometheus"
#: Between two scrapes, and between two evaluations of the rules.
INTERVAL = "100ms"
#: A rule that waits for less than this does not wait: the clock of the demo moves by more at once.
STEP = timedelta(hours=6)
#: Tell the time by the clock of the demo, so that its moments are found in Prometheus; and which
#: step of it the other metrics are of.
CLOCK, STEPS = "credit_gateway_demo_clock_seconds", "credit_gateway_demo_steps"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_HOST = "127.0.0.1"


#: The alert rules; a wheel has none.
RULES = Path(__file__).parents[2] / "deploy/prometheus/rules.yaml"


def lacking() -> str | None:
    """Return in Chinese why no alerts can be shown, and what to do; None if they can."""
    if shutil.which(PROGRAM) is None:
        return f"没有找到 {PROGRAM}，不显示告警；要看，先安装（Debian：apt-get install prometheus）"
    return None if RULES.exists() else f"没有 {RULES}，不显示告警；要看，在源代码目录里演示"


class Prometheus(EmbeddedServer):
    """A Prometheus in the folder `state` that scrapes one address of this machine."""

    name = "Prometheus"
    gentle = signal.SIGTERM

    def __init__(self, state: Path, scraped: int = 0) -> None:
        super().__init__(state, "prometheus")
        self.scraped = scraped
        self.configuration = self.state / "prometheus.yaml"
        self.pid_file = self.state / "prometheus.pid"
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{_HOST}:{self.port}"

    def pid(self) -> int:
        """Return the process id that `launch` stored; -1 if none."""
        return stored_pid(self.pid_file)

    def marker(self) -> str:
        """Return the path of its configuration, which is on its command line."""
        return str(self.configuration)

    def accepts(self) -> bool:
        """Whether it answers queries."""
        try:
            with httpx.Client(base_url=self.url, trust_env=False, timeout=5) as client:
                return client.get("/-/ready").is_success
        except httpx.HTTPError:
            return False

    def launch(self) -> None:
        """Write rules and configuration, and start it on a free port."""
        with socket.create_server((_HOST, 0)) as free:
            self.port = free.getsockname()[1]
        self._configure()
        program = shutil.which(PROGRAM) or PROGRAM
        self.child = spawn(
            [
                program,
                f"--config.file={self.configuration}",
                f"--storage.tsdb.path={self.data}",
                f"--web.listen-address={_HOST}:{self.port}",
                "--log.level=warn",
            ],
            self.log,
        )
        self.pid_file.write_text(str(self.child.pid))

    def _configure(self) -> None:
        yaml = YAML()
        rules = yaml.load(RULES)
        for rule in (each for group in rules["groups"] for each in group["rules"]):
            if "for" in rule and seconds(rule["for"]) < STEP.total_seconds():
                del rule["for"]
        own = self.state / "prometheus.rules.yaml"
        yaml.dump(rules, own)
        job = {
            "job_name": "credit-gateway",
            "static_configs": [{"targets": [f"{_HOST}:{self.scraped}"]}],
        }
        pace = {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL}
        yaml.dump(
            {"global": pace, "rule_files": [str(own)], "scrape_configs": [job]}, self.configuration
        )


def seconds(words: str) -> int:
    """Return a duration of a rule, such as 15m."""
    return int(words[:-1]) * _UNITS[words[-1]]


class Present(Collector):
    """The metrics of the gateway, with the times of its clock moved to the present."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self.steps = 0  #: counted when everything is set that a step has changed

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, and the time by the clock of the demo."""
        now = self._clock()
        ahead = (system_clock() - now).total_seconds()
        yield GaugeMetricFamily(STEPS, "Steps of the demo", value=self.steps)
        yield GaugeMetricFamily(CLOCK, "The clock of the demo", value=now.timestamp())
        for metric in self._registry.collect():
            if metric.name.endswith("_timestamp_seconds"):
                metric.samples = [
                    each._replace(value=each.value and each.value + ahead)
                    for each in metric.samples
                ]
            yield metric


def serve_metrics(metrics: Collector, stack: AsyncExitStack) -> int:
    """Serve the metrics on this machine alone until the stack closes; return the port."""
    shown = CollectorRegistry()
    shown.register(metrics)
    server, _ = start_http_server(0, _HOST, shown)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    return int(server.server_address[1])
