"""Grades that somebody else computed: known by their names, titles and colours, or refused."""

from datetime import timedelta

import pytest

from gateway.check.checker import Checker
from gateway.config.keys import Keys
from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from schemas.codes import Verb
from schemas.event import ReceivedGrade
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import credit_code, grade, raw
from tests.gateway.conftest import TODAY


@pytest.fixture
def checker(keys: Keys) -> Checker:
    return Checker(keys, grade_rules=Rulebook(ScoringSettings()))


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


@pytest.fixture
def bound(keys: Keys) -> Checker:
    bindings = [
        {"rule_set": "jiangsu-2020", "regions": ["320000"]},
        {"rule_set": "henan-2018", "regions": ["410000"]},
        {"rule_set": "nm-2023-draft", "regions": ["410000"], "kinds": ["agency"]},
    ]
    rulebook = Rulebook(ScoringSettings.model_validate({"bindings": bindings}))
    return Checker(keys, grade_rules=rulebook)


@pytest.mark.parametrize("verb", ["", "withdraw"])
@pytest.mark.parametrize(
    ("region", "rule_set", "told"),
    [
        (
            "320000",
            "henan-2018",
            "适用 jiangsu-2020（江苏省企事业环保信用评价办法），不是 henan-2018",
        ),
        (
            "320000",
            "elsewhere",
            "适用 jiangsu-2020（江苏省企事业环保信用评价办法），不是 elsewhere",
        ),
        ("320000", "jiangsu-2020", "jiangsu-2020（江苏省企事业环保信用评价办法）由本系统评定"),
        ("410000", "nm-2023-draft", "不采用外部评定的等级"),
        ("410000", "henan-2018", None),
        ("110000", "henan-2018", None),
    ],
)
def test_a_grade_must_be_of_the_bound_rule_set_and_that_must_take_grades(
    bound: Checker, region: str, rule_set: str, told: str | None, verb: str
) -> None:
    code = credit_code(1, region=region)
    row = grade(rule_set=rule_set, subject_code=code, grade="警示", verb=verb)

    checked = bound.check(raw(row), TODAY)

    if told is None or verb:  # what was taken before can be withdrawn
        assert (checked.verdict, checked.problems) == (Verdict.OK, ())
        assert checked.verb == (Verb.WITHDRAW if verb else None)
        return
    [problem] = checked.problems
    assert (problem.field, problem.rule) == ("rule_set", Rule.CODE_LIST)
    assert told in problem.message
    assert "scoring.bindings" in problem.fix


def test_a_grade_counts_from_a_day_that_has_come(checker: Checker) -> None:
    tomorrow = str(TODAY + timedelta(days=1))

    today = checker.check(raw(grade(effective_on=str(TODAY))), TODAY)
    refused = checker.check(raw(grade(effective_on=tomorrow)), TODAY)
    withdrawn = checker.check(raw(grade(effective_on=tomorrow, verb="withdraw")), TODAY)

    assert today.verdict is withdrawn.verdict is Verdict.OK
    [problem] = refused.problems
    assert (problem.field, problem.rule) == ("effective_on", Rule.FUTURE)
    assert problem.message == f"生效日期：{tomorrow} 还没有到"
