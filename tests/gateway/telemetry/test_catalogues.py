"""The catalogues of events and metrics: each entry is used, and each help text is complete."""

from enum import StrEnum
from pathlib import Path

import pytest

from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent
from gateway.telemetry.metrics import Metrics

GATEWAY = Path(__file__).parents[3] / "gateway"
CODE = "\n".join(file.read_text("utf-8") for file in GATEWAY.rglob("*.py"))


@pytest.mark.parametrize("event", [*AuditEvent, *LogEvent], ids=repr)
def test_every_event_of_the_catalogues_is_emitted_somewhere(event: StrEnum) -> None:
    assert f"{type(event).__name__}.{event.name}" in CODE


def test_every_metric_says_in_its_help_when_it_matters() -> None:
    families = list(Metrics().registry.collect())

    assert families
    for family in families:
        assert len(family.documentation.split()) >= 5, family.name


def test_every_metric_has_our_prefix_and_no_label_that_names_a_subject() -> None:
    for family in Metrics().registry.collect():
        assert family.name.startswith("credit_gateway_")
        labels = {label for sample in family.samples for label in sample.labels}
        assert not labels & {"subject", "code", "subject_code"}
