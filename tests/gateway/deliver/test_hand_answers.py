"""What a row of a platform's list of results means."""

from datetime import UTC, datetime

import pytest

from gateway.deliver.hand_answers import answer
from schemas.hand_upload import AnswerColumns

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
    ],
)
def test_a_result_is_told_by_the_first_column_that_has_one(
    columns: dict[str, str], accepted: bool | None, reasons: tuple[str, ...]
) -> None:
    found = answer("penalty", "样环罚字（2026）1号", columns, HOW)

    assert (found.accepted, found.reasons) == (accepted, reasons)
    assert found.number_key == "样环罚字〔2026〕1号"


def test_words_and_columns_of_another_platform_are_configured() -> None:
    how = AnswerColumns.model_validate(
        {"status": ["状态码"], "reason": ["说明"], "accepted": ["0"], "rejected": ["1"]}
    )

    assert answer(None, "1号", {"状态码": "0"}, how).accepted is True
    assert answer(None, "1号", {"状态码": "1", "说明": "重复"}, how).reasons == ("重复",)


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
    assert answer(None, "1号", {"审核状态": "通过", "审核时间": said}, HOW).at == at
