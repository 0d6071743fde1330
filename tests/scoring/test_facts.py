from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.codes import EventType, SubjectKind
from schemas.faults import faults
from scoring.facts import Fact, Facts, Penalty, plain

DAY = date(2026, 4, 1)


def subject(**fact: Any) -> dict[str, Any]:
    return {"id": "c1", "kind": "enterprise", "facts": [{"id": "f1", "decided_on": DAY} | fact]}


def test_an_input_line_becomes_typed_facts() -> None:
    line = (
        '{"id": "c1", "kind": "enterprise", "as_of": "2026-11-01", "facts": ['
        '{"id": "f1", "penalty": {"types": ["罚款"], "fine_wan": "12.5"},'
        ' "decided_on": "2026-04-01", "warning_until": null},'
        '{"id": "f0", "type": "incident.general", "decided_on": "2026-04-01"}]}'
    )

    facts = Facts.model_validate_json(line)

    assert facts == Facts(
        id="c1",
        kind=SubjectKind.ENTERPRISE,
        as_of=date(2026, 11, 1),
        facts=(
            Fact("f0", DAY, type=EventType.INCIDENT_GENERAL),
            Fact("f1", DAY, penalty=Penalty(("罚款",), Decimal("12.5"))),
        ),
    )


def test_facts_made_directly_are_sorted_too() -> None:
    late, early = Fact("f1", date(2026, 5, 1), "E31"), Fact("f2", DAY, "E31")

    facts = Facts("c1", SubjectKind.ENTERPRISE, (late, early, late))

    assert facts.facts == (early, late)


def test_of_two_facts_with_one_id_the_same_one_is_kept_in_any_order() -> None:
    one, other = Fact("f1", DAY, "E31"), Fact("f1", DAY, "E32")

    kept = Facts("c1", SubjectKind.ENTERPRISE, (one, other))

    assert kept == Facts("c1", SubjectKind.ENTERPRISE, (other, one))
    assert len(kept.facts) == 1


@pytest.mark.parametrize(
    "fact",
    [
        {},
        {"item": " "},
        {"item": "E31", "colour": "red"},
        {"item": "E31", "rectified_on": 1_700_000_000},
        {"item": "E31", "rectified_on": "20260401"},
        {"item": "E31", "rectified_on": "1700000000"},
        {"item": "E31", "rectified_on": "2026-02-30"},
        {"item": "E31", "principal_points": "-1"},
        {"item": "E31", "principal_points": "NaN"},
        {"type": "incident.unheard_of"},
        {"penalty": {"types": ["罚款"], "fine_wan": "-1"}},
        {"penalty": {"types": ["罚款"], "fine_wan": "1.0000001"}},
        {"penalty": {"fine_wan": "1"}},
    ],
)
def test_a_malformed_fact_is_refused(fact: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Facts.model_validate(subject(**fact))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "c1"}', "kind：没有写；补上"),
        ('{"id": "c1", "kind": "shop"}', "kind：不认识的值；应为 'enterprise'、"),
        ('{"id": "c1", "kind": "site", "colour": 1}', "colour：不认识的键；改正键名或删去"),
        ('{"id": "c1", "kind": "site", "facts": [3]}', "facts.0：应为“键: 值”"),
        (
            '{"id": "c1", "kind": "site", "facts": [{"id": "f", "decided_on": "1.5.2026"}]}',
            "facts.0.decided_on：日期要写成 2026-01-01",
        ),
        (
            '{"id": "c", "kind": "site", "facts": [{"id": "f", "decided_on": "2026-05-01",'
            ' "penalty": {"types": ["罚款"], "fine_wan": "1.0000001"}}]}',
            "facts.0.penalty.fine_wan：小数最多 6 位",
        ),
        ("{", "不是有效的 JSON："),
    ],
)
def test_a_fault_in_a_line_is_explained_in_chinese_with_its_place(line: str, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Facts.model_validate_json(line)

    assert faults(raised.value)[0].startswith(words)


def test_an_empty_fact_is_refused_also_when_made_directly() -> None:
    with pytest.raises(ValueError, match="信息 f1 没有写 item、type、penalty、codes"):
        Fact("f1", DAY)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("100", "100"),
        ("91.50", "91.5"),
        ("-0.5", "-0.5"),
        ("-0", "0"),
        ("1E+2", "100"),
        ("0.0", "0"),
    ],
)
def test_numbers_are_written_plainly(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
