"""Texts that lost their characters on the way are told, whichever way it was."""

import pytest

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.config.keys import Keys
from schemas.verdict import Verdict
from tests.factories import penalty, person_penalty, raw
from tests.gateway.conftest import TODAY

MOJIBAKE = "样例公司".encode("gb18030").decode("latin-1")


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("CF_WSH", "样环罚字?2026?1号"),
        ("CF_WSH", "样环？字〔2026〕1号"),
        ("CF_WSH", "样?环罚字〔2026〕1号"),
        ("CF_CFJG", "样例市生态环境？局"),
        ("CF_CFJG", "样例市?态环境局"),
        ("CF_XDR_MC", "样例??有限公司"),
        ("CF_FRDB", "王小\ufffd"),
        ("CF_XDR_MC", "锟斤拷锟斤拷1号有限公司"),
        ("CF_CFJG", "样例市锟斤拷态环境局"),
        ("CF_XDR_MC", MOJIBAKE),
        ("CF_SY", "超标排放" + MOJIBAKE),
        ("CF_CFJG", "样例".encode().decode("cp1252", "ignore")),
        ("CF_NR", "罚款锟斤拷"),
        ("CF_NR", "Ñ" * 4000),
    ],
)
def test_lost_characters_refuse_the_item(keys: Keys, column: str, text: str) -> None:
    found = Checker(keys).check(raw(penalty(**{column: text})), TODAY)

    assert found.verdict is Verdict.REFUSED
    assert any("乱码" in one.message for one in found.problems if one.field == column)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("CF_XDR_MC", "样例?有限公司"),
        ("CF_XDR_MC", "样例？有限公司"),
        ("CF_SJLY", "样例市生态环境局?"),
    ],
)
def test_one_question_mark_in_a_required_column_holds_the_decision(
    keys: Keys, column: str, text: str
) -> None:
    found = Checker(keys).check(raw(penalty(**{column: text})), TODAY)

    assert found.verdict is Verdict.INCOMPLETE
    assert [one.field for one in found.problems] == [column]
    assert "问号" in found.problems[0].message
    assert found.record is not None
    assert text not in found.record.model_dump().values()


@pytest.mark.parametrize(
    ("column", "text"), [("CF_FRDB", "李?"), ("CF_FR_ZJHM", "H1234567?"), ("BZ", "已核实?")]
)
def test_one_question_mark_in_an_optional_column_is_a_warning(
    keys: Keys, column: str, text: str
) -> None:
    found = Checker(keys).check(raw(penalty(**{column: text})), TODAY)

    assert found.verdict is Verdict.OK
    assert text in found.record.model_dump().values()  # type: ignore[union-attr]
    assert [one.field for one in found.warnings] in ([column], [])
    assert found.warnings or column == "BZ"


@pytest.mark.parametrize("sign", ["□", "〓", "\ue123", "\uf8ff", "&amp;", "&nbsp;", "&#26679;"])
def test_a_sign_that_stands_for_a_lost_character_is_doubtful(keys: Keys, sign: str) -> None:
    def check(column: str, text: str) -> Checked:
        return Checker(keys).check(raw(penalty(**{column: text})), TODAY)

    name, number = (
        check("CF_XDR_MC", f"样例{sign}公司"),
        check("CF_WSH", f"样环罚〔2026〕{sign}1号"),
    )
    optional = check("CF_FRDB", f"李{sign}")

    assert [name.verdict, number.verdict] == [Verdict.INCOMPLETE, Verdict.REFUSED]
    assert "可能是乱码" in name.problems[0].message
    assert name.problems[0].fix == "按决定书核对，改成原来的字"
    assert [one.field for one in optional.warnings] == ["CF_FRDB"]


@pytest.mark.parametrize("name", ["1", "2026", "91159900MA0000001", "9115990000000012"])
def test_a_number_is_no_name_of_a_company(keys: Keys, name: str) -> None:
    found = Checker(keys).check(raw(penalty(CF_XDR_MC=name)), TODAY)

    assert found.verdict is Verdict.INCOMPLETE
    assert [one.field for one in found.problems] == ["CF_XDR_MC"]
    assert "不是名称" in found.problems[0].message


@pytest.mark.parametrize("name", ["Sample Trading Co., Ltd.", "3M"])
def test_a_name_in_latin_letters_is_taken_with_a_warning(keys: Keys, name: str) -> None:
    found = Checker(keys).check(raw(penalty(CF_XDR_MC=name)), TODAY)

    assert found.verdict is Verdict.OK
    assert ["没有汉字" in one.message for one in found.warnings] == [True]
    assert not Checker(keys).check(raw(person_penalty(CF_XDR_MC=name)), TODAY).warnings


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n ", "\r"])
def test_a_line_end_within_a_cell_is_no_part_of_a_name_or_number(keys: Keys, end: str) -> None:
    row = penalty(
        CF_XDR_MC=f"样例1号{end}有限公司",
        CF_WSH=f"样环罚字{end}〔2026〕1号",
        CF_FRDB=f"John{end}Smith",
        CF_SY=f"一、超标{end}二、无证",
        CF_NR_ZKDX=f"许可证1号{end}许可证2号",
    )

    record = Checker(keys).check(raw(row), TODAY).record

    assert record is not None
    told = record.model_dump()
    assert told["subject_name"] == "样例1号有限公司"
    assert told["document_number"] == "样环罚字〔2026〕1号"
    assert told["legal_representative"] == "John Smith"
    assert told["violation_facts"] == f"一、超标{end}二、无证"
    assert told["suspended_permit"] == f"许可证1号{end}许可证2号"


def test_a_question_mark_in_the_number_of_a_person_refuses(keys: Keys) -> None:
    row = person_penalty()
    row["CF_XDR_ZJHM"] = row["CF_XDR_ZJHM"][:-1] + "?"

    assert Checker(keys).check(raw(row), TODAY).verdict is Verdict.REFUSED


@pytest.mark.parametrize("sign", ["?", "？"])
def test_a_question_mark_in_a_code_is_a_problem(keys: Keys, sign: str) -> None:
    found = Checker(keys).check(raw(penalty(CF_CFJGDM=f"1115990000000000{sign}8")), TODAY)

    assert [one.field for one in found.problems] == ["CF_CFJGDM"]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("CF_XDR_MC", "Société Générale 样例有限公司"),
        ("CF_FRDB", "刘锟"),
        ("CF_FRDB", "买买提·阿里"),
        ("CF_SY", "该公司是否超标排放？已核实"),
        ("CF_NR", "水温25°C±1°C，3×10²"),
        ("CF_XDR_MC", "Größe Müller 公司"),
        ("CF_FRDB", "José Núñez"),
        ("CF_XDR_MC", "样例R&D有限公司"),
        ("CF_SY", "□超标排放 &amp;"),
    ],
)
def test_real_texts_are_no_garbled_ones(keys: Keys, column: str, text: str) -> None:
    found = Checker(keys).check(raw(penalty(**{column: text})), TODAY)

    assert not [one for one in found.problems if one.field == column]
