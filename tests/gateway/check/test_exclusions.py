"""Which decisions are not reported 不予报送: flags in every spelling, and flags that disagree."""

from pathlib import Path

import orjson
import pytest

from gateway.check.checker import Checker
from gateway.config.keys import Keys
from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from gateway.intake.files.tally import FileTally
from schemas.problem import Rule
from schemas.verdict import Exclusion, Scope, Verdict
from tests.factories import licence, penalty, person_penalty, raw
from tests.gateway.conftest import TODAY, Check


@pytest.mark.parametrize(
    "name",
    [
        "State_Secret",
        "state_secret ",
        "\ufeffstate_secret",
        "state\u200b_secret",
        "ｓｔａｔｅ_secret",
        "stateSecret",
        "state-secret",
        "是否涉密",
        "是否涉密（必填）",
        "1.是否涉密",
        "*是否涉密",
        "密级",
    ],
)
def test_a_secret_decision_is_excluded_however_its_column_is_spelt(check: Check, name: str) -> None:
    assert check({**penalty(), name: "是"}).excluded is Exclusion.STATE_SECRET


@pytest.mark.parametrize(("name", "word"), [("state_secret", "/"), ("密级", "公开")])
def test_a_placeholder_in_an_exclusion_column_means_no(check: Check, name: str, word: str) -> None:
    checked = check({**penalty(), name: word})

    assert (checked.excluded, checked.verdict) == (None, Verdict.OK)


def test_two_columns_of_secrets_that_differ_refuse(check: Check) -> None:
    checked = check({**penalty(), "是否涉密": "否", "密级": "秘密"})

    assert checked.verdict is Verdict.REFUSED


def test_a_column_of_exclusion_that_stands_twice_refuses(check: Check) -> None:
    body = orjson.dumps(penalty())[:-1] + b',"state_secret":"\xe6\x98\xaf","state_secret":""}'

    checked = check(body)

    assert checked.verdict is Verdict.REFUSED
    assert [problem.field for problem in checked.problems] == ["state_secret"]


@pytest.mark.parametrize(
    "value", [True, "true", "1", "是", " Y ", "涉密", "√", "１", "1.0", "机密", "是\u200b", "有"]
)
def test_a_secret_decision_is_excluded(check: Check, value: object) -> None:
    assert check(penalty(state_secret=value)).excluded is Exclusion.STATE_SECRET


@pytest.mark.parametrize("value", ["也许", "见附件", "2"])
def test_a_word_that_is_neither_yes_nor_no_refuses_what_may_be_secret(
    check: Check, value: str
) -> None:
    checked = check(penalty(state_secret=value))

    [problem] = checked.problems
    assert checked.verdict is Verdict.REFUSED
    assert (problem.field, problem.rule) == ("state_secret", Rule.CODE_LIST)
    assert value in problem.message


@pytest.mark.parametrize("value", [False, "false", "0", "否", "", "不涉密", "无", "Ｎ", "×"])
def test_a_no_or_empty_value_does_not_exclude(check: Check, value: object) -> None:
    assert check(penalty(state_secret=value)).excluded is None


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("simple_procedure", Exclusion.SIMPLE_PROCEDURE),
        ("minor_remedied", Exclusion.MINOR_REMEDIED),
    ],
)
def test_some_decisions_are_excluded_for_natural_persons_only(
    check: Check, column: str, reason: Exclusion
) -> None:
    person, company = check(person_penalty(**{column: "1"})), check(penalty(**{column: "1"}))

    assert (person.excluded, company.excluded) == (reason, None)


def test_a_decision_without_exclusion_columns_is_not_excluded(check: Check) -> None:
    assert check(person_penalty()).excluded is None


def test_the_names_of_exclusion_columns_can_be_configured(keys: Keys) -> None:
    scope = Scope({Exclusion.STATE_SECRET: ("SM", False)})

    checked = Checker(keys, scope).check(raw(penalty(SM="是")), TODAY)

    assert checked.excluded is Exclusion.STATE_SECRET


@pytest.mark.parametrize("column", ["SFSM", "sfsm", "BZ"])
@pytest.mark.parametrize("name", ["sfsm", " SFSM", "\ufeffSFSM", "ＳＦＳＭ", "SF_SM", "BZ"])
def test_a_configured_name_is_found_in_every_spelling_too(
    keys: Keys, column: str, name: str
) -> None:
    checker = Checker(keys, Scope({Exclusion.STATE_SECRET: (column, False)}))

    checked = checker.check(raw({**penalty(), name: "是"}), TODAY)

    ours = (column == "BZ") == (name == "BZ")
    assert checked.excluded is (Exclusion.STATE_SECRET if ours else None)


@pytest.mark.parametrize(
    "flags",
    [
        '"State_Secret":"是","state_secret":"否"',
        '"State_Secret":"是","STATE_SECRET":"否"',
        '"STATE_SECRET":"是","STATE_SECRET":"否"',
        '"state_secret":"是","state\\u005fsecret":"否"',
        '"state\\u005fsecret":"是","state\\u005fsecret":"否"',
    ],
)
def test_flags_that_disagree_refuse_however_they_are_spelt(check: Check, flags: str) -> None:
    checked = check(orjson.dumps(penalty())[:-1] + f",{flags}}}".encode())

    assert checked.verdict is Verdict.REFUSED
    assert [problem.field for problem in checked.problems] == ["state_secret"]


def test_equal_flags_in_two_spellings_agree(check: Check) -> None:
    checked = check(penalty(state_secret="否", State_Secret="0"))

    assert (checked.verdict, checked.excluded) == (Verdict.OK, None)


