"""What stands around the rows of a table: units, second headers, column numbers, merged numbers."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.check.checker import Checker
from gateway.config.keys import Keys
from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from schemas.input_rules import InputRules
from schemas.verdict import Verdict
from tests.gateway.conftest import TODAY
from tests.gateway.intake.conftest import NAMES, Read, book
from tests.gateway.intake.test_decisions_over_rows import text
from tests.gateway.intake.test_tables_that_mislead import HEADER, letter, values

AMOUNT = NAMES.index("CF_NR_FK")
#: A decision whose content names no sum.
UNSAID = {"CF_NR": "责令改正，处以罚款", "CF_NR_FK": "5000"}


def test_both_rows_of_a_decision_with_one_merged_number_are_refused(
    tmp_path: Path, read: Read
) -> None:
    lower: list[Any] = [None] * len(NAMES)
    lower[NAMES.index("CF_CFLB")], lower[AMOUNT] = "没收违法所得", "3"
    areas = [
        f"{letter(name)}2:{letter(name)}3" for name in NAMES if name not in {"CF_CFLB", "CF_NR_FK"}
    ]

    found = read(book(tmp_path, [HEADER, values(), lower], *areas))

    assert [one.verdict for one in found] == [Verdict.REFUSED] * 2
    assert all("与上面的合并成一格" in one.problems[0].message for one in found)


def test_a_number_merged_over_empty_rows_is_that_of_one_decision(
    tmp_path: Path, read: Read
) -> None:
    area = f"{letter('CF_WSH')}2:{letter('CF_WSH')}4"

    [one] = read(book(tmp_path, [HEADER, values(), [], []], area))

    assert one.verdict is Verdict.OK


@pytest.mark.parametrize("where", ["above", "below"])
def test_an_amount_is_in_the_unit_that_stands_beside_it(
    tmp_path: Path, read: Read, where: str
) -> None:
    unit: list[Any] = [None] * len(NAMES)
    unit[0 if where == "above" else AMOUNT] = "单位：元" if where == "above" else "（元）"
    rows = [NAMES, values(**UNSAID)]
    rows.insert(0 if where == "above" else 1, unit)
    path = book(tmp_path, rows)

    [one] = read(path)

    assert str(getattr(one.record, "fine_wan", None)) == "0.5"
    reading = Reading(path, FileLimits())
    assert len(list(reading)) == 1
    assert "按元读" in "\n".join(reading.report.words)


@pytest.mark.parametrize(
    "said",
    ["【元】", "[元]", "“元”", "元整", "人民币元", "元/人民币", "填写元", "(￥元)", "单位【元】"],
)
def test_a_unit_below_a_name_is_seen_in_every_form(tmp_path: Path, read: Read, said: str) -> None:
    below: list[Any] = [None] * len(NAMES)
    below[AMOUNT] = said

    [one] = read(book(tmp_path, [NAMES, below, values(**UNSAID)]))

    assert str(getattr(one.record, "fine_wan", None)) == "0.5"


@pytest.mark.parametrize(
    "said",
    [
        "单位：元", "单  位：元", "单位【元】", "单位〔元〕", "金额单位：元", "（单位：元）",
        "单位：人民币（元）", "金额单位为元", "单位：元/人民币", "计量单位:元", "（罚款金额：元）",
        "金额：元",
        "单位：样例市生态环境局　　金额：元", "单位：元   制表日期：2026年11月2日",
        "单位：元 第1页", "单位：元（人民币）", "单位：圆", "单位：RMB元", "行政处罚台账（元）",
        "以元为单位", "金额以元计", "单位—元",
    ],
)  # fmt: skip
def test_a_unit_is_known_however_it_is_said(tmp_path: Path, read: Read, said: str) -> None:
    [one] = read(book(tmp_path, [[said], NAMES, values(**UNSAID)]))

    assert str(getattr(one.record, "fine_wan", None)) == "0.5"


@pytest.mark.parametrize(
    "said",
    [
        "填报单位：元宝山区生态环境分局", "报送单位：元氏县分局", "单位：万元",
        "单位：元宝山区分局", "金额：2元", "罚款金额：元宝山区",
        "说明：金额单位：元的，请换算为万元后填写",
        f"填报单位{' ' * 20000}填报日期", "",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_unit_is_none(tmp_path: Path, read: Read, said: str) -> None:
    [one] = read(book(tmp_path, [[said, "x"], NAMES, values(**{**UNSAID, "CF_NR_FK": "2"})]))

    assert str(getattr(one.record, "fine_wan", None)) == "2"


@pytest.mark.parametrize(
    ("amount", "wan"),
    [
        ("20000 ", "2"), (" 20,000.00 ", "2"), ("２００００", "2"), ("¥20,000", "2"),
        ("2万元", "2"), ("20000元", "2"), ("20000\u200b", "2"), ("2E+4", "2"),
        ("20000整", None), ("+20000", "2"), ("2000①", None),
    ],
)  # fmt: skip
def test_an_amount_without_a_unit_never_becomes_ten_thousand_times_itself(
    tmp_path: Path, read: Read, amount: str, wan: str | None
) -> None:
    [one] = read(book(tmp_path, [["单位：元"], NAMES, values(**{**UNSAID, "CF_NR_FK": amount})]))

    found = getattr(one.record, "fine_wan", None)
    assert found is None if wan is None else found == Decimal(wan)


@pytest.mark.parametrize(("unit", "wan"), [("千元", "2"), ("百万元", "2000"), ("百元", "0.2")])
def test_other_units_are_read(tmp_path: Path, read: Read, unit: str, wan: str) -> None:
    rows = [[f"单位：{unit}"], NAMES, values(**{**UNSAID, "CF_NR_FK": "20"})]

    [one] = read(book(tmp_path, rows))

    assert getattr(one.record, "fine_wan", None) == Decimal(wan)


def held(found: Any) -> bool:
    """Whether the amount of an item is held back, because nobody knows its unit."""
    said = "".join(one.message for one in found.problems if one.field == "CF_NR_FK")
    return getattr(found.record, "fine_wan", None) is None and "看不准是不是这一列的单位" in said


@pytest.mark.parametrize("form", [book, text])
@pytest.mark.parametrize(
    "note",
    [
        "注：金额单位为元", "说明：罚款金额以元为单位", "备注：金额均为元",
        "注：处罚内容栏单位：元；罚款金额栏单位：万元",
        "注：罚款金额栏单位：万元，处罚内容栏单位：元", "注：处罚内容中的金额单位为元，其余为万元",
    ],
)  # fmt: skip
def test_a_unit_below_the_table_leaves_amounts_unclear(
    tmp_path: Path, read: Read, form: Any, note: str
) -> None:
    rows = [NAMES, values(**UNSAID), [note], ["制表人：张三"]]

    [one] = read(form(tmp_path, rows))

    assert held(one)


def test_a_note_of_two_units_above_the_table_leaves_amounts_unclear(
    tmp_path: Path, read: Read
) -> None:
    [one] = read(book(tmp_path, [["处罚内容单位：元；罚款金额单位：万元"], NAMES, values()]))

    assert held(one)


def test_an_amount_with_a_unit_is_clear_whatever_stands_below(tmp_path: Path, read: Read) -> None:
    rows = [NAMES, values(CF_NR_FK="2万元"), ["注：金额单位为元"]]

    [one] = read(book(tmp_path, rows))

    assert str(getattr(one.record, "fine_wan", None)) == "2"


@pytest.mark.parametrize("column", ["BZ", "CF_NR"])
def test_a_line_within_a_cell_is_no_unit_of_the_table(
    tmp_path: Path, read: Read, column: str
) -> None:
    said = "处罚款\n币种：人民币，单位：元\n缴至财政专户"
    rows = [
        [*NAMES, "BZ"],
        [*values(), ""],
        [*values(2, **({} if column == "BZ" else {column: said})), said],
    ]

    found = read(text(tmp_path, rows))

    assert [str(getattr(one.record, "fine_wan", None)) for one in found] == ["2", "2"]


def test_a_note_between_two_tables_does_not_convert_the_second(tmp_path: Path, read: Read) -> None:
    rows = [NAMES, values(**UNSAID), ["注：金额单位：元"], [], NAMES, values(2)]

    found = read(book(tmp_path, rows))

    assert all(map(held, found))


def test_a_remark_of_a_record_is_no_unit_of_the_table(tmp_path: Path, read: Read) -> None:
    rows = [[*NAMES, "BZ"], [*values(**{**UNSAID, "CF_NR_FK": "2"}), "注：金额单位为元"]]

    [one] = read(book(tmp_path, rows))

    assert str(getattr(one.record, "fine_wan", None)) == "2"


def test_the_unit_of_a_second_table_is_its_own(tmp_path: Path, read: Read) -> None:
    second = values(2, **{**UNSAID, "CF_NR_FK": "3"})
    rows = [["单位：元"], NAMES, values(**UNSAID), ["金额单位：万元"], HEADER, second]

    found = read(book(tmp_path, rows))

    assert [str(getattr(one.record, "fine_wan", None)) for one in found] == ["0.5", "3"]


def test_a_unit_below_a_name_counts_more_than_one_above(tmp_path: Path, read: Read) -> None:
    unit: list[Any] = [None] * len(NAMES)
    unit[AMOUNT] = "（万元）"
    rows = [["单位：元"], NAMES, unit, values(**{**UNSAID, "CF_NR_FK": "2"})]

    [one] = read(book(tmp_path, rows))

    assert str(getattr(one.record, "fine_wan", None)) == "2"


@pytest.mark.parametrize("place", [0, AMOUNT, NAMES.index("CF_JDRQ")])
def test_blanks_without_end_take_no_time(tmp_path: Path, read: Read, place: int) -> None:
    row = values()
    row[place] = "合计" + " " * 20000 + "x"

    assert len(read(book(tmp_path, [HEADER, row]))) == 1


@pytest.mark.parametrize("place", ["title", "below the name"])
def test_a_name_and_a_table_that_say_different_units_leave_amounts_unclear(
    tmp_path: Path, read: Read, place: str
) -> None:
    rows = [HEADER, values(**UNSAID), values(2, CF_NR_FK="2万元")]
    below: list[Any] = [None] * len(NAMES)
    below[AMOUNT] = "（元）"
    rows.insert(0 if place == "title" else 1, ["单位：元"] if place == "title" else below)

    first, second = read(book(tmp_path, rows))

    assert held(first)
    assert str(getattr(second.record, "fine_wan", None)) == "2"


@pytest.mark.parametrize(
    ("unit", "wan"), [("（元）", "0.5"), ("(单位：元)", "0.5"), ("(千元)", "500")]
)
def test_a_configured_name_says_its_unit(tmp_path: Path, keys: Keys, unit: str, wan: str) -> None:
    name = f"罚款金额{unit}"
    checker = Checker(keys, None, InputRules(columns={"CF_NR_FK": [name]}))
    header = [name if one == "CF_NR_FK" else one for one in NAMES]
    path = book(tmp_path, [header, values(**UNSAID)])

    [raw] = Reading(path, FileLimits(), names=checker.names)

    assert getattr(checker.check(raw, TODAY).record, "fine_wan", None) == Decimal(wan)


@pytest.mark.parametrize("between", [["以下单位：元"], ["第二页", "单位：元"]])
def test_a_unit_between_two_rows_is_that_of_the_rows_below(
    tmp_path: Path, read: Read, between: list[str]
) -> None:
    rows = [["单位：万元"], NAMES, values(**{**UNSAID, "CF_NR_FK": "2"}), values(2), values(3)]

    found = read(book(tmp_path, [*rows, between, values(4, **UNSAID)]))

    assert [str(getattr(one.record, "fine_wan", None)) for one in found] == ["2", "2", "2", "0.5"]


@pytest.mark.parametrize("place", ["to the right", "below"])
def test_a_unit_beside_the_names_is_that_of_the_table(
    tmp_path: Path, read: Read, place: str
) -> None:
    names, below = ([*NAMES, "单位：元"], []) if place == "to the right" else (NAMES, ["单位：元"])

    [one] = read(book(tmp_path, [names, below, values(**UNSAID)]))

    assert str(getattr(one.record, "fine_wan", None)) == "0.5"


@pytest.mark.parametrize("name", ["罚款金额（单位：万元）", "罚款金额(人民币万元)"])
def test_a_name_with_its_unit_written_otherwise_is_known(
    tmp_path: Path, read: Read, name: str
) -> None:
    header = [name if one == "罚款金额（万元）" else one for one in HEADER]

    [one] = read(book(tmp_path, [header, values()]))

    assert one.verdict is Verdict.OK


@pytest.mark.parametrize("form", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_read(tmp_path: Path, read: Read, form: str) -> None:
    path = tmp_path / "rows.csv"
    text = "\n".join("\t".join(map(str, line)) for line in [HEADER, values()])
    path.write_bytes(text.encode(form))

    [one] = read(path)

    assert one.verdict is Verdict.OK
