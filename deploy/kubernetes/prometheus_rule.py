"""Write the alert rules as a PrometheusRule: `python3 deploy/kubernetes/prometheus_rule.py`.

`deploy/prometheus/rules.yaml` is what is edited; a test compares.
"""

from pathlib import Path
from textwrap import indent

DEPLOY = Path(__file__).parents[1]
WRITTEN = DEPLOY / "kubernetes/overlays/production/rules.yaml"
_HEAD = """\
# Made of ../../../prometheus/rules.yaml by prometheus_rule.py; do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: credit-gateway
  labels: {app.kubernetes.io/name: credit-gateway}
spec:
"""


def prometheus_rule(rules: str) -> str:
    """Return the rules of a file of Prometheus as an object of the operator."""
    return _HEAD + indent(rules, "  ")


if __name__ == "__main__":
    rules = (DEPLOY / "prometheus/rules.yaml").read_text("utf-8")
    WRITTEN.write_text(prometheus_rule(rules), encoding="utf-8")
