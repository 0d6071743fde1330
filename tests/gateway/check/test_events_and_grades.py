"""Grades that somebody else computed: known by their names, titles and colours, or refused."""

import pytest

from gateway.check.checker import Checker
from gateway.config.keys import Keys
from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from schemas.event import ReceivedGrade
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import grade, raw
from tests.gateway.conftest import TODAY


@pytest.fixture
def checker(keys: Keys) -> Checker:
    return Checker(keys, grade_words=Rulebook(ScoringSettings()).grade_words)


@pytest.mark.parametrize("word", ["警示", "环保警示单位", "黄"])
def test_a_grade_is_known_by_its_name_title_and_colour(checker: Checker, word: str) -> None:
    checked = checker.check(raw(grade(grade=word)), TODAY)

    assert isinstance(checked.record, ReceivedGrade)
    assert checked.record.grade == "警示"


def test_another_word_is_refused_with_the_list(checker: Checker) -> None:
    checked = checker.check(raw(grade(grade="A")), TODAY)

    [problem] = checked.problems
    assert (checked.verdict, problem.field, problem.rule) == (
        Verdict.REFUSED,
        "grade",
        Rule.CODE_LIST,
    )
    assert "诚信、良好、警示、不良" in problem.fix


def test_a_grade_of_a_rule_set_that_is_not_here_stays_as_it_is(checker: Checker) -> None:
    assert checker.check(raw(grade(rule_set="elsewhere", grade="A")), TODAY).verdict is Verdict.OK
