"""The shipped draft, and variants of it with one change made to the parsed data."""

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scoring.regulation.ruleset import RuleSet

Change = Callable[[dict[str, Any]], object]
FOLDER = Path(__file__).parents[2] / "scoring" / "rule_sets"
TEXT = (FOLDER / "nm-2023-draft.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def data() -> dict[str, Any]:
    """The parsed draft; a test that changes it copies it first."""
    parsed: dict[str, Any] = YAML(typ="safe", pure=True).load(TEXT)
    return parsed


@pytest.fixture(scope="session")
def draft(data: dict[str, Any]) -> RuleSet:
    """The draft as shipped."""
    return RuleSet.load(data, hashlib.sha256(TEXT.encode()).hexdigest())


@pytest.fixture(scope="session")
def variant(data: dict[str, Any]) -> Callable[[Change], RuleSet]:
    """Loads the draft with a change made to its data."""

    def load(change: Change) -> RuleSet:
        changed = copy.deepcopy(data)
        change(changed)
        return RuleSet.load(changed, "variant")

    return load
