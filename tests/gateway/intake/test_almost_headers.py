"""A row whose names are nearly those of the standard is told name by name, and never read by."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from gateway.intake.files.unreadable import UnreadableFile
from schemas.codes import RecordKind
from schemas.configured import ConfiguredKind, adopt
from schemas.kinds import KINDS

ROW = "样例1号有限公司,91150100MA0N999929,样环罚字〔2026〕1号,2026-10-09,2"


def told(tmp_path: Path, text: str, kind: RecordKind | None = None) -> str:
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFile) as refused:
        list(Reading(path, FileLimits(), kind))
    return str(refused.value)


def test_each_name_is_told_with_the_standard_one_that_it_means(tmp_path: Path) -> None:
    words = told(
        tmp_path, f"案件汇总\n当事人名称,统一社会信用代码,决定书文号,决定日期,罚款\n{ROW}\n"
    )

    assert words.startswith("第2行像是列名")
    assert "“当事人名称”改成“行政相对人名称”" in words
    assert "“统一社会信用代码”改成“行政相对人代码_1(统一社会信用代码)”" in words
    assert "“决定书文号”改成“行政处罚决定书文号”" in words
    assert "或在配置 input.columns 里写本单位的列名（按 UTF-8 读）" in words


def test_the_kind_that_is_given_decides_what_is_meant(tmp_path: Path) -> None:
    words = told(tmp_path, "被许可人,决定日期,许可文号\n样例公司,x,y\n", RecordKind.LICENCE)

    assert "“许可文号”改成“行政许可决定文书号”" in words


@pytest.mark.parametrize(
    "text",
    [
        "姓名,年龄,电话\n张样例,三十,无\n",
        f"{ROW}\n{ROW}\n",  # records without a header
        "一段话，说的是处罚决定和当事人\n",
    ],
)
def test_other_tables_are_told_as_before(tmp_path: Path, text: str) -> None:
    assert "找不到认识的列名" in told(tmp_path, text)


@pytest.fixture
def two_kinds() -> Iterator[None]:
    kinds = (("inspection", "监督检查", "JC_"), ("confirmation", "行政确认", "QR_"))
    adopt(
        tuple(
            ConfiguredKind.model_validate({"name": name, "title": title, "prefix": prefix})
            for name, title, prefix in kinds
        )
    )
    yield
    KINDS.adopt(())


@pytest.mark.usefixtures("two_kinds")
def test_the_columns_of_two_kinds_are_told_as_such_and_not_renamed(tmp_path: Path) -> None:
    heads = (
        "行政相对人名称,统一社会信用代码,监督检查文书号,监督检查日期,行政确认文书号,行政确认日期"
    )

    words = told(tmp_path, f"{heads}\n样例1号有限公司,x,一号,y,,\n")

    assert "第1行有几种信息的列：监督检查、行政确认；一张表只放一种" in words
    assert "改成" not in words


@pytest.mark.usefixtures("two_kinds")
def test_the_number_of_another_kind_is_not_renamed_to_that_of_the_given_one(
    tmp_path: Path,
) -> None:
    heads = "行政确认文书号,统一社会信用代码,被许可人,决定书编号"

    words = told(tmp_path, f"{heads}\n样例1号有限公司,x,y,z\n", RecordKind.LICENCE)

    assert "“被许可人”改成" in words
    assert "“行政确认文书号”改成" not in words
