"""Which rule set applies to a subject."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config.errors import BadConfiguration
from gateway.config.settings import ScoringSettings
from gateway.rules.files import parse_rule_set
from gateway.rules.rulebook import Rulebook
from schemas.codes import SubjectKind
from scoring.errors import RuleSetError
from scoring.facts import Fact, RegisterEntry
from tests.factories import REGION, credit_code
from tests.town_rules import NAME as TOWN
from tests.town_rules import write_town_rules

DRAFT = "nm-2023-draft"
HERE, ELSEWHERE = credit_code(1), credit_code(1, region="410100")
TODAY = date(2026, 11, 1)


def rulebook(*bindings: dict[str, Any], **more: Any) -> Rulebook:
    return Rulebook(ScoringSettings.model_validate({"bindings": bindings, **more}))


def test_a_subject_is_scored_by_the_rule_set_of_its_region() -> None:
    book = rulebook({"rule_set": DRAFT, "regions": [REGION]})

    found = book.choose(SubjectKind.ENTERPRISE, HERE, TODAY)

    assert found is not None
    assert found.name == DRAFT
    assert book.choose(SubjectKind.ENTERPRISE, ELSEWHERE, TODAY) is None


def test_a_binding_applies_only_to_its_kinds() -> None:
    book = rulebook({"rule_set": DRAFT, "kinds": ["agency"]})

    assert book.choose(SubjectKind.ENTERPRISE, HERE, TODAY) is None
    assert book.choose(SubjectKind.AGENCY, HERE, TODAY) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"regions": ["15"]}, {"regions": ["1599"]}),
        ({"regions": ["1599"]}, {"regions": ["15"]}),
        ({}, {"regions": ["15"]}),
        ({"kinds": ["agency", "enterprise"]}, {"kinds": ["enterprise"]}),
    ],
)
def test_two_bindings_that_match_the_same_subject_are_refused(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    with pytest.raises(BadConfiguration, match="对应同样的对象"):
        rulebook({"rule_set": DRAFT, **one}, {"rule_set": DRAFT, **other})


def test_bindings_of_different_regions_or_kinds_are_accepted() -> None:
    book = rulebook(
        {"rule_set": DRAFT, "regions": ["15"]},
        {"rule_set": DRAFT, "regions": ["41"]},
        {"rule_set": DRAFT, "regions": ["15"], "kinds": ["agency"]},
    )

    assert book.choose(SubjectKind.ENTERPRISE, ELSEWHERE, TODAY) is not None


def test_a_missing_rule_set_is_named() -> None:
    with pytest.raises(BadConfiguration, match="nowhere-2030"):
        rulebook({"rule_set": "nowhere-2030"})


def test_the_kind_of_a_subject_comes_from_the_register() -> None:
    book = rulebook({"rule_set": DRAFT, "regions": ["41"], "participants_only": True})
    entry = Fact("r1", TODAY, entry=RegisterEntry(SubjectKind.AGENCY))

    agency = book.subject(HERE, [entry], TODAY, person=False)
    before = book.subject(HERE, [entry], TODAY - timedelta(1), person=False)
    elsewhere = book.subject(ELSEWHERE, [], TODAY, person=False)
    person = book.subject("person:x", [], TODAY, person=True)

    kinds = [one.kind for one in (agency, before, elsewhere, person)]
    assert kinds == [
        SubjectKind.AGENCY,
        SubjectKind.ENTERPRISE,
        SubjectKind.ENTERPRISE,
        SubjectKind.INDIVIDUAL,
    ]
    assert [one.participants_only for one in (agency, elsewhere)] == [False, True]


def test_a_region_that_is_not_scored_expects_no_rule_set() -> None:
    book = rulebook(not_scored=["41"])

    assert book.expects_none(ELSEWHERE)
    assert not book.expects_none(HERE)


def test_by_default_every_region_expects_a_rule_set() -> None:
    assert not rulebook().expects_none(HERE)


def test_the_version_of_a_rule_set_is_the_hash_of_its_text() -> None:
    content = rulebook().load(DRAFT).content

    changed = parse_rule_set(content + "\n# a remark\n")

    assert changed.version != rulebook().load(DRAFT).rule_set.version


def test_cases_are_read_only_when_they_are_needed(tmp_path: Path) -> None:
    write_town_rules(tmp_path, points=5)
    cases = tmp_path / f"{TOWN}.cases.yaml"
    cases.write_text(f"rule_set: {TOWN}\ncases: []\n")
    book = Rulebook(ScoringSettings(rule_set_folders=(tmp_path,)))

    loaded = book.load(TOWN)

    assert loaded.cases == ()
    with pytest.raises(RuleSetError, match="F1"):
        book.covered(TOWN)
    cases.unlink()
    assert book.load(TOWN).rule_set.name == TOWN
    with pytest.raises(RuleSetError, match=TOWN):
        book.covered(TOWN)
