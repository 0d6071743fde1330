"""The example in the READMEs works."""

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config.settings import ScoringSettings, load_settings
from gateway.rules.rulebook import Rulebook
from scoring.cases.rule_set_cases import run_case

ROOT = Path(__file__).parent.parent
_PAGES = ("README.md", "README.zh-CN.md")
YAML_BLOCK = re.compile(r"^ *```yaml\n(.*?)```", re.DOTALL | re.MULTILINE)


def blocks(name: str, first: str) -> list[str]:
    """Return the YAML of a page that begins with this key."""
    found = YAML_BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
    return [text for text in map(dedent, found) if text.startswith(first)]


@pytest.mark.parametrize("name", _PAGES)
def test_the_example_rule_set_loads_and_its_cases_pass(name: str, tmp_path: Path) -> None:
    [rules], [cases] = blocks(name, "name:"), blocks(name, "rule_set:")
    (tmp_path / "town-2026.yaml").write_text(rules, encoding="utf-8")
    (tmp_path / "town-2026.cases.yaml").write_text(cases, encoding="utf-8")

    book = Rulebook(ScoringSettings(rule_set_folders=(tmp_path,)))

    loaded = book.load("town-2026")
    assert [line for case in loaded.cases for line in run_case(loaded.rule_set, case)] == []


def test_both_pages_list_the_same_commands() -> None:
    listed = [
        {
            part.split()[0]
            for line in re.findall(r"^credit-gateway (?:--config \S+ )?(.*)$", text, re.MULTILINE)
            for part in line.split(" · ")
        }
        for text in ((ROOT / name).read_text(encoding="utf-8") for name in _PAGES)
    ]

    assert listed[0] == listed[1]
    assert "calendar" in listed[0]


@pytest.mark.parametrize("name", _PAGES)
def test_the_line_for_score_is_assessed(name: str, tmp_path: Path) -> None:
    [line] = re.findall(r"`(\{\"id\": .*?\]\})`", (ROOT / name).read_text(encoding="utf-8"))
    file = tmp_path / "facts.ndjson"
    file.write_text(line, encoding="utf-8")

    ran = CliRunner().invoke(app, ["score", str(file), "--rule-set", "nm-2023-draft"])

    assert ran.exit_code == 0
    assert json.loads(ran.stdout)["grade"]


@pytest.mark.parametrize("name", _PAGES)
def test_the_new_platform_is_made_and_configured_as_the_page_says(
    name: str, tmp_path: Path
) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    [new] = re.findall(r"^ *credit-gateway connector new (\S+) ", page, re.MULTILINE)
    [destinations] = blocks(name, "destinations:")
    (tmp_path / "gateway.yaml").write_text(destinations, encoding="utf-8")

    made = CliRunner().invoke(app, ["connector", "new", new, "--out", str(tmp_path)])
    [destination] = load_settings(tmp_path / "gateway.yaml").destinations

    assert made.exit_code == 0
    assert destination.connector == new
    assert f"connector test {destination.name} --yes" in page
    module = f"credit_gateway_{new.replace('-', '_')}.py"
    for file in (module, f"tests/test_{new.replace('-', '_')}.py"):
        assert f"`{file}`" in page
        assert (tmp_path / f"credit-gateway-{new}" / file).is_file()
    code = (tmp_path / f"credit-gateway-{new}" / module).read_text(encoding="utf-8")
    assert [one for one in ("CHANGE", "_body", "_outcome", "limits") if one not in code] == []
