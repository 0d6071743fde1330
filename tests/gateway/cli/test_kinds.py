"""The catalogue of kinds on the command line, and the workbook to fill in."""

import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.intake.files.template import template_workbook
from schemas.configured import ConfiguredKind
from schemas.kinds import KINDS
from tests.factories import credit_code

EXAMPLE = Path(__file__).parents[3] / "gateway.example.yaml"
#: What a bureau sends beside 双公示, as the tasks of its plans name it.
CATALOGUE = [
    *("行政强制", "行政确认", "监督检查", "行政奖励", "环保信用评价信息", "信用承诺书"),
    *("联合奖惩案例", "环境风险等级", "环责险参保企业", "重点群体"),
]


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    yield
    KINDS.adopt(())


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(EXAMPLE), "kinds", *words])


def test_the_example_has_the_whole_catalogue_and_says_what_is_not_verified() -> None:
    kinds = [json.loads(line) for line in run("list", "--format", "json").stdout.splitlines()]

    configured = [one for one in kinds if one["configured"]]

    assert [one["title"] for one in configured] == CATALOGUE
    assert all(one["unverified"] for one in configured)
    assert not any(one["unverified"] for one in kinds if not one["configured"])


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("kind", ["penalty", "grade", "coercion", "risk_class"])
def test_every_kind_shows_its_columns(kind: str, form: str) -> None:
    shown = run("show", kind, "--format", form)

    assert shown.exit_code == 0
    column = {"penalty": "CF_WSH", "grade": "rule_set", "coercion": "QZ_LB"}.get(kind, "FX_ND")
    assert column in shown.stdout


def test_an_unknown_kind_is_told_with_those_there_are() -> None:
    asked = run("show", "coersion")

    assert asked.exit_code == 2
    assert "没有种类“coersion”；现有：" in asked.stderr
    assert "coercion（行政强制）" in asked.stderr


def test_what_is_filled_into_the_template_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "强制.xlsx"
    assert run("template", "coercion", "--out", str(file)).exit_code == 0
    book = openpyxl.load_workbook(file)
    sheet = book["行政强制"]
    given = {
        "行政相对人名称": "样例1号有限公司",
        "行政相对人类别": "法人及非法人组织",
        "统一社会信用代码": credit_code(1),
        "行政强制决定书文号": "样环强〔2026〕1号",
        "行政强制日期": "2026-10-09",
        "行政强制机关": "样例市生态环境局",
        "强制类别": "查封",
        "强制事由": "非法转移危险废物",
    }
    for place in range(1, sheet.max_column + 1):
        title = str(sheet.cell(1, place).value).removesuffix("（必填）")
        sheet.cell(2, place).value = given.get(title)
    book.save(file)

    checked = CliRunner().invoke(app, ["--config", str(EXAMPLE), "check", str(file)])

    assert "“行政强制”表：行政强制，表头在第1行，1 条" in checked.stdout
    assert "合格 1" in checked.stdout


def test_a_code_list_is_offered_in_the_cells_of_the_template(tmp_path: Path) -> None:
    file = tmp_path / "强制.xlsx"
    run("template", "coercion", "--out", str(file))

    [*offered] = openpyxl.load_workbook(file)["行政强制"].data_validations.dataValidation

    assert any("查封" in one.formula1 for one in offered)


def test_codes_with_a_comma_are_not_offered_in_pieces(tmp_path: Path) -> None:
    codes = {"code": "JC_LB", "title": "检查类别", "type": "code", "codes": ["查封,扣押", "其他"]}
    kind = {"name": "inspected", "title": "检查", "prefix": "JC_", "columns": [codes]}
    file = tmp_path / "检查.xlsx"

    template_workbook(file, ConfiguredKind.model_validate(kind).kind())

    sheet, rules = openpyxl.load_workbook(file).worksheets
    assert list(sheet.data_validations.dataValidation) == []
    assert any("查封,扣押" in str(row[4].value) for row in rules.iter_rows())


def test_a_message_of_programs_has_no_template(tmp_path: Path) -> None:
    asked = run("template", "event", "--out", str(tmp_path / "x.xlsx"))

    assert asked.exit_code == 2
    assert "环保信用信息由程序发来" in asked.stderr


@pytest.mark.parametrize("command", ["check", "ingest"])
def test_the_option_of_a_kind_knows_the_configured_ones(tmp_path: Path, command: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a\n1\n")

    asked = CliRunner().invoke(app, ["--config", str(EXAMPLE), command, str(file), "--kind", "no"])

    assert asked.exit_code == 2
    assert "--kind：没有种类“no”" in asked.stderr
    assert "risk_class（环境风险等级）" in asked.stderr
