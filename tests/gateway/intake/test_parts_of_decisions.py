"""The second row of a decision, in words that also stand in labels and notes: never half of one."""

from pathlib import Path
from typing import Any

import pytest

from schemas.verdict import Verdict
from tests.gateway.intake.conftest import Read, book
from tests.gateway.intake.test_decisions_over_rows import lower, text
from tests.gateway.intake.test_tables_that_mislead import HEADER, values

#: What the second row says, as decisions do.
PARTS: tuple[dict[str, str], ...] = (
    {"CF_CFLB": "责令停产停业", "CF_NR": "二、责令停产整治"},
    {"CF_NR": "二、没收违法所得1万元"},
    {"CF_NR": "没收违法所得1万元，合计罚没3万元"},
    {"CF_NR": "没收违法所得，罚没共计3万元"},
    {"CF_SY": "2.未如实填报排污许可执行报告"},
    {"CF_SY": "2.未按规定格式建立台账"},
    {"CF_SY": "2.环保设施未经验收，截至检查时未投运"},
    {"CF_SY": "2.拒不配合样例市生态环境局"},
    {"CF_YJ": "《排污许可管理条例》第三十三条（未按规定填报）"},
    {"CF_CFLB": "没收违法所得、没收非法财物"},
)


@pytest.mark.parametrize("cells", PARTS)
@pytest.mark.parametrize("made", [book, text])
def test_the_first_half_of_a_decision_never_goes_out_alone(
    tmp_path: Path, read: Read, made: Any, cells: dict[str, str]
) -> None:
    rows = [HEADER, values(), lower(**cells), values(2, CF_CFLB=cells.get("CF_CFLB", "罚款"))]

    first, second, _ = read(made(tmp_path, rows))

    assert [first.verdict, second.verdict] == [Verdict.REFUSED] * 2


def test_a_blank_row_between_does_not_make_two_of_a_decision(tmp_path: Path, read: Read) -> None:
    rows = [HEADER, values(), [], lower(**PARTS[0]), values(2)]

    first, second, _ = read(book(tmp_path, rows))

    assert [first.verdict, second.verdict] == [Verdict.REFUSED] * 2


@pytest.mark.parametrize("name", ["样例村民委员会", "样例市检测中心"])
def test_a_subject_with_a_day_only_is_a_record_that_is_refused(
    tmp_path: Path, read: Read, name: str
) -> None:
    cells = {"CF_XDR_MC": name, "CF_JDRQ": "2026-10-09"}

    _, second = read(book(tmp_path, [HEADER, values(), lower(**cells)]))

    assert second.verdict is Verdict.REFUSED


@pytest.mark.parametrize("label", ["合计4万元", "共3家企业", "总金额", "合计：3条"])
def test_a_sum_with_its_number_in_it_is_no_part(tmp_path: Path, read: Read, label: str) -> None:
    [one] = read(book(tmp_path, [HEADER, values(), lower(CF_NR=label, CF_NR_FK="4")]))

    assert one.verdict is Verdict.OK
