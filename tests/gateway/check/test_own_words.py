"""What a bureau's own columns, and 备注, say of a decision is told; they decide nothing."""

import pytest

from schemas.codes import Verb
from schemas.verdict import Verdict
from tests.factories import licence, penalty
from tests.gateway.conftest import Check


@pytest.mark.parametrize(("name", "value"), [("是否公开", "否"), ("是否公示（必填）", False)])
def test_a_decision_that_is_not_public_by_its_own_column_is_a_warning(
    check: Check, name: str, value: object
) -> None:
    checked = check({**penalty(), name: value})

    [warning] = checked.warnings
    assert (checked.verdict, checked.excluded, warning.field) == (Verdict.OK, None, name)
    assert "不决定是否报送" in warning.message
    assert "信息使用范围" in warning.fix


def test_nothing_is_told_of_a_decision_that_is_public_or_not_reported(check: Check) -> None:
    public, restricted = check(penalty(是否公开="是")), check(penalty(是否公开="否", CF_SYFW="1"))

    assert public.warnings == restricted.warnings == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("案件状态", "撤销"),
        ("处罚状态", "已撤销"),
        ("状态", " 已作废。"),
        ("状态", "作废"),
        ("办理结果", "撤回"),
        ("是否撤销", "是"),
        ("是否作废（必填）", True),
        ("是否已撤销", "复议中"),
        ("撤销标志", "1"),
    ],
)
def test_a_column_of_ones_own_that_says_revoked_refuses_and_says_where_to_write_it(
    check: Check, name: str, value: object
) -> None:
    checked = check({**penalty(BZ="该处罚已撤销"), name: value})

    [problem] = checked.problems
    assert (checked.verdict, problem.field) == (Verdict.REFUSED, name)
    assert checked.warnings == ()
    assert "看不准决定是否已撤销" in problem.message
    assert "在“当前状态”列填 1（撤销），或加一列 verb，填 withdraw（撤回）" in problem.fix
    assert "仍然有效的，清空这一格" in problem.fix


def test_a_licence_that_its_own_column_calls_revoked_is_refused(check: Check) -> None:
    [problem] = check(licence(办理状态="已撤销")).problems

    assert problem.fix.startswith("撤销了的，加一列 verb，填 withdraw（撤回）")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("是否撤销", "否"),
        ("是否撤销", "/"),
        ("是否撤销", ""),
        ("是否作废", 0),
        ("是否作废", False),
        ("是否撤销", "未撤销"),
        ("案件状态", "正常"),
        ("案件状态", "已结案"),
        ("撤销原因", "无"),
        ("说明", "不予撤销"),
    ],
)
def test_a_column_of_ones_own_that_says_that_a_decision_stands_is_fine(
    check: Check, name: str, value: object
) -> None:
    assert check({**penalty(), name: value}).verdict is Verdict.OK


@pytest.mark.parametrize("said", [{"verb": "withdraw"}, {"CF_ZT": "1"}, {"当前状态": "撤销"}])
def test_what_is_withdrawn_may_also_say_so_in_a_column_of_ones_own(
    check: Check, said: dict[str, str]
) -> None:
    checked = check({**penalty(BZ="该处罚已撤销"), **said, "案件状态": "已撤销"})

    assert (checked.verdict, checked.verb, checked.warnings) == (Verdict.OK, Verb.WITHDRAW, ())


@pytest.mark.parametrize("remark", ["该处罚已撤销", "复议撤销", "作废", "已被法院判决撤销，勿报"])
def test_a_remark_that_speaks_of_a_revocation_is_a_warning(check: Check, remark: str) -> None:
    checked = check(penalty(BZ=remark))

    [warning] = checked.warnings
    assert (checked.verdict, warning.field) == (Verdict.OK, "BZ")
    assert remark in warning.message


@pytest.mark.parametrize("remark", ["复议不予撤销", "未撤销", "无", "已缴款"])
def test_a_remark_that_speaks_of_none_is_no_warning(check: Check, remark: str) -> None:
    assert check(penalty(BZ=remark)).warnings == ()
