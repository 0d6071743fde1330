"""An order to stop that only the words of a decision name, beside the kind 其他."""

import pytest

from gateway.check.stop_words import stops_in
from gateway.config.keys import Keys
from tests.factories import penalty
from tests.gateway.check.test_comparisons import checked


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("1.罚款人民币2万元；2.责令停产整治", ("责令停产整治",)),
        ("责令你单位立即停产停业，责令关闭。", ("责令停产停业", "责令关闭")),
        ("责令改正；拒不改正的，责令停产整治", ()),
        ("逾期不改正的将依法责令停产整治。处罚款2万元", ()),
        ("解除责令停产整治决定", ()),
        ("关闭阀门，停产整治期间已停产", ()),
    ],
)
def test_only_what_a_decision_imposes_is_found(content: str, found: tuple[str, ...]) -> None:
    assert stops_in(content) == found


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ("其他", True),
        ("罚款;其他-补充说明", True),
        ("其他-责令停产整治", False),
        ("罚款;停产整治;其他-限期拆除", False),
        ("罚款", False),
    ],
)
def test_a_stop_in_words_beside_the_kind_other_is_told(
    keys: Keys, kinds: str, *, told: bool
) -> None:
    """Proven: it counted as no stop, and nobody was told."""
    row = penalty(CF_CFLB=kinds, CF_NR="罚款人民币贰万元，责令停产整治。")

    words = [one.message for one in checked(keys, row).warnings]

    assert any("写有责令停产整治，而处罚类别只写其他" in one for one in words) is told
