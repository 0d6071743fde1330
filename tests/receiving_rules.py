"""The rule set of Inner Mongolia as one that also takes grades computed elsewhere."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.factories import REGION

NAME = "nm-receiving"
_OWN = "nm-2023-draft"


def receiving(folder: Path, **dates: str) -> dict[str, Any]:
    """Write the rule set and its cases; return the settings of scoring that bind it.

    `dates` are effective_from and effective_to, if it has them.
    """
    shipped = files("scoring") / "rule_sets"
    rules = (shipped / f"{_OWN}.yaml").read_text("utf-8").replace(f"name: {_OWN}", f"name: {NAME}")
    takes = "    received_grades: {article: 第一条, text: 采用上级评定的等级}\n"
    rules = rules.replace("tables:\n  enterprise:\n", f"tables:\n  enterprise:\n{takes}")
    for name, day in dates.items():
        rules = re.sub(f"{name}: .*", f"{name}: {day}", rules)
    cases = (shipped / f"{_OWN}.cases.yaml").read_text("utf-8")
    (folder / f"{NAME}.yaml").write_text(rules, "utf-8")
    cases = cases.replace(f"rule_set: {_OWN}", f"rule_set: {NAME}")
    (folder / f"{NAME}.cases.yaml").write_text(cases, "utf-8")
    return {
        "bindings": [{"rule_set": NAME, "regions": [REGION]}],
        "rule_set_folders": [folder],
    }
