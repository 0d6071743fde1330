"""What columns of a bureau's own say of a decision is told, though they decide nothing here."""

import pytest

from schemas.verdict import Verdict
from tests.factories import penalty
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
