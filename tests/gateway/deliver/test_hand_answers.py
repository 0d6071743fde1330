"""What a row of a platform's list of results means."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from gateway.deliver.hand_answers import answer
from schemas.hand_upload import AnswerColumns
from tests.factories import IDENTITY

HOW = AnswerColumns()


@pytest.mark.parametrize(
    ("columns", "accepted", "reasons"),
    [
        ({"审核状态": "审核通过", "失败原因": "/"}, True, ()),
        ({"处理结果": "退回", "原因": "代码不正确"}, False, ("代码不正确",)),
        ({"审核状态": "不通过"}, False, ("不通过",)),
        ({"审核状态": "排队中", "失败原因": "还没有"}, None, ()),
        ({"审核状态": "", "处理结果": "成功"}, True, ()),
        ({"审核状态（必填）": " 通过 "}, True, ()),
        ({"校验结果": "校验通过"}, None, ()),
        ({"校验结果": "校验通过", "导入结果": "成功"}, True, ()),
        ({"校验结果": "校验通过", "导入结果": "失败", "失败原因": "重复"}, False, ("重复",)),
        ({"数据状态": "成功", "处理结果": "退回"}, False, ("退回",)),
        ({"数据状态": "成功", "处理结果": "待复核"}, None, ()),
        ({"数据状态": "待复核", "处理结果": "退回"}, False, ("退回",)),
    ],
)
def test_a_result_is_told_by_every_column_that_has_one(
    columns: dict[str, str], accepted: bool | None, reasons: tuple[str, ...]
) -> None:
    found = answer("penalty", "样环罚字（2026）1号", columns.items(), HOW)

    assert (found.accepted, found.reasons) == (accepted, reasons)
    assert found.number_key == "样环罚字〔2026〕1号"


def test_of_two_columns_with_one_name_both_count() -> None:
    found = answer(None, "1号", [("处理结果", "退回"), ("处理结果", "成功")], HOW)

    assert (found.accepted, found.said) == (False, "退回、成功")


def test_a_word_that_means_two_things_is_refused() -> None:
    with pytest.raises(ValidationError, match="都有 校验通过；只写在一处"):
        AnswerColumns.model_validate({"accepted": ["成功", "校验通过"]})


def test_a_reason_shows_no_identity_number() -> None:
    columns = {"审核状态": "退回", "失败原因": f"证件号码{IDENTITY}与公安信息不符"}

    assert IDENTITY not in answer(None, "1号", columns.items(), HOW).reasons[0]


def test_words_and_columns_of_another_platform_are_configured() -> None:
    how = AnswerColumns.model_validate(
        {"status": ["状态码"], "reason": ["说明"], "accepted": ["0"], "rejected": ["1"]}
    )

    assert answer(None, "1号", {"状态码": "0"}.items(), how).accepted is True
    assert answer(None, "1号", {"状态码": "1", "说明": "重复"}.items(), how).reasons == ("重复",)


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("2026-10-12 09:30:00", datetime(2026, 10, 12, 1, 30, tzinfo=UTC)),
        ("2026/10/12 09:30", datetime(2026, 10, 12, 1, 30, tzinfo=UTC)),
        ("2026-10-12T01:30:00Z", datetime(2026, 10, 12, 1, 30, tzinfo=UTC)),
        ("2026年10月12日", datetime(2026, 10, 11, 16, tzinfo=UTC)),
        ("昨天", None),
        ("", None),
    ],
)
def test_the_time_of_the_platform_is_that_of_china(said: str, at: datetime | None) -> None:
    columns = {"审核状态": "通过", "审核时间": said}

    assert answer(None, "1号", columns.items(), HOW).at == at
