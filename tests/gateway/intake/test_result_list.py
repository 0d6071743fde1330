"""Lists of results as platforms export them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import xlsxwriter

from gateway.config.settings import FileLimits
from gateway.intake.files.unreadable import UnreadableFile
from gateway.intake.result_list import result_list
from schemas.configured import ConfiguredKind, adopt
from schemas.hand_upload import AnswerColumns
from schemas.kinds import KINDS
from tests.factories import IDENTITY, credit_code

HOW = AnswerColumns()
TITLE = ["导出结果"]
HEADS = ["序号", "行政处罚决定书文号", "审核状态", "失败原因"]
ROWS = [
    ["1", "样环罚字〔2026〕1号", "审核通过", ""],
    ["2", "样环罚字〔2026〕2号", "审核不通过", "未查询到主体"],
    ["", "", "合计 2 条", ""],
]


def workbook(path: Path, sheets: dict[str, Sequence[Sequence[str]]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return path


def told(path: Path, how: AnswerColumns = HOW) -> list[tuple[str | None, str, bool | None]]:
    found = result_list(path, FileLimits(), how)
    return [(one.kind, one.number_key, one.accepted) for one in found]


def test_rows_below_the_names_are_results_and_nothing_else_is(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", {"导出": [TITLE, HEADS, *ROWS], "说明": [["无"]]})

    found = result_list(path, FileLimits(), HOW)

    assert [(one.kind, one.number_key, one.accepted) for one in found] == [
        ("penalty", "样环罚字〔2026〕1号", True),
        ("penalty", "样环罚字〔2026〕2号", False),
    ]
    assert found[1].reasons == ("未查询到主体",)


@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_text_with_any_separator_and_encoding_is_read(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    path = tmp_path / "list.csv"
    lines = [separator.join(row) for row in (HEADS, *ROWS[:2])]
    path.write_bytes("\r\n".join(lines).encode(encoding))

    assert [one[2] for one in told(path)] == [True, False]


def test_a_plain_name_of_the_number_says_no_kind(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "list.xlsx", {"a": [["文书号", "结果"], ["样环罚字〔2026〕1号", "好"]]}
    )
    how = AnswerColumns.model_validate({"status": ["结果"], "accepted": ["好"]})

    assert told(path, how) == [(None, "样环罚字〔2026〕1号", True)]


@pytest.mark.parametrize("rows", [[["文书号", "备注"], ["1号", "好"]], [["审核状态"], ["通过"]]])
def test_a_table_without_results_or_numbers_is_refused(
    tmp_path: Path, rows: Sequence[Sequence[str]]
) -> None:
    path = workbook(tmp_path / "list.xlsx", {"a": rows})

    with pytest.raises(UnreadableFile, match="找不到文书号和结果（审核状态、"):
        told(path)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text('[{"文书号": "1号"}]')

    with pytest.raises(UnreadableFile, match="不是表格"):
        told(path)


@pytest.fixture
def keyed() -> Iterator[None]:
    """Kinds whose items are told apart by a company, or by a year and a plant."""
    given: list[dict[str, object]] = [
        {"name": "risk", "title": "环境风险等级", "prefix": "FX_", "keys": ["FX_XDR_SHXYM"]},
        {
            "name": "plant",
            "title": "厂区等级",
            "prefix": "CQ_",
            "keys": ["CQ_ND", "CQ_RQ"],
            "columns": [
                {"code": "CQ_ND", "title": "年度"},
                {"code": "CQ_RQ", "title": "评定日", "type": "date"},
            ],
        },
    ]
    adopt(tuple(map(ConfiguredKind.model_validate, given)))
    yield
    KINDS.adopt(())


@pytest.mark.usefixtures("keyed")
def test_a_kind_without_numbers_is_told_by_all_its_keys(tmp_path: Path) -> None:
    heads = ["年度", "评定日", "统一社会信用代码", "审核状态"]
    rows = [["2026", "2026年10月9日", credit_code(1), "通过"], ["2026", "", "", "退回"]]
    path = workbook(tmp_path / "list.xlsx", {"a": [heads, *rows]})

    [found] = result_list(path, FileLimits(), HOW)

    assert (found.kind, found.number_key, found.code) == (
        "plant",
        "2026,2026-10-09",
        credit_code(1),
    )


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize(
    ("heads", "kinds", "kind"),
    [
        (["行政处罚决定书文号", "统一社会信用代码"], {"risk", "penalty"}, "penalty"),
        (["文书号", "统一社会信用代码"], (), None),
        (["行政处罚决定书文号", "统一社会信用代码"], {"risk"}, "risk"),
        (["统一社会信用代码", "行政相对人名称"], (), "risk"),
    ],
)
def test_a_number_comes_before_keys_unless_none_of_its_kind_was_uploaded(
    tmp_path: Path, heads: list[str], kinds: set[str], kind: str | None
) -> None:
    row = [credit_code(1) if "代码" in head else "1号" for head in heads]
    path = workbook(tmp_path / "list.xlsx", {"a": [[*heads, "审核状态"], [*row, "通过"]]})

    [found] = result_list(path, FileLimits(), HOW, kinds)

    assert found.kind == kind
    assert found.code == credit_code(1)


@pytest.mark.parametrize(
    ("given", "code"), [(IDENTITY, IDENTITY), ("4101**********0017", None), ("x", None)]
)
def test_only_a_whole_code_tells_who_it_is(tmp_path: Path, given: str, code: str | None) -> None:
    heads = ["行政处罚决定书文号", "证件号码", "审核状态"]
    path = workbook(tmp_path / "list.xlsx", {"a": [heads, ["1号", given, "通过"]]})

    [found] = result_list(path, FileLimits(), HOW)

    assert found.code == code