@pytest.mark.parametrize(
    "flags",
    [
        '"ｓtate_secret":"是","\\uff53tate_secret":"否"',
        '"state_secret\u200b":"是","state_secret\\u200b":"否"',
        '"\ufeffstate_secret":"是","\\ufeffstate_secret":"否"',
    ],
)
def test_flags_that_disagree_count_though_one_is_written_with_escapes(
    check: Check, flags: str
) -> None:
    found = check(orjson.dumps(penalty())[:-1] + f",{flags}}}".encode())

    assert found.verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "name", ["state.secret", "state/secret", "state secret:", "'state_secret'"]
)
def test_a_flag_counts_whatever_stands_between_its_words(check: Check, name: str) -> None:
    assert check({**penalty(), name: "是"}).excluded is Exclusion.STATE_SECRET


def test_a_flag_counts_as_an_attribute_of_a_cloud_event(check: Check) -> None:
    event = {"specversion": "1.0", "type": "x.penalty", "statesecret": "是", "data": penalty()}

    assert check(orjson.dumps(event)).excluded is Exclusion.STATE_SECRET


def test_a_column_of_exclusion_is_told_as_one_and_what_it_excludes_is_counted(
    tmp_path: Path, keys: Keys
) -> None:
    scope = Scope({Exclusion.STATE_SECRET: ("秘密标记", False)})
    checker = Checker(keys, scope)
    rows = [penalty(1), penalty(2), penalty(3, CF_CFJGDM="")]
    cells = [[*row.values(), word] for row, word in zip(rows, ["是", "否", "秘密"], strict=True)]
    path = tmp_path / "rows.csv"
    header = [*rows[0], "秘密标记"]
    path.write_text("\n".join(",".join(line) for line in [header, *cells]), encoding="utf-8")
    reading, tally = Reading(path, FileLimits(), None, checker.names), FileTally(())

    for item in reading:
        tally.add(reading.place(item), checker.check(item, TODAY))

    words = "".join(reading.report.words)
    assert "“秘密标记”列决定一条记录是否不予报送" in words
    assert "不认识的列" not in words
    assert reading.report.tables[0].as_json()["exclusion_columns"] == ["秘密标记"]
    assert "合格 2，待补正 1，拒收 0，其中不予报送 2（涉密决定 2）" in tally.total_line()
    assert tally.as_json()["excluded"] == {"state_secret": 2}


@pytest.mark.parametrize("name", ["是否涉密", "密级", "simple_procedure", "minor-remedied"])
def test_a_column_of_exclusion_is_known_as_it_is_read(check: Check, keys: Keys, name: str) -> None:
    assert Checker(keys).names.decides(name)
    assert check({**person_penalty(), name: "是"}).excluded is not None


# ---------------------------------------------------------------- 信息使用范围


@pytest.mark.parametrize(
    "name",
    [
        "CF_SYFW",
        "XK_SYFW",
        "信息使用范围（必填）",
        "信息使用范围（0公示，1内部，2授权）",
        "use_scope",
    ],
)
@pytest.mark.parametrize(
    "value", [1, "2", "2.0", "０1", "1=仅政府部门内部共享", "仅可授权查询", "政府内部", "不公开"]
)
def test_what_only_the_government_or_the_authorised_may_see_is_not_reported(
    check: Check, name: str, value: object
) -> None:
    checked = check({**penalty(), name: value})

    assert (checked.verdict, checked.excluded) == (Verdict.OK, Exclusion.RESTRICTED_USE)


@pytest.mark.parametrize("value", ["0", 0, "0=公示", "向社会公开", "", None, "/"])
def test_what_everybody_may_see_is_reported(check: Check, value: object) -> None:
    checked = check(penalty(CF_SYFW=value))

    assert (checked.verdict, checked.excluded) == (Verdict.OK, None)


@pytest.mark.parametrize("value", ["3", "见附件", "是", "?", "0=公示；1=内部共享", True])
def test_a_use_that_cannot_be_understood_refuses_and_names_the_values(
    check: Check, value: object
) -> None:
    checked = check(penalty(CF_SYFW=value))

    [problem] = checked.problems
    assert (checked.verdict, problem.field) == (Verdict.REFUSED, "CF_SYFW")
    assert problem.message.startswith("信息使用范围：")
    assert "0（公示）、1（仅政府部门内部共享）或 2（仅可授权查询）" in problem.fix


def test_two_columns_of_the_use_that_differ_refuse(check: Check) -> None:
    assert check({**penalty(), "CF_SYFW": "0", "信息使用范围": "1"}).verdict is Verdict.REFUSED


def test_a_licence_for_the_authorised_only_is_not_reported(check: Check) -> None:
    assert check(licence(XK_SYFW="2")).excluded is Exclusion.RESTRICTED_USE


@pytest.mark.parametrize(("value", "excluded"), [("1", True), ("工业探伤", False)])
def test_a_column_that_may_be_what_a_licence_allows_counts_where_its_value_does(
    check: Check, value: str, excluded: bool
) -> None:
    checked = check(licence(使用范围=value))

    assert (checked.verdict, checked.excluded is not None) == (Verdict.OK, excluded)


def test_a_secret_decision_is_told_as_secret_whatever_its_use(check: Check) -> None:
    assert check(penalty(state_secret="是", CF_SYFW="1")).excluded is Exclusion.STATE_SECRET


@pytest.mark.parametrize("name", ["CF_SYFW", "信息使用范围"])
def test_the_use_is_told_as_a_column_that_decides(keys: Keys, name: str) -> None:
    assert Checker(keys).names.decides(name)
