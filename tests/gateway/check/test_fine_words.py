"""Fines in the words of a decision: imposed by it, or only spoken of."""

import pytest

from gateway.check.fine_words import imposes_fine


@pytest.mark.parametrize(
    "words",
    [
        "警告，并处罚款60万元",
        "处2万元罚款",
        "处罚款人民币（大写）贰万元整",
        "因逾期未改正，处罚款10万元",
        "当事人曾被警告；现处罚款10万元",
    ],
)
def test_a_fine_that_the_decision_imposes_is_found(words: str) -> None:
    assert imposes_fine(words)


@pytest.mark.parametrize(
    "words",
    [
        "警告",
        "当事人曾于2023年因同类行为被罚款3万元，现决定给予警告",
        "给予警告，责令改正；逾期不改正的，处2万元罚款",
        "警告。原拟罚款5万元，经听证改为警告",
        "不予罚款2万元",
    ],
)
def test_a_fine_that_is_only_spoken_of_is_none(words: str) -> None:
    assert not imposes_fine(words)
