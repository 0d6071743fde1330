"""Each alert fires as its test says, is about a metric that there is, and has its runbook."""

import re
import subprocess

import pytest
from ruamel.yaml import YAML

from gateway.cli.registry import COMMANDS, NAME
from gateway.telemetry.metrics import Metrics
from tests.deploy.place import DEPLOY

RULES = YAML(typ="safe").load((DEPLOY / "prometheus/rules.yaml").read_text("utf-8"))
ALERTS = {
    rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule
}
TESTS = (DEPLOY / "prometheus/rules.test.yaml").read_text("utf-8")


def known_metrics() -> set[str]:
    """Return the names of all samples that a process may give."""
    names: set[str] = set()
    for family in Metrics().registry.collect():
        names |= {family.name, *(sample.name for sample in family.samples)}
        if family.type == "counter":
            names.add(f"{family.name}_total")
        if family.type == "histogram":
            names |= {f"{family.name}_{end}" for end in ("bucket", "sum", "count")}
    return names


def test_the_rules_are_valid_and_their_tests_hold() -> None:
    for words in (["check", "rules", "rules.yaml"], ["test", "rules", "rules.test.yaml"]):
        ran = subprocess.run(
            ["promtool", *words],
            cwd=DEPLOY / "prometheus",
            check=False,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_is_tested_both_ways_and_has_its_page(name: str) -> None:
    rule = ALERTS[name]
    page = DEPLOY / rule["annotations"]["runbook"]

    assert TESTS.count(f"alertname: {name}\n") == 2
    assert page.read_text("utf-8").startswith(f"# {name}: ")
    for heading in ("What it means.", "Look at", "Do not", "中文"):
        assert f"**{heading}" in page.read_text("utf-8")
    assert set(re.findall(r"credit_gateway_\w+", rule["expr"])) <= known_metrics()


def test_no_page_is_left_over() -> None:
    named = {rule["annotations"]["runbook"] for rule in ALERTS.values()}

    assert {f"runbook/{page.name}" for page in (DEPLOY / "runbook").iterdir()} == named


def test_the_pages_name_commands_that_there_are() -> None:
    known = {f"{group} {verb}" for group, verbs in COMMANDS.items() for verb in verbs}
    for page in (DEPLOY / "runbook").iterdir():
        for said in re.findall(
            r"`credit-gateway ([a-z-]+)(?: ([a-z-]+))?", page.read_text("utf-8")
        ):
            first, second = said
            assert f"{NAME} {first}" in known or f"{first} {second}" in known, (
                page.name,
                first,
                second,
            )
