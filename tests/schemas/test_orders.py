"""责令改正: which words of 处罚类别 order to mend what is wrong, and which are penalties."""

import pytest

from schemas.codes import PENALTY_KINDS
from schemas.orders import is_order


@pytest.mark.parametrize(
    "word",
    [
        "责令改正", "责令限期改正", "责令立即改正", "责令当场改正", "责令改正违法行为",
        "责令改正环境违法行为", "责令限期改正违法行为", "责令立即改正生态环境违法行为",
        "责令整改", "责令限期整改", "责令立即整改", "责令及时整改", "责令30日内改正",
        "责令于10个工作日内整改", "责令其限期改正", "限期改正", "限期整改", "立即改正", "立即整改",
        "责令纠正", "责令停止违法行为", "责令立即停止违法行为", "责令停止环境违法行为",
        "责令停止违法行为并限期改正", "责令停止违法行为限期改正", "责令立即停止违法行为并限期整改",
        "责令改正违法行为并限期整改", "责令停止违法行为并责令限期改正",
    ],
)  # fmt: skip
def test_an_order_to_mend_is_no_penalty_however_it_is_spelt(word: str) -> None:
    assert is_order(word)


@pytest.mark.parametrize(
    "word",
    [
        *sorted(PENALTY_KINDS), "责令限制开展生产经营活动", "责令停止生产", "责令停止建设",
        "责令停产整改", "责令停业整顿", "责令改正并罚款", "责令限期改正并停产整治",
        "逾期不改正责令停产", "拒不改正", "责令停止", "",
    ],
)  # fmt: skip
def test_what_takes_more_than_mending_is_a_penalty(word: str) -> None:
    assert not is_order(word)
