"""One name has one meaning, and what calls itself pure stands in the contract that holds it."""

import ast
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = [
    file
    for package in ("gateway", "connectors", "scoring", "schemas")
    for file in sorted((ROOT / package).rglob("*.py"))
]


def test_no_public_class_name_stands_twice() -> None:
    found = defaultdict(list)
    for file in FILES:
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(file.relative_to(ROOT)))

    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_every_module_that_says_pure_is_in_the_contract() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [contract] = [one for one in tool["contracts"] if one["name"] == "pure code does no I/O"]
    held = tuple(contract["source_modules"])

    says = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in FILES
        if "(pure)" in (ast.get_docstring(ast.parse(file.read_text())) or "")
    ]

    assert len(says) > 10
    assert [one for one in says if not one.startswith(held)] == []
