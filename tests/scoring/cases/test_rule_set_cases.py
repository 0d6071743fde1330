from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError

from scoring.cases.coverage import uncovered
from scoring.cases.rule_set_cases import Case, CaseFile, run_case
from scoring.errors import RuleSetError
from scoring.regulation.ruleset import RuleSet

FOLDER = Path(__file__).parents[3] / "scoring" / "rule_sets"
SUFFIX = ".cases.yaml"


def parsed(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return content


RULE_SETS = {
    path.stem: RuleSet.load(parsed(path), "test")
    for path in sorted(FOLDER.glob("*.yaml"))
    if not path.name.endswith(SUFFIX)
}
FILES = {path.name: CaseFile.load(parsed(path)) for path in sorted(FOLDER.glob("*" + SUFFIX))}
CASES = [
    pytest.param(file.rule_set, case, id=f"{file.rule_set}: {case.name}")
    for file in FILES.values()
    for case in file.cases
]


def test_every_rule_set_has_its_cases_beside_it() -> None:
    assert {name + SUFFIX for name in RULE_SETS} == set(FILES)


def test_every_rule_set_is_named_like_its_file() -> None:
    assert {name: rule_set.name for name, rule_set in RULE_SETS.items()} == {
        name: name for name in RULE_SETS
    }


def test_no_two_cases_of_a_file_have_the_same_name() -> None:
    names = [(file.rule_set, case.name) for file in FILES.values() for case in file.cases]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "case"), CASES)
def test_every_shipped_case_passes(name: str, case: Case) -> None:
    assert run_case(RULE_SETS[name], case) == []


@pytest.mark.parametrize("name", RULE_SETS)
def test_every_shipped_rule_set_is_fully_covered_by_its_cases(name: str) -> None:
    assert uncovered(RULE_SETS[name], FILES[name + SUFFIX]) == []


def test_an_item_a_veto_and_a_band_without_a_case_are_named() -> None:
    cases = [
        case
        for case in FILES["nm-2023-draft.cases.yaml"].cases
        if not any(word in case.name for word in ("E01", "V14-2", "10 万元"))
        and case.kind == "enterprise"
    ]
    without = [
        case
        for case in cases
        if "E01" not in str(case.expect.deductions) and case.expect.score not in ("60", "95")
    ]

    missing = uncovered(
        RULE_SETS["nm-2023-draft"], CaseFile(rule_set="nm-2023-draft", cases=tuple(without))
    )

    names = [each.partition("（")[0] for each in missing]
    assert "enterprise E01" in names
    assert "enterprise 60 C" in names
    assert "agency veto V14-2" in names


def test_a_failing_case_shows_expected_and_actual_values() -> None:
    case = Case.model_validate(
        {
            "name": "wrong on purpose",
            "kind": "enterprise",
            "as_of": "2026-11-01",
            "facts": [{"id": "f1", "item": "E31", "decided_on": "2026-03-01"}],
            "expect": {"score": "98", "notes": ["c15-no-bounds"]},
        }
    )

    notes, score = run_case(RULE_SETS["nm-2023-draft"], case)

    assert score == "wrong on purpose：score 应为 98，实为 99"
    assert notes.startswith("wrong on purpose：notes 应为 ('c15-no-bounds',)，实为 (")


def test_an_unknown_key_in_a_case_is_refused_by_name() -> None:
    content = {
        "rule_set": "nm-2023-draft",
        "cases": [
            {"name": "typo", "kind": "enterprise", "as_of": "2026-11-01", "expect": {"scor": "1"}}
        ],
    }

    with pytest.raises(RuleSetError, match="nm-2023-draft 的用例：cases typo expect scor"):
        CaseFile.load(content)


def test_a_duplicate_key_is_refused_by_the_reader() -> None:
    with pytest.raises(DuplicateKeyError):
        YAML(typ="safe", pure=True).load("start: 1\nstart: 2\n")
