"""The reference of the configuration has every setting, as the models are now."""

from gateway.service.configuration import reference
from tests.deploy.place import DEPLOY

REFERENCE = reference((DEPLOY.parent / "gateway.example.yaml").read_text("utf-8"))


def test_the_reference_equals_the_models() -> None:
    written = (DEPLOY / "CONFIGURATION.md").read_text("utf-8")

    assert written == REFERENCE, "run python -m gateway.service.configuration"


def test_the_reference_says_type_default_and_meaning() -> None:
    rows = {line.split("`")[1]: line for line in REFERENCE.splitlines() if line.startswith("| `")}

    assert rows["shown_within"].startswith("| `shown_within` | duration | `P1D` | After the hand-")
    assert rows["max_body_bytes"].startswith("| `max_body_bytes` | whole number, > 0 | `8388608`")
    assert "| `continue` · `stop` | `continue` | messages deleted before" in rows["on_missing"]
