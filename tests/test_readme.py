"""The example in the READMEs works."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from scoring.cases.rule_set_cases import run_case

ROOT = Path(__file__).parent.parent
_PAGES = ("README.md", "README.zh-CN.md")
YAML_BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("name", _PAGES)
def test_the_example_rule_set_loads_and_its_cases_pass(name: str, tmp_path: Path) -> None:
    rules, cases = YAML_BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
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
