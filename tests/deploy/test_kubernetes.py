"""The manifests are what Kubernetes takes, closed, and of one piece with the gateway itself."""

import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from connectors import CONNECTORS
from deploy.kubernetes.prometheus_rule import WRITTEN, prometheus_rule
from gateway.config.settings import load_settings
from gateway.service.roles import Role
from gateway.service.tasks import CLOSE_SECONDS
from gateway.web.health import LIVE, METRICS, READY
from tests.deploy.place import DEPLOY
from tests.deploy.test_alerts import known_metrics
from tests.tools import kustomize

FOLDER = DEPLOY / "kubernetes"
#: The oldest version that has all fields that the manifests use, and the newest one known here.
VERSIONS = ("1.30", "1.37")
#: Kinds of the Prometheus operator, of which Kubernetes has no schema.
OPERATOR = {"ServiceMonitor", "PrometheusRule"}
STATE = "/var/lib/credit-gateway"

Manifest = dict[str, Any]


def rendered(folder: str) -> list[Manifest]:
    """Return the objects of an overlay; without kustomize the test fails and says so."""
    command = kustomize()
    assert command, "kustomize or kubectl is missing: python -m tests.tools"
    ran = subprocess.run(
        [*command, str(FOLDER / folder)], check=False, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return list(YAML(typ="safe").load_all(ran.stdout))


@pytest.fixture(scope="module")
def production() -> list[Manifest]:
    return rendered("overlays/production")


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] in kinds]


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Return the template of a pod for each role."""
    labelled = [one["spec"]["template"] for one in of_kind(manifests, "Deployment")]
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in labelled}


@pytest.mark.parametrize("folder", ["base", "overlays/production"])
def test_kubernetes_knows_every_field(folder: str) -> None:
    manifests = rendered(folder)

    for version in VERSIONS:
        for one in manifests:
            if one["kind"] not in OPERATOR:
                kubernetes_validate.validate(one, version, strict=True)
    kinds = {one["kind"] for one in manifests} & OPERATOR
    assert kinds == (set() if folder == "base" else OPERATOR)


def test_a_wrong_field_would_be_found(production: list[Manifest]) -> None:
    wrong = {**of_kind(production, "Deployment")[0], "spce": {}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_each_role_has_its_deployment_and_may_be_drained_one_at_a_time(
    production: list[Manifest],
) -> None:
    budgets = of_kind(production, "PodDisruptionBudget")
    ran = {role: pod["spec"]["containers"][0]["args"][-1] for role, pod in pods(production).items()}

    assert ran == {role.value: role.value for role in Role}
    assert len(budgets) == len(Role)
    assert {one["spec"]["maxUnavailable"] for one in budgets} == {1}


@pytest.mark.parametrize("role", list(Role))
def test_the_pods_are_closed(production: list[Manifest], role: Role) -> None:
    spec = pods(production)[role]["spec"]
    [container] = spec["containers"]

    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False  # CREDIT_GATEWAY_… would be taken for settings
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]) == {"requests", "limits"}
    assert re.fullmatch(r"credit-gateway:\d[\w.-]*", container["image"])
    assert len(spec["topologySpreadConstraints"]) == 2
    written = [one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")]
    assert written == [STATE]


@pytest.mark.parametrize("role", list(Role))
def test_the_times_are_those_of_the_gateway(production: list[Manifest], role: Role) -> None:
    spec = pods(production)[role]["spec"]
    [container] = spec["containers"]
    start, live, ready = (
        container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")
    )
    timeouts = [
        one.settings.model_fields["call_timeout"].get_default().total_seconds()
        for one in CONNECTORS.values()
        if "call_timeout" in one.settings.model_fields
    ]

    assert [one["httpGet"]["path"] for one in (start, live, ready)] == [LIVE, LIVE, READY]
    assert start["periodSeconds"] * start["failureThreshold"] >= 600  # as TimeoutStartSec
    assert live["periodSeconds"] * live["failureThreshold"] >= 120  # as WatchdogSec
    assert spec["terminationGracePeriodSeconds"] >= 2 * max(timeouts) + CLOSE_SECONDS


def test_whatever_selects_finds_a_pod(production: list[Manifest]) -> None:
    labels = [pod["metadata"]["labels"] for pod in pods(production).values()]
    selectors = [one["spec"]["selector"] for one in of_kind(production, "Service")]
    for one in of_kind(production, "Deployment", "PodDisruptionBudget"):
        selectors.append(one["spec"]["selector"]["matchLabels"])
    for one in of_kind(production, "NetworkPolicy"):
        selectors.append(one["spec"]["podSelector"]["matchLabels"])

    assert len(selectors) == 2 + 4 + 4 + 5
    for selector in selectors:
        assert any(selector.items() <= given.items() for given in labels), selector


def test_nothing_goes_in_or_out_by_default(production: list[Manifest]) -> None:
    default = next(
        one
        for one in of_kind(production, "NetworkPolicy")
        if one["metadata"]["name"].endswith("-default")
    )

    assert default["spec"]["podSelector"] == {
        "matchLabels": {"app.kubernetes.io/name": "credit-gateway"}
    }
    assert default["spec"]["policyTypes"] == ["Ingress", "Egress"]
    for one in of_kind(production, "NetworkPolicy"):
        rules = [*one["spec"].get("ingress", ()), *one["spec"].get("egress", ())]
        assert all(rule["ports"] for rule in rules)
        assert all(rule["from"] for rule in one["spec"].get("ingress", ()))


def test_the_settings_can_be_read_and_the_secret_is_described(
    production: list[Manifest], tmp_path: Path
) -> None:
    words = next(iter(of_kind(production, "ConfigMap")))["data"]["gateway.yaml"]
    keys = re.findall(r"/run/secrets/credit-gateway/([\w-]+)", words)
    for key in keys:
        (tmp_path / key).write_text("x" * 40)
    path = tmp_path / "gateway.yaml"
    path.write_text(words.replace("/run/secrets/credit-gateway", str(tmp_path)))
    [port] = {
        pod["spec"]["containers"][0]["ports"][0]["containerPort"]
        for pod in pods(production).values()
    }

    http = load_settings(path).http
    assert (http.port, http.health_port) == (port, port)
    assert of_kind(production, "Secret") == []
    told = (DEPLOY / "README.md").read_text("utf-8")
    assert [key for key in keys if f"--from-file={key}" not in told] == []


def test_intake_grows_by_a_metric_that_there_is(production: list[Manifest]) -> None:
    [scaler] = of_kind(production, "HorizontalPodAutoscaler")
    [metric] = scaler["spec"]["metrics"]
    deployments = {one["metadata"]["name"]: one for one in of_kind(production, "Deployment")}

    assert metric["pods"]["metric"]["name"] in known_metrics()
    assert "replicas" not in deployments[scaler["spec"]["scaleTargetRef"]["name"]]["spec"]


def test_prometheus_finds_every_pod(production: list[Manifest]) -> None:
    [monitor] = of_kind(production, "ServiceMonitor")
    [endpoint] = monitor["spec"]["endpoints"]
    [service] = [
        one
        for one in of_kind(production, "Service")
        if monitor["spec"]["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items()
    ]

    assert service["spec"]["selector"] == {"app.kubernetes.io/name": "credit-gateway"}
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["path"] == METRICS
    assert service["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "credit-gateway"


def test_the_alerts_are_those_of_prometheus(production: list[Manifest]) -> None:
    words = (DEPLOY / "prometheus/rules.yaml").read_text("utf-8")
    [rule] = of_kind(production, "PrometheusRule")

    assert WRITTEN.read_text("utf-8") == prometheus_rule(words), "run prometheus_rule.py"
    assert rule["spec"] == YAML(typ="safe").load(words)
